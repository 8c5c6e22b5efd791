# Does the catalog do all that it does on one machine when its tables are distributed over three nodes by bk_distribute()?
# Runs where Citus is installed (docs/scale-out.md); what else is so without it is in test/sql/distribute.sql.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WorkerTest;

# That of the server under test, which is not the system's.
my $share = qx(pg_config --sharedir);
chomp $share;
plan skip_all => 'Citus is not installed' unless -e "$share/extension/citus.control";

my $keys = PostgreSQL::Test::Utils::tempdir;
chmod 0700, $keys;

# A node, with Citus in database app unless that is to come later.  All have the same keys.
sub node
{
	my ($name, $libraries) = @_;
	my $node = bk_cluster($name, conf => <<END);
shared_preload_libraries = '$libraries'
listen_addresses = '127.0.0.1'
max_connections = 60
max_prepared_transactions = 60
max_worker_processes = 20
autovacuum = off
backup_service.key_file = '$keys/key'
citus.node_conninfo = 'sslmode=disable'
citus.local_hostname = '127.0.0.1'
citus.enable_statistics_collection = off
END
	$node->start;
	$node->safe_psql('postgres', 'CREATE DATABASE app');
	return $node;
}

# The worker, and so the launcher, is the coordinator's alone.
my $coordinator = node('coordinator', 'citus, backup_service');
my @workers = map { node("worker$_", 'citus') } 1, 2;
my @nodes = ($coordinator, @workers);
sub on { my ($node, $sql) = @_; return bk_value($node, 'app', $sql); }
sub coordinator { return on($coordinator, @_); }
sub fails { my ($node, @rest) = @_; local $Test::Builder::Level = $Test::Builder::Level + 1; return bk_fails($node, 'app', @rest); }

# The outgrown machine: a catalog with everything in it.
coordinator(q{
CREATE EXTENSION backup_service;
SELECT count(*) FROM generate_series(1, 30) n, LATERAL bk_create('old/' || n, jsonb_build_object('n', n, 'state', 1));
SELECT count(*) FROM generate_series(1, 30) n, LATERAL bk_create('old/' || n, jsonb_build_object('n', n, 'state', 2), 'incremental');
SELECT bk_policy_set('two', keep_last => 2);
SELECT bk_policy_assign(NULL, 'two', 'kept');
SELECT bk_hold(1, 'h', 'reason');
SELECT bk_restore(2);
SELECT bk_audit_seal();
});
my $everything = q{SELECT md5(string_agg(format('%s %s %s %s', backup_id, resource_id, type, bk_read(backup_id, resource_id)), ' ' ORDER BY backup_id)) FROM bk_list(max_rows => 1000)};
my $before = coordinator($everything);
fails($coordinator, 'SELECT * FROM bk_distribute()', '0A000', qr/cannot be distributed without Citus\nDETAIL:  This database has no extension citus\.\nHINT:  docs\/scale-out\.md/, 'without Citus it says why not');

on($_, 'CREATE EXTENSION citus') for @nodes;
coordinator(sprintf q{SELECT citus_set_coordinator_host('127.0.0.1', %d)}, $coordinator->port);
coordinator(sprintf q{SELECT citus_add_node('127.0.0.1', %d)}, $_->port) for @workers;
fails($coordinator, 'SELECT * FROM bk_distribute(0)', '22023', qr/shard_count must be from 1 to 64000\nDETAIL:  It is 0\./, 'a shard count is checked');
my $distribution = q{SELECT relation || ' ' || placement || ' ' || changed FROM bk_distribute()};
my @rows = split /\n/, coordinator($distribution);
my @distributed = qw(audit_checkpoint audit_event audit_unsealed backup chunk hold notice resource restore_operation snapshot);
my @reference = qw(key policy policy_assignment restore_total);
is_deeply([ sort @rows ], [ sort +(map { "backup_service.$_ distributed true" } @distributed), (map { "backup_service.$_ reference true" } @reference),
	(map { "backup_service.$_ local false" } qw(answer job)) ], 'bk_distribute() places every table');
is(coordinator(q{SELECT count(*) FROM pg_class WHERE relnamespace = 'backup_service'::regnamespace AND relkind = 'r' AND NOT relname ~ '_\d+$'}), scalar(@rows), 'and knows all of them');
is(coordinator("SELECT count(*) FROM bk_distribute() WHERE changed"), 0, 'a second call changes nothing');
is(coordinator(q{SELECT string_agg(split_part(logicalrelid::text, '.', 2), ' ' ORDER BY logicalrelid::text COLLATE "C") FROM pg_dist_partition WHERE partmethod = 'h' AND colocationid =
	(SELECT colocationid FROM pg_dist_partition WHERE logicalrelid = 'backup_service.resource'::regclass)}), "@distributed", 'the tables of resources lie beside each other');
is(coordinator(q{SELECT string_agg(split_part(logicalrelid::text, '.', 2), ' ' ORDER BY logicalrelid::text COLLATE "C") FROM pg_dist_partition WHERE partmethod = 'n'}), "@reference", 'the others on every node');
is(coordinator(q{SELECT count(*) FROM pg_dist_shard WHERE logicalrelid = 'backup_service.backup'::regclass}), 36, 'in 36 shards');
is(coordinator(q{SELECT pg_relation_size('backup_service.chunk') + pg_relation_size('backup_service.backup') + pg_relation_size('backup_service.key')}), 0, 'nothing is left in the tables themselves');
fails($workers[0], 'SELECT * FROM bk_distribute()', '55000', qr/distributed from the coordinator.*HINT:  Call bk_distribute\(\) on the coordinator/s, 'it is for the coordinator');

# All that was there is there, on each node.
is(on($_, $everything), $before, $_->name . ' reads what there was') for @nodes;

# Reads of several statements are of one moment at REPEATABLE READ alone, so trails are verified there.
# Everything, from each node.  Each line is one call and what it gives; ID is the id of the first backup, AT a moment after all.
sub calls
{
	my ($node, $name, $first_id) = @_;
	my $is = sub { my ($sql, $expected, $says) = @_; local $Test::Builder::Level = $Test::Builder::Level + 1; return is(on($node, $sql), $expected, $node->name . ": $says"); };
	$is->("SELECT type FROM bk_create('$name', '{\"a\": $_->[0], \"l\": [1, 2, 3]}', '$_->[1]', tags => '{\"k\": \"v\"}')", $_->[1], "makes a backup: $_->[1]") for [ 1, 'full' ], [ 2, 'incremental' ], [ 3, 'differential' ], [ 4, 'incremental' ];
	$is->("SELECT stored_size > 1000000 FROM bk_create('$name', (SELECT jsonb_agg(md5(i::text)) FROM generate_series(1, 40000) i), compression => 'none')", 't', 'one of many chunks');
	$is->("SELECT type FROM bk_create('$name', '{\"a\": 5}', 'incremental', retention => '1 day')", 'incremental', 'and on top of it');
	my @ids = split /\n/, on($node, "SELECT backup_id FROM bk_list('$name') ORDER BY created_at");
	ok(!(grep { $_ < $first_id || $_ >= $first_id + 1e12 } @ids), $node->name . ': ids are of its range') or diag("@ids");
	$is->("SELECT bk_read($ids[3])", '{"a": 4, "l": [1, 2, 3]}', 'reads one by its id alone');
	$is->("SELECT bk_read($ids[5], '$name')", '{"a": 5}', 'or beside its resource');
	$is->("SELECT bk_restore($ids[2]) ->> 'a'", 3, 'restores');
	$is->("SELECT bk_restore_at('$name', clock_timestamp()) ->> 'a'", 5, 'and as of a time');
	$is->("SELECT bk_verify($_) ->> 'valid'", 'true', 'verifies') for @ids[3, 4];
	$is->("SELECT count(*) FROM bk_operation_list('$name')", 2, 'lists operations');
	$is->("SELECT string_agg(value::text, ' ' ORDER BY created_at) FROM bk_history('$name', 'a')", '1 2 3 4 5', 'shows a value through time');
	$is->("SELECT bk_diff($ids[0], $ids[1]) -> 'changes' -> 0 ->> 'key'", 'a', 'shows a difference');
	$is->("SELECT get_byte(bk_export($ids[1]), 0)", 31, 'exports');
	$is->("SELECT bk_archive_import(bk_archive('$name'), '$name/copy')", 6, 'makes an archive, and imports it');
	$is->("SELECT bk_restore_at('$name/copy', clock_timestamp()) ->> 'a'", 5, 'with the same state');
	$is->("SELECT bk_hold($ids[0], 'h', 'because')", '', 'holds');
	fails($node, "SELECT bk_delete($ids[0])", '55006', qr/backup $ids[0] is held/, $node->name . ': what is held stays');
	$is->("SELECT bk_release($ids[0], 'h')", '', 'releases');
	$is->("SELECT bk_delete($ids[0])", 1, 'deletes one that others build on');
	$is->("SELECT string_agg(type, ' ' ORDER BY created_at) FROM bk_list('$name')", 'full full incremental full incremental', 'which became full');
	$is->("SELECT type FROM bk_consolidate($ids[5])", 'full', 'consolidates');
	$is->("SELECT bk_delete($ids[2], 'cascade')", 2, 'deletes with what builds on it');
	$is->("SELECT string_agg(bk_read(backup_id, resource_id) ->> 'a', ' ' ORDER BY created_at) FROM bk_list('$name') WHERE size < 1000", '2 5', 'the others can still be read');
	$is->("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM bk_audit_verify('$name'); COMMIT", 0, 'verifies the trail');

	# Retention.
	$is->("SELECT bk_policy_set('$name', keep_last => 2); SELECT bk_policy_assign('$name', '$name'); SELECT string_agg(action, ' ' ORDER BY created_at) FROM bk_retention_explain('$name')", "\n\ngo keep keep", 'retention says what goes');
	$is->("SELECT string_agg(action, ' ' ORDER BY backup_id) FROM bk_prune('$name', true)", 'expire keep keep', 'a dry run');
	$is->("SELECT string_agg(action, ' ' ORDER BY backup_id) FROM bk_prune('$name')", 'expire keep keep', 'and it goes');
	$is->("SELECT bk_policy_assign('$name', NULL); SELECT bk_policy_drop('$name'); SELECT backups FROM bk_resources WHERE resource_id = '$name'", "\n\n2", 'the policy too');
	fails($node, "SELECT bk_restore_at('$name', '2000-01-01')", '42704', qr/HINT:  .*[Nn]earest/s, $node->name . ': a time before all');
	$is->("SELECT count(*) FROM bk_backups WHERE backup_id = $ids[5]", 1, 'the view finds one by its id');
	$is->("SELECT count(*) FROM bk_$_", on($coordinator, "SELECT count(*) FROM bk_$_"), "bk_$_ is as on the coordinator") for qw(backups resources snapshots operations keys holds policies unarchived audit);
	like(on($node, 'SELECT bk_metrics()'), qr/^backups_stored \d+$/m, $node->name . ': metrics');
	$is->("SELECT string_agg(name, ' ') FROM bk_health() WHERE critical AND NOT ok AND name <> 'worker'", '', 'nothing critical');

	# Transactions.
	$is->("BEGIN; SELECT type FROM bk_create('$name', '1'); SAVEPOINT s; SELECT type FROM bk_create('$name', '2', 'incremental'); ROLLBACK TO s; SELECT type FROM bk_create('$name/x', '2', 'incremental');
		SELECT bk_restore_at('$name', 'infinity'); ROLLBACK; SELECT count(*) FROM bk_list('$name')", "full\nincremental\nfull\n1\n2", 'its work is seen in its transaction, and taken back');
	$is->("SELECT bk_resource_drop('$name/copy')", 6, 'drops a resource');
	return;
}
calls($nodes[$_], "new/$_", $_ == 0 ? 1 : on($nodes[$_], 'SELECT groupid * 1000000000000 + 1 FROM pg_dist_local_group')) for 0 .. 2;

# Two nodes write to one resource, each time on top of what the other has made.
coordinator(q{SELECT type FROM bk_create('both', '{"made": 0}')});
my @sessions = map { $_->background_psql('app', on_error_stop => 0) } @nodes;
for my $turn (1 .. 10)
{
	for my $i (0 .. $#sessions) { $sessions[$i]->query_safe(qq{SELECT type FROM bk_create('both', '{"made": $turn, "by": $i}', 'incremental')}); }
}
is(coordinator(q{SELECT count(*) FROM bk_list('both') b WHERE bk_verify(backup_id, resource_id) ->> 'valid' = 'true'}), 31, 'nodes that write to one resource in turn leave a chain');
my @makers = map { my $node = $_; IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('app') ], '<',
	\(join "\n", map { qq{SELECT FROM bk_create('both', '{"made": $_, "at": "@{[ $node->name ]}"}', 'incremental');} } 1 .. 15), '>', \my $out, '2>', \my $err) } @nodes;
is(scalar(grep { $_->finish } @makers), 3, 'and at once');
is(coordinator(q{SELECT count(*) || ' ' || count(DISTINCT created_at) FROM bk_list('both', max_rows => 1000) b WHERE bk_verify(backup_id, resource_id) ->> 'valid' = 'true'}), '76 76', 'a sound one, in an order');
is(coordinator(q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM bk_audit_verify('both'); COMMIT}), 0, 'with its trail');

# Keys: what is rotated on one node holds for sessions of all.
is(coordinator('SELECT bk_key_rotate()'), 2, 'the key is rotated');
is($sessions[$_]->query_safe(q{SELECT key_version FROM bk_create('both', '1')}), 2, $nodes[$_]->name . ': an open session uses the new one') for 0 .. 2;
cmp_ok(on($workers[0], 'SELECT bk_rekey(100000)'), '>', 100, 'a worker node re-wraps');
is(coordinator('SELECT bk_key_retire(1)'), '', 'the old one is retired');
is(on($_, $everything . ' WHERE resource_id LIKE \'old/%\''), $before, $_->name . ' reads all with it') for @nodes;
$_->quit for @sessions;

# Rights: a role of the application's, through each node, with nothing but its membership.
coordinator(q{CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; GRANT backup_service_user TO alice, bob});
for my $node (@nodes)
{
	my $name = 'alice/' . $node->name;
	is(on($node, "SET ROLE alice; SELECT type FROM bk_create('$name', '1'); SELECT bk_restore_at('$name', 'infinity'); SELECT count(*) FROM bk_list('$name')"), "full\n1\n1", $node->name . ': a user makes, restores, lists');
	fails($node, "SET ROLE bob; SELECT bk_create('$name', '1')", '42501', qr/permission denied for resource/, $node->name . ': nobody else does');
	is(on($node, "SET ROLE bob; SELECT count(*) FROM bk_list('$name')"), 0, $node->name . ': or sees it');
	fails($node, 'SET ROLE alice; SELECT count(*) FROM backup_service.backup', '42501', qr/permission denied for schema/, $node->name . ': the tables are nobody\'s');
	fails($node, 'SET ROLE alice; SELECT bk_distribute()', '42501', qr/permission denied for function/, $node->name . ': bk_distribute() is not for users');
}
is(coordinator('SET ROLE backup_service_operator; SELECT count(*) FROM bk_distribute() WHERE changed'), 0, 'but for operators');

# The worker, whoever asks.
my $operation = on($workers[1], q{SELECT bk_restore_at_enqueue('both', 'infinity', 'queued')});
cmp_ok($operation, '>', 1e12, 'an operation\'s id is of its node\'s range');
is(on($workers[1], "SELECT bk_restore_wait($operation, '60 s')"), 'completed', 'the coordinator\'s worker does what is asked on another node');
is(on($workers[0], q{SELECT bk_restore_at('queued', 'infinity')}), '1', 'which has the new backup');
on($workers[0], q{SELECT bk_read(1)});
ok(bk_wait_for(30, sub { coordinator('SELECT count(*) FROM bk_audit WHERE number IS NULL') == 0 }), 'it chains the events of reads on all nodes');
ok(bk_wait_for(30, sub { coordinator('SELECT count(*) FROM backup_service.notice') == 0 }), 'and sends notices');
is(coordinator('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM bk_audit_verify(); COMMIT'), 0, 'the whole trail verifies');
is(on($workers[1], 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM bk_audit_verify(); COMMIT'), 0, 'on each node');
ok(coordinator('SELECT bk_audit_trim(now())') > 100, 'it is trimmed');
is(on($workers[0], 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM bk_audit_verify(); COMMIT'), 0, 'and verifies');
coordinator(q{SELECT bk_policy_assign(NULL, 'two')});
# The worker cleans up too; where the two wait for each other, Citus ends one of them.
ok(bk_wait_for(60, sub { my ($status) = bk_run($coordinator, 'app', 'SELECT count(*) FROM bk_prune()', on_error_stop => 1); return $status == 0 }), 'retention, beside the worker\'s');
is(coordinator(q{SELECT max(backups) FROM bk_resources WHERE resource_id NOT IN (SELECT resource_id FROM bk_holds)}), 2, 'retention goes through all resources');

# Over HTTP, on the coordinator: the answer that is kept is local, the backup is not.
my $post = q{SELECT backup_service_api.backups_create('{"resourceId": "http", "data": {"a": 1}}') ->> 'resourceId'};
my $user = q{SET ROLE alice; SELECT };
my $made = coordinator($user . q{backup_service_api.backups_create('{"resourceId": "alice/http", "data": {"a": 1}}') ->> 'id'});
is(coordinator("$user backup_service_api.backups_get('$made') ->> 'resourceId'"), 'alice/http', 'the API shows a user the backup');
is(coordinator("$user backup_service_api.backups_list('resourceId=alice/http') -> 0 ->> 'id'"), $made, 'lists it');
is(coordinator("$user backup_service_api.backups_verify('$made') ->> 'valid'"), 'true', 'verifies it');
is(coordinator($user . qq{backup_service_api.restores_create('{"backupId": "$made"}') ->> 'data'}), '{"a": 1}', 'restores it');
my $waits = coordinator($user . qq{backup_service_api.restores_create('{"backupId": "$made", "async": true}') -> 'operation' ->> 'id'});
is(coordinator("$user backup_service_api.operations_get('$waits') ->> 'resourceId'"), 'alice/http', 'and its restore');
is(coordinator("$user FROM backup_service_api.backups_delete('$made')"), '', 'deletes it');
is(coordinator(qq{SELECT set_config('request.headers', '{"idempotency-key": "k"}', false) IS NULL; $post; $post; SELECT count(*) FROM bk_list('http')}), "f\nhttp\nhttp\n1", 'the API makes a backup once');

# A dump would be lost if ids met again: the ranges are what they were, and found again where they are not.
for my $node (@nodes)
{
	my $group = on($node, 'SELECT groupid FROM pg_dist_local_group');
	my $last = on($node, 'SELECT last_value FROM backup_service.backup_backup_id_seq');
	on($node, q{SELECT setval('backup_service.backup_backup_id_seq', 5000000000000)});
	is(coordinator('SELECT count(*) FROM bk_distribute() WHERE changed'), 0, 'bk_distribute() once more');
	my $id = on($node, q{SELECT backup_id FROM bk_create('again', '1')});
	ok($id > $group * 1e12 && $id < ($group + 1) * 1e12, $node->name . ' has its range again') or diag($id);
	is(coordinator("SELECT count(*) FROM bk_list('again') WHERE backup_id = $id"), 1, 'and no id twice');
}

# Limits that docs/scale-out.md prints.
$coordinator->safe_psql('app', q{CREATE TABLE orders (id text PRIMARY KEY, v int); SELECT create_distributed_table('orders', 'id'); INSERT INTO orders VALUES ('o1', 1), ('o2', 2); GRANT ALL ON orders TO alice});
is(coordinator(q{SET ROLE alice; BEGIN; UPDATE orders SET v = 3 WHERE id = 'o1'; SELECT type FROM bk_create('order/o1', '3'); COMMIT}), 'full', 'a distributed table of the application\'s and a backup in one transaction (4f)');
isnt(coordinator(q{SELECT colocationid FROM pg_dist_partition WHERE logicalrelid = 'orders'::regclass}), coordinator(q{SELECT colocationid FROM pg_dist_partition WHERE logicalrelid = 'backup_service.resource'::regclass}), 'which does not lie beside ours');
fails($coordinator, 'SELECT bk_create(id, to_jsonb(o)) FROM orders o', 'XX000', qr/cannot execute a distributed query from a query on a shard/, 'not for each row of a distributed table (4h)');
is(coordinator(q{DO $$ DECLARE o orders; BEGIN FOR o IN SELECT * FROM orders LOOP PERFORM bk_create('order/' || o.id, to_jsonb(o)); END LOOP; END $$; SELECT count(*) FROM bk_list() WHERE resource_id LIKE 'order/%'}), 3, 'but in a loop');
is(coordinator(q{SELECT count(bk_read(backup_id, resource_id)) FROM bk_list('order/o1')}), 2, 'and over a list');

# An update, from the coordinator; test/modules/upgrade_test has the script.
my $version = coordinator(q{SELECT extversion FROM pg_extension WHERE extname = 'backup_service'});
coordinator("ALTER EXTENSION backup_service UPDATE TO '$version-next'");
is(on($_, q{SELECT extversion FROM pg_extension WHERE extname = 'backup_service'}), "$version-next", $_->name . ' is updated') for @nodes;
is(on($_, q{SELECT count(DISTINCT next_label) || ' ' || bk_next() FROM backup_service.backup}), '1 next', $_->name . ' has the column and the function') for @nodes;
is(on($_, q{SELECT keep_last FROM backup_service.policy WHERE name = 'daily'}), 8, $_->name . ' has the row') for @nodes;
is(on($_, q{SELECT type FROM bk_create('updated', '1', 'incremental')}) =~ /full|incremental/, 1, $_->name . ' goes on') for @nodes;

# The end.
fails($coordinator, 'DROP EXTENSION backup_service', '2BP01', qr/cannot drop extension backup_service because other objects depend on it/, 'DROP EXTENSION alone is refused');
my ($status, undef, $messages) = bk_run($coordinator, 'app', 'DROP EXTENSION backup_service CASCADE');
is($status, 0, 'with CASCADE it goes') or diag($messages);
is(on($_, q{SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'backup_service%'}), 0, $_->name . ' has nothing left') for @nodes;
is(coordinator(q{SELECT count(*) FROM pg_dist_partition}), 1, 'nor the metadata, but for the application\'s table');
$_->stop for @nodes;
done_testing();
