# Does the worker's clean-up remove what retention lets go, and nothing else, as time goes on?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Utils;
use Test::More;
use WorkerTest;

bk_seed();
my $node = worker_cluster('retention', conf => "backup_service.worker_idle_timeout = '1h'\nbackup_service.cleanup_interval = '1h'\n"
	. "backup_service.cleanup_max_fraction = 1\nbackup_service.scrub_interval = 0\nbackup_service.max_snapshots = 0\nbackup_service.notify = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
my $offset = 0;    # of the clock, in seconds
my $session;

sub sql { return bk_value($node, 'postgres', @_) }

sub configure
{
	$node->append_conf('postgresql.conf', join "\n", @_);
	$node->reload;
	return;
}

# The clock goes forward, and the worker sees it.
sub forward
{
	my ($seconds) = @_;
	$offset += $seconds;
	configure("worker_test.clock_offset = $offset");
	return;
}

# A run of clean-up: the clock goes forward by an hour at least, and then until something is as it should be.
sub cleaned
{
	my ($seconds, $query, $expected, $name) = @_;
	my $before = sql(q{SELECT coalesce(max(last_run_at), '-infinity') FROM backup_service.job WHERE name = 'cleanup'});
	my $found = '';
	forward($seconds);
	my $ran = bk_wait_for(LATCH_WAIT, sub { sql("SELECT max(last_run_at) > '$before' FROM backup_service.job WHERE name = 'cleanup'") eq 't' });
	bk_wait_for(LATCH_WAIT, sub { ($found = sql($query)) eq $expected }) if $ran;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is($found, $expected, $name);
}

# In a session whose clock is the worker's.
sub query
{
	my ($sql) = @_;
	$session ||= $node->background_psql('postgres', on_error_stop => 0);
	$session->{stderr} = '';
	my $output = $session->query("SET worker_test.clock_offset = $offset; SET client_min_messages = warning; $sql");
	die "$sql: $session->{stderr}" if $session->{stderr} =~ /ERROR/;
	return $output;
}

# What a resource has: the numbers in its documents, oldest first.
sub numbers_of
{
	my ($resource, $condition) = @_;
	$condition ||= 'true';
	return "SELECT coalesce(string_agg(bk_read(backup_id)->>'n', ' ' ORDER BY created_at), '') FROM bk_backups WHERE resource_id = '$resource' AND $condition";
}

# Every backup of a resource is the document that was backed up, says so itself, and so does the trail.
sub check_documents
{
	my ($resource, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(sql("SELECT count(*) FILTER (WHERE bk_read(backup_id) IS DISTINCT FROM made.document), count(*) FILTER (WHERE NOT (bk_verify(backup_id)->'valid')::bool),"
			. " (SELECT count(*) FROM bk_audit_verify('$resource')), (SELECT count(*) FROM backup_service.chunk c WHERE c.resource_id = '$resource'"
			. "   AND NOT EXISTS (SELECT FROM backup_service.backup x WHERE x.backup_id = c.backup_id))"
			. " FROM bk_backups b JOIN made USING (backup_id) WHERE b.resource_id = '$resource'"), '0|0|0|0', $name);
}

# Make a backup; what it was is remembered in a table.
$node->safe_psql('postgres', q{
CREATE TABLE made (backup_id bigint PRIMARY KEY, document jsonb);
CREATE FUNCTION make(resource text, n int, type text, retention interval = NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	-- Small changes in a document that stays mostly the same.
	document jsonb = jsonb_build_object('n', n, 'list', (SELECT jsonb_agg(i * (1 + n / (5 + i % 7))) FROM generate_series(1, 30) i), 'k', repeat('x', n % 50));
BEGIN
	INSERT INTO made SELECT backup_id, document FROM bk_create(resource, document, type, retention => make.retention);
END $$});

# Years and days of chains under several policies, clean-up at odd times.  A twin of each resource is never cleaned up; what
# the rules keep of it, asked in one go, is what has been left of the other by all the runs.  (Not bases of what is held: where
# clean-up came before the hold, what is held is full and needs none.)
{
	my @policies = (
		"keep_daily => 7, keep_weekly => 4, keep_monthly => 12, keep_yearly => 7",
		"keep_last => 3, keep_hourly => 5, keep_daily => 3, time_zone => 'Europe/Berlin', week_start => 7",
		"keep_for => '3 days 12 hours', keep_weekly => 2, keep_monthly => 2, time_zone => 'America/St_Johns'",
		"keep_for => '1 month', keep_last => 1");
	my $n = 0;
	for my $p (0 .. $#policies)
	{
		sql("SELECT bk_policy_set('test $p', $policies[$p])");
		query("SELECT make(r, 0, 'full') FROM (VALUES ('real $p'), ('twin $p')) v(r)");
		sql("SELECT bk_policy_assign('real $p', 'test $p')");
		# Stopped, so that clean-up leaves it alone, whatever its backups' own retention says.
		sql("UPDATE backup_service.resource SET cleanup_stopped_at = now() WHERE resource_id = 'twin $p'");
	}
	for my $round (1 .. bk_long(15, 150))
	{
		for (1 .. bk_random(1, 8))
		{
			$offset += (bk_random(60, 5_000), bk_random(3_600, 200_000), bk_random(3_600, 3_000_000))[ rand 3 ];
			my $type = (qw(full incremental incremental incremental differential))[ rand 5 ];
			my $retention = rand() < 0.15 ? "interval '" . bk_random(1, 40) . " days'" : 'NULL';
			$n++;
			query("SELECT make(r || ' ' || p, $n, '$type', $retention) FROM generate_series(0, $#policies) p, (VALUES ('real'), ('twin')) v(r)");
		}
		# One hold comes and goes on both.
		if (rand() < 0.4)
		{
			my $change = rand() < 0.5
				? "SELECT bk_hold(backup_id, 'round $round', 'a test') FROM bk_backups b JOIN made USING (backup_id) WHERE (document->>'n')::int = "
					. "(SELECT max((document->>'n')::int) FROM made m JOIN bk_backups x USING (backup_id) WHERE x.resource_id = 'real 1' AND x.type <> 'full') AND b.resource_id IN ('real 1', 'twin 1')"
				: "SELECT bk_release(backup_id, name) FROM bk_holds";
			query($change);
		}
		# What the rules say is asked as of the time at which clean-up then runs.
		$offset += bk_random(4_000, 100_000);
		my @expected;
		for my $p (0 .. $#policies)
		{
			push @expected, query("SELECT string_agg(document->>'n', ' ' ORDER BY created_at) FROM bk_policy_simulate('twin $p', $policies[$p]) JOIN made USING (backup_id) WHERE action = 'keep' AND rules <> '{hold_base}'");
		}
		cleaned(0, 'SELECT ' . join(" || '; ' || ", map { '(' . numbers_of("real $_", "backup_id NOT IN (SELECT x.backup_id FROM bk_retention_explain('real $_') x WHERE rules = '{hold_base}')") . ')' } 0 .. $#policies), join('; ', @expected), "round $round: what is left is what the rules keep")
			or last;
		check_documents("real $_", "round $round: policy $_: all of it as it was backed up") for 0 .. $#policies;
	}
	is(sql("SELECT count(*) FROM bk_backups WHERE resource_id LIKE 'twin %' AND resource_id <> 'twin 0'"), $#policies * ($n + 1), "the twins have all of their $n");
	cmp_ok(sql("SELECT count(*) FROM bk_audit WHERE action = 'expire'"), '>', 2 * $n, 'each backup that went has an event');
	is(sql("SELECT count(*) FROM bk_audit WHERE action = 'expire' AND (detail->>'reason' IS NULL OR role <> current_user OR application <> 'backup_service worker')"), 0, 'with its reason');
	is(sql(q{SELECT count(*) FROM bk_audit a WHERE action = 'expire' AND EXISTS (SELECT FROM bk_backups b WHERE b.backup_id = a.backup_id)}), 0, 'and is gone');
	query("SELECT bk_release(backup_id, name) FROM bk_holds; SELECT bk_resource_drop(resource_id) FROM bk_resources; SELECT bk_policy_drop(name) FROM bk_policies WHERE NOT ready_made");
}

# At most a fraction in one run.
configure('backup_service.cleanup_max_fraction = 0.5');
sql("SELECT bk_policy_set('two', keep_last => 2)");
{
	my $log = -s $node->logfile;
	query("SELECT make('stop', i, CASE WHEN i % 5 = 1 THEN 'full' ELSE 'incremental' END) FROM generate_series(1, 20) i");
	query("SELECT make('nine', i, 'incremental') FROM generate_series(1, 9) i");
	sql("SELECT bk_policy_assign(r, 'two') FROM (VALUES ('stop'), ('nine')) v(r)");
	is(sql("SELECT string_agg(DISTINCT action, ' ') FROM bk_retention_explain('stop')"), 'go keep wait', 'it is known before that some will wait');
	cleaned(3_600, numbers_of('stop'), join(' ', 11 .. 20), 'half of them goes, the oldest first');
	is(sql(numbers_of('nine')), '8 9', 'a resource of nine is not limited');
	check_documents('stop', 'what is left is as it was');
	like(worker_log($node, $log), qr/WARNING:  clean-up of resource "stop" has stopped\n.*DETAIL:  backup_service.cleanup_max_fraction lets 0.5 of a resource's backups go in one run: 10 went, 8 more are to go.\n.*HINT:  Look at bk_prune\('stop', dry_run => true\); bk_prune\(\) without dry_run lets them go/, 'with a warning');
	is(sql("SELECT count(cleanup_stopped_at) FROM bk_resources"), 1, 'which is seen in bk_resources');
	is(sql("SELECT count(*) FROM bk_retention_explain('stop') WHERE action = 'wait' AND reason LIKE 'to go, waits for bk_prune(): %'"), 8, 'what waits says so');
	$log = -s $node->logfile;
	query("SELECT make('stop', 21, 'incremental'); SELECT make('nine', 10, 'incremental')");
	cleaned(3_600, numbers_of('nine'), '9 10', 'the next run');
	is(sql(numbers_of('stop')), join(' ', 11 .. 21), 'leaves it alone');
	unlike(worker_log($node, $log), qr/WARNING/, 'without another warning');
	is(sql("SELECT count(*) FROM bk_prune('stop', dry_run => true) WHERE action = 'expire'"), 9, 'a dry run shows them');
	is(sql("SELECT count(cleanup_stopped_at) FROM bk_resources"), 1, 'and changes nothing');
	is(query("SELECT count(*) FROM bk_prune('stop') WHERE action = 'expire'"), 9, 'bk_prune() lets them go');
	is(sql("SELECT count(cleanup_stopped_at) FROM bk_resources"), 0, 'and clean-up go on');
	query("SELECT make('stop', 22, 'incremental')");
	cleaned(3_600, numbers_of('stop'), '21 22', 'as it does');
	check_documents('stop', 'all as it was');
}

# Without the master key, what has to be made full is left, and what it builds on; the rest goes.
{
	my $log = -s $node->logfile;
	my $key = bk_key_path($node);
	query("SELECT make('key $_', i, (string_to_array('full full incremental incremental incremental', ' '))[i]) FROM generate_series(1, 5) i; SELECT bk_policy_assign('key $_', 'two')") for 1 .. 3;
	my $survivors = q{SELECT string_agg(n::text, ' ' ORDER BY resource_id, n) FROM (SELECT resource_id, row_number() OVER (PARTITION BY resource_id ORDER BY backup_id) + 5 - count(*) OVER (PARTITION BY resource_id) AS n FROM bk_backups WHERE resource_id LIKE 'key %') x};
	rename $key, "$key.away" or die;
	cleaned(3_600, $survivors, '2 3 4 5 2 3 4 5 2 3 4 5', 'without the key the chains stay, the rest goes');
	my $said = worker_log($node, $log);
	is(scalar(() = $said =~ /WARNING:  retention leaves backups in place that others build on, since these cannot be made full/g), 1, 'which is said once a run');
	like($said, qr/DETAIL:  key file "[^"]*" (does not exist|cannot be read)|DETAIL:  .*key file/, 'and why');
	is(sql("SELECT count(*) FROM bk_backups WHERE resource_id LIKE 'key %' AND status <> 'completed'"), 0, 'none of them is thought corrupt');
	rename "$key.away", $key or die;
	cleaned(3_600, $survivors, '4 5 4 5 4 5', 'with it they go');
	check_documents("key $_", 'all as it was') for 1 .. 3;
}

# What builds on a damaged backup is corrupt and is not made full; the newest that is sound stays.
{
	my $log = -s $node->logfile;
	sql("SELECT bk_policy_set('one', keep_last => 1)");
	query("SELECT make('damaged', i, (string_to_array('full incremental full incremental incremental', ' '))[i]) FROM generate_series(1, 5) i; SELECT bk_policy_assign('damaged', 'one')");
	sql("UPDATE backup_service.chunk c SET data = set_byte(data, 20, get_byte(data, 20) # 1) FROM made WHERE c.backup_id = made.backup_id AND c.resource_id = 'damaged' AND document->'n' = '4'");
	cleaned(3_600, "SELECT string_agg(document->>'n' || ' ' || b.type || ' ' || b.status, ', ' ORDER BY created_at) FROM bk_backups b JOIN made USING (backup_id) WHERE resource_id = 'damaged'",
		'3 full completed, 4 incremental corrupt, 5 incremental corrupt', 'the damage is found, and what is before it stays');
	like(worker_log($node, $log), qr/WARNING:  backup \d+ cannot be made full, so what it builds on stays\n.*DETAIL:  backup \d+ is damaged: The checksum check failed/, 'with a warning');
	is(sql("SELECT bk_read(backup_id)->'n' FROM bk_backups WHERE resource_id = 'damaged' AND status = 'completed'"), 3, 'it can be read');
	is(sql("SELECT string_agg(action, ' ' ORDER BY number) FROM bk_audit WHERE resource_id = 'damaged' AND action IN ('corrupt', 'expire')"), 'corrupt expire expire', 'the trail has it');
	is(sql("SELECT count(*) FROM bk_audit_verify('damaged')"), 0, 'and holds');
	query("SELECT make('damaged', 6, 'full')");
	cleaned(3_600, 'SELECT count(*) FROM bk_backups WHERE resource_id = \'damaged\'', 1, 'when it is to go, all of it goes');
}

# Who has a resource is not waited for; one that is trouble does not keep others from being cleaned up.
{
	my $log = -s $node->logfile;
	my $holder = $node->background_psql('postgres');
	sql("SELECT bk_policy_assign(NULL, 'one'), bk_policy_set('odd', keep_daily => 1)");
	query("SELECT make('many ' || r, i, 'incremental') FROM generate_series(1, 2300) r, generate_series(1, 2) i");
	sql("SELECT bk_policy_assign('many 1000', 'odd')");
	sql("UPDATE backup_service.policy SET time_zone = 'Nowhere/Land' WHERE name = 'odd'");
	$holder->query("BEGIN; SELECT FROM bk_create('many 1234', '1')");
	cleaned(3_600, "SELECT count(*), count(DISTINCT resource_id) FROM bk_backups WHERE resource_id LIKE 'many %'", '2302|2300', 'all but two of 2,300 resources are cleaned up');
	like(worker_log($node, $log), qr/WARNING:  clean-up leaves resource "many 1000" alone for this time: time zone "Nowhere\/Land" is not known/, 'one is trouble');
	$holder->query('ROLLBACK');
	sql("SELECT bk_policy_set('odd', keep_last => 1)");
	cleaned(3_600, "SELECT count(*) FROM bk_backups WHERE resource_id LIKE 'many %'", '2300', 'the next run finds them');
	is(sql("SELECT count(*) FROM generate_series(1, 2300, 100) r, bk_audit_verify('many ' || r)"), 0, 'the trail holds');
	sql("SELECT bk_policy_assign(NULL, NULL)");
	$holder->quit;
}

# Killed in the middle: nothing is half done, and the limit of a run holds.
{
	query("SELECT make('kill', i, 'full') FROM generate_series(250 * $_ + 1, 250 * $_ + 250) i") for 0 .. 15;
	sql("SELECT bk_policy_assign('kill', 'two')");
	my $left = "SELECT count(*) FROM bk_backups WHERE resource_id = 'kill'";
	my $pid = worker_pid($node, 'postgres');
	my $holder = $node->background_psql('postgres');
	# Its second batch comes to this one, and waits.
	$holder->query(q{BEGIN; SELECT FROM backup_service.backup WHERE backup_id = (SELECT backup_id FROM made JOIN bk_backups USING (backup_id) WHERE resource_id = 'kill' AND document->'n' = '500') FOR UPDATE});
	forward(3_600);
	ok(bk_wait_for(LATCH_WAIT, sub { sql("SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND wait_event_type = 'Lock'") }), 'in the middle of a run');
	is(sql($left), 3000, 'which has come so far');
	kill 9, $pid;
	$_->quit for $holder, $session;
	undef $session;
	ok(bk_wait_for(LATCH_WAIT, sub { !kill 0, $pid }), 'the worker is killed');
	bk_wait_ready($node, LATCH_WAIT);
	is(sql($left), 3000, 'the batch is undone');
	is(sql("SELECT count(*) FROM backup_service.snapshot WHERE resource_id = 'kill' AND removed_at IS NOT NULL"), 1000, 'each that went is a tombstone');
	is(sql("SELECT count(*) FROM bk_audit_verify('kill')"), 0, 'and in the trail');
	my $log = -s $node->logfile;
	cleaned(3_600, $left, 2000, 'the next run goes on to the half');
	like(worker_log($node, $log), qr/lets 0.5 of a resource's backups go in one run: 2000 went, 1998 more are to go/, 'and stops');
	cleaned(3_600, $left, 2000, 'and no further');
	is(sql("SELECT count(*) FROM bk_audit_verify('kill')"), 0, 'the trail holds');
	query("SELECT count(*) FROM bk_prune('kill')");
	is(sql(numbers_of('kill')), '3999 4000', 'bk_prune() ends it');
}

# Never, where the setting says so.
{
	configure('backup_service.cleanup_interval = 0');
	query("SELECT make('never', i, 'full') FROM generate_series(1, 5) i; SELECT bk_policy_assign('never', 'two')");
	my $before = sql("SELECT last_run_at FROM backup_service.job WHERE name = 'cleanup'");
	forward(400_000);
	$node->safe_psql('postgres', 'SELECT bk_read(backup_id) FROM bk_backups WHERE resource_id = \'never\' LIMIT 1');
	ok(bk_wait_for(LATCH_WAIT, sub { sql('SELECT count(*) FROM backup_service.audit_unsealed') == 0 }), 'the worker works');
	is(sql("SELECT last_run_at = '$before', count(*) FROM bk_backups, backup_service.job j WHERE resource_id = 'never' AND j.name = 'cleanup' GROUP BY 1"), 't|5', 'and cleans nothing up');
}

# A dump has the policies of one's own, and what has which; the ready-made ones come with the extension.
{
	sql("SELECT bk_policy_set('office', keep_for => '1 month', keep_weekly => 9, time_zone => 'Europe/Berlin', week_start => 7, expect_every => '1 day', max_snapshots => 5)");
	sql("SELECT bk_policy_assign(NULL, 'gfs'), bk_policy_assign(NULL, 'office', 'letter'), bk_policy_assign('never', 'daily')");
	my $policies = q{SELECT string_agg(concat_ws(' ', name, keep_for, keep_last, keep_weekly, time_zone, week_start, expect_every, max_snapshots, ready_made, resource_types, CASE WHEN ready_made THEN '' ELSE created_by || updated_at END), '; ' ORDER BY name) FROM bk_policies};
	my $assigned = 'SELECT string_agg(resource_id || policy, \' \' ORDER BY resource_id) FROM bk_resources';
	my $file = $node->basedir . '/policies.dump';
	my ($before, $before_assigned) = (sql($policies), sql($assigned));
	for my $format ('-Fc', '-Fp')
	{
		$node->safe_psql('postgres', 'CREATE DATABASE copy TEMPLATE template0');
		$node->command_ok([ 'pg_dump', $format, '-f', $file, '-d', $node->connstr('postgres') ], "dump $format");
		$node->command_ok($format eq '-Fc' ? [ 'pg_restore', '--exit-on-error', '-d', $node->connstr('copy'), $file ] : [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-d', $node->connstr('copy') ], 'restored');
		is(bk_value($node, 'copy', $policies), $before, 'the policies');
		is(bk_value($node, 'copy', $assigned), $before_assigned, 'and what has which');
		$node->safe_psql('postgres', 'DROP DATABASE copy WITH (FORCE)');
	}
	like(slurp_file($file), qr/^office\t/m, 'a policy of one\'s own is in the dump');
	unlike(slurp_file($file), qr/^gfs\t/m, 'the ready-made ones are not');
}
$node->stop;
done_testing();
