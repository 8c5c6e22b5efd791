# Do those who listen hear of everything that was committed, once and in order, and of nothing else?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WorkerTest;

my $node = worker_cluster('notify', conf => "max_prepared_transactions = 2\nbackup_service.worker_idle_timeout = '1h'\n"
	. "backup_service.max_attempts = 1\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
worker_rests($node, 'postgres');

sub value { return bk_value($node, 'postgres', $_[0]); }

# A role that has no right but to connect hears as much as anybody.
$node->safe_psql('postgres', 'CREATE ROLE anybody LOGIN');
my $listener = $node->background_psql('postgres', extra_params => [ '-U', 'anybody' ]);
$listener->query('LISTEN backup_service');

my (@payloads, %senders);
sub hear
{
	my $output = $listener->query('SELECT 1');
	while ($output =~ /Asynchronous notification "backup_service" with payload "(.*)" received from server process with PID (\d+)\./g)
	{
		push @payloads, $1;
		$senders{$2} = 1;
	}
	return scalar(@payloads);
}

# Wait for so many notices, and that no more come; as "event resource backup" each.
sub heard
{
	my ($count) = @_;
	@payloads = ();
	bk_wait_for(LATCH_WAIT, sub { hear() >= $count });
	bk_wait_for(LATCH_WAIT, sub { value('SELECT count(*) FROM backup_service.notice') == 0 });
	hear();
	return map { decode_json($_) } @payloads;
}

sub short { return join(', ', map { join(' ', grep { defined } @$_{qw(event resource_id backup_id operation_id key_version)}) } @_); }

# Made in a transaction each, or many in one: in the order of their commits.
my $worker = worker_pid($node, 'postgres');
value(qq{SELECT type FROM bk_create('r', '$_')}) for 1 .. 3;
my @notices = heard(3);
is(short(@notices), 'created r 1, created r 2, created r 3', 'three backups, three notices');
is(join(' ', sort keys %senders), $worker, 'which the worker has sent');
like($payloads[0], qr/^\{"id": 1, "event": "created", "resource_id": "r", "backup_id": 1, "at": "\d{4}-\d\d-\d\dT[\d:.]+\+00:00"\}$/, 'each is a line of JSON');
is($notices[0]{at}, value(q{SELECT to_json(created_at AT TIME ZONE 'UTC') #>> '{}' || '+00:00' FROM bk_backups WHERE backup_id = 1}), 'with the time of the backup');
$node->safe_psql('postgres', q{SELECT count(*) FROM generate_series(1, 1200) i, bk_create('many ' || i % 7, to_jsonb(i))});
@notices = heard(1200);
is(join(' ', map { $_->{backup_id} } @notices), join(' ', 4 .. 1203), 'of 1,200 backups in one transaction each has one, in order');

# Sessions beside each other: none is lost or doubled, and those of a resource are in order.
$node->pgbench('-n -c 4 -j 2 -t 100', 0, [qr{processed: 400/400}], [qr/^$/], 'four sessions make backups', {
	'026_notify' => q{SELECT FROM bk_create('client ' || :client_id, '{"n": 1}');} });
@notices = heard(400);
is(scalar(@notices), 400, 'each has a notice');
is(join(' ', sort { $a <=> $b } map { $_->{backup_id} } @notices), join(' ', 1204 .. 1603), 'and one alone');
my %last;
my @wrong = grep { my $is_later = $_->{backup_id} > ($last{$_->{resource_id}} // 0); $last{$_->{resource_id}} = $_->{backup_id}; !$is_later } @notices;
is(scalar(@wrong), 0, 'in the order of the resource');

# What was rolled back was not.
$node->safe_psql('postgres', q{BEGIN; SELECT FROM bk_create('rolled back', '1'); ROLLBACK;
BEGIN; SAVEPOINT s; SELECT FROM bk_create('rolled back', '1'); ROLLBACK TO s; SELECT FROM bk_create('kept', '1'); COMMIT});
@notices = heard(1);
is(join(' ', map { $_->{resource_id} } @notices), 'kept', 'after a rollback there is none');

# A prepared transaction can have them.
$node->safe_psql('postgres', q{BEGIN; SELECT FROM bk_create('prepared', '1'); PREPARE TRANSACTION 'p'});
worker_rests($node, 'postgres');
@payloads = ();
is(hear(), 0, 'PREPARE TRANSACTION works, and notifies nobody');
$node->safe_psql('postgres', q{COMMIT PREPARED 'p'});
@notices = heard(1);
is(short(@notices) =~ s/ \d+$//r, 'created prepared', 'COMMIT PREPARED does');

# The other events.
my $operation = value(q{SELECT bk_restore(1); SELECT max(operation_id) FROM bk_operations});
$operation = (split /\n/, $operation)[-1];
is(short(heard(1)), "restored r 1 $operation", 'a restore');
$operation = value('SELECT bk_restore_enqueue(2)');
is(short(heard(2)), 'created r ' . value('SELECT max(backup_id) FROM bk_backups') . ", restored r 2 $operation", 'a queued one, and the backup that it makes');
value('UPDATE backup_service.chunk SET data = set_byte(data, 3, get_byte(data, 3) # 1) WHERE backup_id = 3');
$operation = value('SELECT bk_restore_enqueue(3)');
is(short(heard(1)), "failed r 3 $operation", 'one that has failed');
value('SELECT bk_verify(3)');
is(short(heard(1)), 'corrupt r 3', 'a backup that was found damaged');
value('UPDATE backup_service.chunk SET data = set_byte(data, 3, get_byte(data, 3) # 1) WHERE backup_id = 3; SELECT bk_verify(3)');
is(short(heard(1)), 'recovered r 3', 'and sound again');
rename bk_key_path($node), bk_key_path($node) . '.away' or die;
$node->append_conf('postgresql.conf', 'worker_test.clock_offset = 90000');
$node->reload;
is(short(heard(1)), 'key_problem 1', 'a key that the scrub has not found');
rename bk_key_path($node) . '.away', bk_key_path($node) or die;

# Names, ids, times: nothing else, and never too long.
$node->safe_psql('postgres', q{SELECT FROM bk_create(repeat('"\\', 256), '{"secret": "hidden"}', tags => '{"secret": "hidden"}', source => 'hidden', version => 'hidden')});
@notices = heard(1);
is($notices[0]{resource_id}, '"\\' x 256, 'the longest name, of characters that JSON escapes, arrives as it is');
unlike($payloads[0], qr/hidden|secret/, 'without anything of the document or its labels');
# No function takes a name like that, but its row must not be in the way of others.
$node->safe_psql('postgres', q{INSERT INTO backup_service.notice (resource_id, event, backup_id, at) VALUES (repeat('x', 7900), 'created', 42, now()), ('r', 'created', 43, now());
SELECT backup_service.wake_worker()});
@notices = heard(2);
is(short(@notices), 'created 42, created r 43', 'a name that would not fit is left out');
cmp_ok((sort { $b <=> $a } map { length } @payloads)[0], '<', 7900, 'each notice has less than 7,900 bytes');

# Off: what waits is dropped, and nothing more is written.
$node->append_conf('postgresql.conf', 'backup_service.notify = off');
$node->reload;
bk_wait_for(LATCH_WAIT, sub { value('SHOW backup_service.notify') eq 'off' });
$node->safe_psql('postgres', q{SELECT FROM bk_create('silent', '1'); INSERT INTO backup_service.notice (resource_id, event, backup_id, at) VALUES ('r', 'created', 44, now());
SELECT backup_service.wake_worker()});
is(value('SELECT count(*) FROM backup_service.notice WHERE event <> \'created\' OR backup_id <> 44'), 0, 'with backup_service.notify = off there are no rows');
@notices = heard(0);
is(scalar(@notices), 0, 'and no notices');
is(value('SELECT count(*) FROM backup_service.notice'), 0, 'those that waited are gone');
$node->append_conf('postgresql.conf', 'backup_service.notify = on');
$node->reload;
bk_wait_for(LATCH_WAIT, sub { value('SHOW backup_service.notify') eq 'on' });
value(q{SELECT FROM bk_create('loud', '1')});
is(short(heard(1)) =~ s/ \d+$//r, 'created loud', 'on again, they come again');

# While nobody works, they wait; bk_health() sees it.
{
	$node->append_conf('postgresql.conf', "backup_service.databases = 'template1'");
	$node->reload;
	$node->append_conf('postgresql.conf', 'worker_test.clock_offset = 0');
	$node->reload;
	ok(worker_wait_gone($node, 'postgres'), 'a database that is served no more has no worker');
	value(q{SELECT FROM bk_create('waiting', '1')});
	@payloads = ();
	hear();
	is(scalar(@payloads), 0, 'notices wait');
	is(value(q{SELECT name || ' ' || ok || ' ' || detail FROM bk_health() WHERE name = 'notices'}) =~ s/ since.*//r, 'notices true 1', 'for which there is time');
	$node->append_conf('postgresql.conf', 'worker_test.clock_offset = 600');
	$node->reload;
	bk_wait_for(LATCH_WAIT, sub { value('SHOW worker_test.clock_offset') eq '600' });
	is(value(q{SELECT string_agg(name, ' ' ORDER BY name) FROM bk_health() WHERE NOT ok AND name IN ('worker', 'notices')}), 'notices worker', 'five minutes later bk_health() complains, and of the worker');
	like(value('SELECT bk_verify(1)'), qr/"warnings": \["Worker is not running: .*backup_service.databases/, 'so does bk_verify()');
	$node->append_conf('postgresql.conf', "backup_service.databases = ''");
	$node->reload;
	is(short(heard(1)) =~ s/ \d+$//r, 'created waiting', 'a worker that comes sends them');
	is(value(q{SELECT string_agg(name, ' ' ORDER BY name) FROM bk_health() WHERE NOT ok AND name IN ('worker', 'notices')}), '', 'and all is well');
}
$listener->quit;
$node->stop;
done_testing();
