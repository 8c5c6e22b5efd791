# Does the scrub find damage in time, in the right order, within its budget, with keys and without?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WorkerTest;

my $node = worker_cluster('scrub', conf => "backup_service.worker_idle_timeout = '1h'\nbackup_service.scrub_budget = '1GB'\n");
$node->start;
worker_jobs($node, 'postgres');
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service;' . bk_noise_function());

sub value { return bk_value($node, 'postgres', $_[0]); }
sub log_size { return -s $node->logfile; }

sub configure
{
	$node->append_conf('postgresql.conf', join('', map { "$_\n" } @_));
	$node->reload;
	return;
}

# When the last run was begun, by the clock that the test moves.
sub last_run { return value(q{SELECT coalesce(max(last_run_at)::text, '') FROM backup_service.job WHERE name = 'scrub'}); }

# A day goes by, and the run that is due then has ended; the log from its begin.
my $offset = 0;
sub scrub
{
	my $before = last_run();
	my $from = log_size();
	$offset += 24 * 60 * 60;
	configure("worker_test.clock_offset = $offset");
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	bk_wait_for(LATCH_WAIT, sub { last_run() ne $before }) or fail('a run is due after a day');
	worker_rests($node, 'postgres') or fail('and ends');
	return worker_log($node, $from);
}

# Ids of the backups that were verified, or not, since a time.
sub verified_since
{
	my ($time) = @_;
	return value("SELECT string_agg(resource_id, ' ' ORDER BY verified_at, resource_id) FROM bk_backups WHERE verified_at >= '$time'");
}

sub statuses { return value("SELECT string_agg(backup_id || ' ' || status, ', ' ORDER BY backup_id) FROM bk_backups WHERE resource_id = '$_[0]'"); }
sub flip { return value("UPDATE backup_service.chunk SET data = set_byte(data, 3, get_byte(data, 3) # 1) WHERE backup_id = $_[0] AND seq = 0"); }
sub make { return value("SELECT backup_id FROM bk_create('$_[0]', $_[1], '$_[2]')"); }
sub count { my ($log, $pattern) = @_; return scalar(() = $log =~ /$pattern/g); }

# The first run comes a day after the extension, not earlier: until then a dump may be on its way into the catalog.
ok(bk_wait_for(LATCH_WAIT, sub { last_run() ne '' }), 'a new catalog is noticed at once');
my $first = last_run();
make('chain', q{'{"n": 1, "k": 0}'}, 'full');
make('chain', q{'{"n": 2, "k": 0}'}, $_) for qw(incremental incremental differential);
worker_rests($node, 'postgres');
is(last_run(), $first, 'the first run is not due yet');
is(value('SELECT count(verified_at) FROM bk_backups'), 0, 'and nothing is verified');
configure('worker_test.clock_offset = ' . ($offset = 24 * 60 * 60 - 100));
$node->safe_psql('postgres', 'SELECT worker_test.wake()');
worker_rests($node, 'postgres');
is(last_run(), $first, 'nor is it a minute before the day is over');
my $log = scrub();
is(value('SELECT count(verified_at) FROM bk_backups'), 4, 'a day later it comes, and verifies all that is there');
is(count($log, 'WARNING|ERROR'), 0, 'without a word in the log');

# When a worker has ended, the next one knows when the last run was.
{
	my ($run, $pid) = (last_run(), worker_pid($node, 'postgres'));
	make('after', q{'1'}, 'full');
	kill 'TERM', $pid;
	ok(bk_wait_for(LATCH_WAIT, sub { worker_pid($node, 'postgres') ne $pid }), 'the worker ends');
	$node->restart;
	$node->safe_psql('postgres', 'SELECT worker_test.wake()');
	ok(worker_rests($node, 'postgres'), 'and comes back after a restart');
	is(last_run(), $run, 'without another run');
	is(value(q{SELECT count(verified_at) FROM bk_backups WHERE resource_id = 'after'}), 0, 'nothing is verified too early');
}

# A flipped bit in a base: found by the next run, though all is spread over more data than one step takes.
{
	$node->safe_psql('postgres', q{SELECT FROM generate_series(1, 12) i, bk_create('filler ' || i, to_jsonb(bk_noise('f' || i, 700000)), compression => 'none')});
	flip(2);
	my $log = scrub();
	is(value('SELECT count(verified_at) FROM bk_backups'), 17, 'one run reads twelve more backups of 700 kB');
	is(statuses('chain'), '1 completed, 2 corrupt, 3 corrupt, 4 completed', 'what is damaged is corrupt, and what builds on it');
	like($log, qr/WARNING: ?.* backup 2 of resource "chain" is corrupt\n.*DETAIL: .*checksum check failed.*Corrupt with it, since they build on it: 3\.\n.*HINT: .*bk_verify\(2\)/, 'the log has a warning that names both');
	like($log, qr/XX001 WARNING/, 'with its SQLSTATE');
	is(count($log, 'is corrupt'), 1, 'one warning');
	is(value(q{SELECT string_agg(concat_ws(' ', action, backup_id, detail ->> 'dependents'), ', ') FROM bk_audit WHERE action = 'corrupt'}), 'corrupt 2 [3]', 'and the trail an event');
	is(value('SELECT count(*) FROM bk_audit_verify()'), 0, 'in its chain');
	is(value(q{SELECT ok || ' ' || detail FROM bk_health() WHERE name = 'corrupt_backups'}), 'false 2', 'bk_health() counts them');
	is(value(q{SELECT type || ' ' || coalesce(base_id, 0) FROM bk_create('chain', '{"n": 9, "k": 0}', 'incremental')}), 'incremental 4', 'the next incremental builds on the newest sound backup');
	is(count(scrub(), 'is corrupt'), 0, 'the next run has no news of it');

	flip(1);
	scrub();
	my $all = value(q{SELECT string_agg(DISTINCT status, ' ') FROM bk_backups WHERE resource_id = 'chain'});
	is($all, 'corrupt', 'damage of the full backup is damage of all');
	my ($status, $output, $messages) = bk_run($node, 'postgres', q{SELECT type FROM bk_create('chain', '{"n": 10, "k": 0}', 'differential')});
	is($output, 'full', 'without a sound base the next backup is full');
	like($messages, qr/no sound backup that it could build on/, 'and says why');
	unlike($messages, qr/WARNING/, 'without reading what is known to be corrupt');

	# Put back.
	flip(1);
	flip(2);
	$log = scrub();
	is(value(q{SELECT count(*) FROM bk_backups WHERE status = 'corrupt'}), 0, 'what was put back is completed again');
	is(count($log, 'is sound again'), 5, 'and the log says so');
	is(value(q{SELECT count(*) FROM bk_audit WHERE action = 'recovered'}), 5, 'and the trail');
	is(value('SELECT count(*) FROM bk_audit_verify()'), 0, 'which is sound');
}

# bk_verify() has the same consequences.
{
	my $id = make('by hand', q{'1'}, 'full');
	flip($id);
	is(value("SELECT bk_verify($id) -> 'valid'"), 'false', 'bk_verify() finds damage');
	is(statuses('by hand'), "$id corrupt", 'and marks it');
	is(value("SELECT bk_verify($id) -> 'valid'"), 'false', 'again');
	is(value("SELECT count(*) FROM bk_audit WHERE backup_id = $id AND action = 'corrupt'"), 1, 'once');
	flip($id);
	is(value("SELECT bk_verify($id) -> 'valid'"), 'true', 'what is put back is valid');
	is(statuses('by hand'), "$id completed", 'and completed');
}

# Order and budget: those never verified, then those verified longest ago, as many as fit.
{
	$node->safe_psql('postgres', q{DELETE FROM backup_service.chunk; DELETE FROM backup_service.backup;
SELECT FROM generate_series(1, 6) i, bk_create('order ' || i, to_jsonb(bk_noise('o' || i, 100000)), compression => 'none');
SELECT FROM bk_create('order 7', to_jsonb(bk_noise('o7', 900000)), compression => 'none');
UPDATE backup_service.backup SET verified_at = now() - interval '1 day' * CASE right(resource_id, 1)::int WHEN 1 THEN 1 WHEN 2 THEN 5 WHEN 4 THEN 3 WHEN 5 THEN 4 WHEN 6 THEN 2 WHEN 7 THEN 0 END});
	is(value('SELECT count(*) FROM bk_backups WHERE verified_at IS NULL'), 1, 'one was never verified');
	configure("backup_service.scrub_budget = '250kB'");
	my @runs;
	for (1 .. 5)
	{
		my $before = last_run();
		scrub();
		push @runs, verified_since(last_run()) // '';
	}
	is(join(', ', @runs), 'order 2 order 3, order 4 order 5, order 1 order 6, order 7, order 2 order 3', 'each run reads the two that are next; a large one has a run of its own');
	configure("backup_service.scrub_budget = '1GB'");
}

# A chain is read once: its last backup costs its own bytes, not those of all the others again.
{
	$node->safe_psql('postgres', q{DELETE FROM backup_service.chunk; DELETE FROM backup_service.backup;
SELECT FROM bk_create('walk', jsonb_build_object('n', 0, 'noise', bk_noise('w', 200000)), compression => 'none')});
	make('walk', "jsonb_build_object('n', $_, 'noise', bk_noise('w', 200000))", 'incremental') for 1 .. 20;
	configure("backup_service.scrub_budget = '250kB'");
	scrub();
	is(value('SELECT count(verified_at) FROM bk_backups'), 21, 'a chain of 21 is verified within a budget of one document');
	configure("backup_service.scrub_budget = '1GB'");
}

# Without the key: at rest alone.
{
	$node->safe_psql('postgres', 'DELETE FROM backup_service.chunk; DELETE FROM backup_service.backup');
	my $sound = make('keyless', q{'{"a": 1}'}, 'full');
	my $bit = make('keyless bit', q{'{"a": 1}'}, 'full');
	my $forged = make('keyless forged', q{'{"a": 1}'}, 'full');
	flip($bit);
	flip($forged);
	value("UPDATE backup_service.backup SET checksum = (SELECT sha256(data) FROM backup_service.chunk WHERE backup_id = $forged) WHERE backup_id = $forged");
	rename bk_key_path($node), bk_key_path($node) . '.away' or die;
	my $log = scrub();
	is(value("SELECT string_agg(status, ' ' ORDER BY backup_id) FROM bk_backups"), 'completed corrupt completed', 'the stored bytes are checked, no more');
	is(value('SELECT count(verified_at) FROM bk_backups'), 3, 'and the time is noted');
	is(count($log, 'backups of key version 1 are verified at rest alone: key file .* does not exist'), 1, 'the log says once that there is no key');
	is(value(q{SELECT string_agg(name, ' ' ORDER BY name) FROM bk_health() WHERE NOT ok AND critical}), 'keys', 'bk_health() finds that critical');
	like(value("SELECT bk_verify($sound)"), qr/"valid": false, "errors": \[\], "warnings": \["Key not available, so that only the stored bytes were checked: .*"\], "checksumValid": true, "dataIntegrity": null, "structureValid": null/, 'bk_verify() warns, and does not know');
	is(statuses('keyless'), "$sound completed", 'and does not take it for damage');
	like(value("SELECT bk_verify($bit) -> 'checksumValid'"), qr/false/, 'what the bytes tell it tells');
	# Sound bytes do not prove that what was corrupt is no longer.
	flip($bit);
	scrub();
	is(statuses('keyless bit'), "$bit corrupt", 'what was corrupt stays so without the key');
	rename bk_key_path($node) . '.away', bk_key_path($node) or die;
	scrub();
	is(value("SELECT string_agg(status, ' ' ORDER BY backup_id) FROM bk_backups"), 'completed completed corrupt', 'with it the rest is found, and what is sound again');
}

# Beside a writer: the finding waits for it, the worker does not.
{
	my $id = make('busy', q{'1'}, 'full');
	flip($id);
	my $writer = $node->background_psql('postgres');
	$writer->query(q{BEGIN; SELECT FROM bk_create('busy', '2')});
	scrub();
	is(statuses('busy'), "$id completed", 'a backup whose resource is being written is not marked yet');
	$writer->query('COMMIT');
	$writer->quit;
	ok(bk_wait_for(LATCH_WAIT, sub { statuses('busy') =~ /$id corrupt/ }), 'but when the writer has ended, without another run');
	flip($id);
}

# An error that is no damage ends neither the run nor the worker, and marks nothing.
{
	$node->safe_psql('postgres', q{DELETE FROM backup_service.chunk; DELETE FROM backup_service.backup});
	make("error $_", "'$_'", 'full') for 1 .. 3;
	$node->safe_psql('postgres', 'ALTER TABLE backup_service.chunk RENAME TO gone');
	my $log = scrub();
	is(count($log, 'WARNING: .* relation "backup_service.chunk" does not exist'), 3, 'each backup that cannot be read is warned of');
	is(value(q{SELECT count(*) || ' ' || count(verified_at) FROM bk_backups WHERE status = 'completed'}), '3 0', 'and stays as it was');
	$node->safe_psql('postgres', 'ALTER TABLE backup_service.gone RENAME TO chunk');
	scrub();
	is(value('SELECT count(verified_at) FROM bk_backups'), 3, 'until the cause is gone');
}

# bk_health() does not wait for a key command for longer than some seconds.
{
	configure(q{backup_service.key_command = 'sleep 60'}, q{backup_service.key_cache_ttl = 0});
	my $begin = time;
	like(value(q{SELECT ok || ' ' || detail FROM bk_health() WHERE name = 'keys'}), qr/false version 1: .*backup_service.key_command/, 'a key command that hangs is not waited for');
	cmp_ok(time - $begin, '<', 15, 'for long');
	configure(q{backup_service.key_command = ''}, q{backup_service.key_cache_ttl = 300});
}

# A dump goes into a server whose worker sees the extension before the rows.
{
	my $dump = $node->basedir . '/dump';
	ok(value('SELECT count(*) FROM bk_backups WHERE verified_at IS NOT NULL') > 0 && last_run() ne '', 'a catalog that was scrubbed');
	$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, 'postgres' ], 'is dumped');
	$node->safe_psql('template1', 'CREATE DATABASE restored TEMPLATE template0');
	$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'restored', $dump ], 'and restored');
	ok(bk_wait_for(LATCH_WAIT, sub { bk_value($node, 'restored', 'SELECT count(*) FROM backup_service.job WHERE name = \'scrub\'') == 1 }), 'the worker has noticed it');
	is(bk_value($node, 'restored', q{SELECT count(*) FROM bk_backups WHERE status <> 'completed'}), 0, 'and takes nothing for damaged');
	$node->safe_psql('template1', 'CREATE DATABASE at_once TEMPLATE template0');
	$node->command_ok([ 'pg_restore', '--single-transaction', '-d', 'at_once', $dump ], 'restored in one transaction');
	ok(bk_wait_for(LATCH_WAIT, sub { bk_value($node, 'at_once', 'SELECT count(*) FROM backup_service.job WHERE name = \'scrub\'') == 1 }), 'the worker notices that too');
	ok(worker_rests($node, 'at_once'), 'and rests');
	is(bk_value($node, 'at_once', 'SELECT max(verified_at) FROM bk_backups'), value('SELECT max(verified_at) FROM bk_backups'), 'without having verified it');
	is(bk_value($node, 'restored', "SELECT last_run_at > '@{[ last_run() ]}' FROM backup_service.job WHERE name = 'scrub'"), 't', 'its first run is a day away from now');
}

# Off.
{
	configure('backup_service.scrub_interval = 0');
	my $run = last_run();
	$offset += 10 * 24 * 60 * 60;
	configure("worker_test.clock_offset = $offset");
	$node->safe_psql('postgres', 'SELECT worker_test.wake()');
	worker_rests($node, 'postgres');
	is(last_run(), $run, 'an interval of 0 is never');
	is(value(q{SELECT ok || ' ' || detail FROM bk_health() WHERE name = 'scrub'}), 'true backup_service.scrub_interval is 0', 'which bk_health() says');
	configure(q{backup_service.scrub_interval = '1h'});
	ok(bk_wait_for(LATCH_WAIT, sub { last_run() ne $run }), 'a reload that turns it on begins a run');
}

$node->stop;
done_testing();
