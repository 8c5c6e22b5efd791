# What does each function, view and refusal say on a streaming standby, and what becomes of it when it is promoted?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $worker = "shared_preload_libraries = 'backup_service'\nbackup_service.databases = 'none'\n";
my $primary = bk_start('source', allows_streaming => 1, conf => $worker);
$primary->safe_psql('postgres', q{
CREATE ROLE ann LOGIN IN ROLE backup_service_user;
CREATE ROLE tim LOGIN IN ROLE backup_service_auditor;
SET ROLE ann;
SELECT FROM generate_series(1, 8) i, LATERAL bk_create('r', jsonb_build_object('i', i, 'same', repeat('x', 3000)), CASE i WHEN 1 THEN 'full' ELSE 'incremental' END, tags => '{"env": "prod"}');
SELECT FROM bk_create('other', '[true]');
RESET ROLE;
SELECT bk_hold(1, 'case', 'why'), bk_policy_set('office', keep_last => 100), bk_policy_assign('r', 'office');
SELECT bk_restore(2), bk_restore_enqueue(3, 'restored');
SELECT bk_audit_seal()});
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
chmod 0600, bk_key_path($standby) or die;
$standby->append_conf('postgresql.conf', "backup_service.databases = ''\n");
$standby->start;

sub catch_up { $primary->wait_for_catchup($standby); return; }

# ----- Reading.  Every function that writes nothing, and every view, gives what the primary gives.
catch_up();
my @reads = (
	'SELECT bk_read(i) FROM generate_series(1, 9) i',
	'SELECT * FROM bk_list()', q{SELECT * FROM bk_list(tags => '{"env": "prod"}', type => 'incremental', before_id => 5)},
	'SELECT * FROM bk_operation_list()',
	'SELECT bk_diff(1, 8)', q{SELECT * FROM bk_history('r', 'i')}, q{SELECT md5(bk_export(4))}, q{SELECT length(bk_archive('r'))},
	q{SELECT bk_delta('{"a": 1}', '{"a": 2}')}, q{SELECT bk_apply('{"a": 1}', bk_delta('{"a": 1}', '{"a": 2}'))},
	q{SELECT * FROM bk_retention_explain('r')}, q{SELECT * FROM bk_prune('r', dry_run => true)}, q{SELECT * FROM bk_policy_simulate('r', keep_last => 1)},
	'SELECT * FROM bk_verify_keys()', 'SELECT * FROM bk_audit_verify()',
	q{SELECT bk_restore_wait(1)},
	(map { "SELECT * FROM $_ t ORDER BY t::text" } qw(bk_backups bk_resources bk_snapshots bk_holds bk_operations bk_policies bk_keys)),
	'SELECT resource_id, number, hash FROM bk_audit WHERE number IS NOT NULL ORDER BY 1, 2');
for my $read (@reads)
{
	is(eval { bk_value($standby, 'postgres', $read) } // $@, bk_value($primary, 'postgres', $read), $read);
}
is(bk_value($standby, 'postgres', q{SELECT bk_verify(i) - 'verifiedAt' FROM generate_series(1, 9) i GROUP BY 1}), '{"valid": true, "errors": [], "warnings": [], "checksumValid": true, "dataIntegrity": true, "structureValid": true}', 'bk_verify');
like(bk_value($standby, 'postgres', 'SELECT bk_metrics()'), qr/^backups_stored 9$/m, 'bk_metrics()');
is(bk_value($standby, 'postgres', 'SET ROLE ann; SELECT count(bk_read(backup_id)) FROM bk_backups'), 9, 'as the role that owns them');
is(bk_value($standby, 'postgres', 'SET ROLE tim; SELECT count(*) FROM bk_list(); SELECT count(*) > 9 FROM bk_audit; SELECT length(bk_metrics()) > 1000'), "9\nt\nt", 'and as an auditor');
bk_fails($standby, 'postgres', 'SET ROLE tim; SELECT bk_read(1)', '42501', qr/permission denied/, 'who reads no document here either');
is(bk_value($standby, 'postgres', q{SELECT backup_id FROM bk_list('r') b WHERE created_at <= (SELECT created_at FROM bk_backups WHERE backup_id = 4) ORDER BY created_at DESC LIMIT 1}), 4, 'the state of a moment is found by bk_list()');
bk_fails($standby, 'postgres', 'SELECT bk_read(999)', '42704', qr/backup 999 does not exist/, 'what is not there');

# ----- Writing is refused, each with what to do.
my @writes = (q{FROM bk_create('r', '1')}, 'bk_restore(1)', q{bk_restore_at('r', now())}, 'bk_delete(2)', 'FROM bk_consolidate(2)',
	q{bk_hold(2, 'x', 'y')}, q{bk_release(1, 'case')}, 'bk_restore_enqueue(1)', q{bk_restore_at_enqueue('r', now())}, 'bk_restore_cancel(2)',
	q{* FROM bk_prune('r')}, q{bk_policy_set('p', keep_last => 1)}, q{bk_policy_assign('r', 'gfs')}, q{bk_policy_drop('office')},
	q{bk_resource_drop('r')}, q{bk_owner_set('r', 'ann')}, 'bk_key_rotate()', 'bk_rekey()', 'bk_key_retire(1)', 'bk_key_copied(1)', 'bk_audit_seal()', 'bk_audit_trim(now())', 'bk_worker_start()', q{bk_archive_import('')}, '* FROM bk_distribute()');
for my $write (@writes)
{
	my ($function) = $write =~ /(bk_\w+)\(/;
	bk_fails($standby, 'postgres', "SELECT $write", '25006', qr/cannot execute $function\(\) in a read-only transaction\nHINT:  .*(primary|bk_read|dry_run|no standby)/, "refused: $write");
}
# None is forgotten: whatever is neither read above nor refused has another test.
{
	my %seen = map { $_ => 1 } join(' ', @reads, @writes, 'bk_verify( bk_metrics(', 'bk_health(') =~ /(bk_\w+)\(/g;
	my @missing = grep { !$seen{ $_->[0] } } bk_rows($primary, 'postgres', q{SELECT DISTINCT proname FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
		WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'bk\_%' AND prorettype <> 'trigger'::regtype ORDER BY 1});
	is(join(' ', map { $_->[0] } @missing), '', 'no function is left out');
}

# A transaction that began before a change keeps its view, also of what was deleted meanwhile.
{
	my $session = $standby->background_psql('postgres', on_error_stop => 1);
	$session->query_safe(q{SET max_parallel_workers_per_gather = 0});
	$session->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM bk_backups;');
	$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\n");
	$standby->reload;
	$primary->safe_psql('postgres', 'SELECT bk_delete(5)');
	catch_up();
	is($session->query_safe(q{SELECT bk_read(5) ->> 'i', bk_read(6) ->> 'i'}), '5|6', 'a transaction with an older view still reads what was deleted');
	$session->query_safe('COMMIT');
	is($session->query_safe(q{SELECT bk_read(6) ->> 'i'}), '6', 'and the next sees what became of its dependents');
	$session->quit;
	bk_fails($standby, 'postgres', 'SELECT bk_read(5)', '42704', qr/backup 5 does not exist/, 'the deleted one is gone');
}

# ----- A key version that was added on the primary: the standby has it when it is copied there.
$primary->safe_psql('postgres', q{SELECT bk_key_rotate(); SELECT FROM bk_create('r', '{"i": "rotated"}', 'full')});
my $rotated = bk_value($primary, 'postgres', 'SELECT max(backup_id) FROM bk_backups');
catch_up();
bk_fails($standby, 'postgres', "SELECT bk_read($rotated)", '58000', qr/does not hold master key version 2\n/, 'a version that the standby has not: it is named');
is(bk_value($standby, 'postgres', q{SELECT bk_read(1) ->> 'i'; SELECT string_agg(version || ' ' || available, ', ' ORDER BY version) FROM bk_verify_keys()}), "1\n1 true, 2 false", 'older backups can be read; bk_verify_keys() tells');
is(bk_value($standby, 'postgres', q{SELECT ok FROM bk_health() WHERE name = 'keys'}), 'f', 'and so does bk_health()');
unlink bk_key_path($standby) or die;
bk_fails($standby, 'postgres', 'SELECT bk_read(1)', '58000', qr/key file "\S*backup_service\.key" does not exist\nHINT:  Put the key file back/, 'without its key file: it is named');
append_to_file(bk_key_path($standby), slurp_file(bk_key_path($primary)));
chmod 0600, bk_key_path($standby) or die;
is(bk_value($standby, 'postgres', "SELECT bk_read($rotated) ->> 'i', bk_read(1) ->> 'i'"), 'rotated|1', 'the primary\'s file put there, both are read');
is(bk_value($standby, 'template1', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'backup_service worker%'}), 0, 'no worker works on a standby');

# ----- Promotion, with the primary lost in the middle of things.
my $highest = bk_value($primary, 'postgres', 'SELECT max(backup_id) FROM bk_backups');
my $everything = q{SELECT backup_id, resource_id, type, base_id, created_at, bk_read(backup_id) FROM bk_backups WHERE source IS DISTINCT FROM 'restore' ORDER BY backup_id};
my $expected = bk_value($primary, 'postgres', $everything);
my $open = $primary->background_psql('postgres', on_error_stop => 1);
$open->query_safe(q{BEGIN; SELECT FROM bk_create('r', '{"i": "never committed"}', 'incremental'), bk_create('half', '{}') h;});
$primary->safe_psql('postgres', 'CREATE TABLE flush_wal (n int)');
catch_up();
$primary->stop('immediate');
$open->{run}->kill_kill;
my $offset = -s $standby->logfile;
$standby->promote;
is(bk_value($standby, 'postgres', $everything) =~ s/x+/x/gr, $expected =~ s/x+/x/gr, 'promoted: every committed backup, and none that was not');
is(bk_value($standby, 'postgres', q{SELECT bk_restore_wait(operation_id, '20 s') FROM bk_operations WHERE operation_id = 2}), 'completed', 'its worker does the restore that was queued on the primary');
my $new = bk_value($standby, 'postgres', q{SET ROLE ann; SELECT backup_id || ' ' || type || ' ' || base_id FROM bk_create('r', '{"i": "promoted"}', 'incremental')});
my ($id) = $new =~ /^(\d+)/;
cmp_ok($id, '>', $highest, 'ids go on behind all that were given out');
is($new, "$id incremental $rotated", 'an incremental builds on the newest');
is(bk_value($standby, 'postgres', "SELECT bk_restore($id) ->> 'i', bk_restore_at('r', now()) ->> 'i'"), 'promoted|promoted', 'restores go on');
# nine, less the deleted one, the one after the rotation, the restored and the new one
is(bk_value($standby, 'postgres', q{SELECT count(*), count(DISTINCT backup_id), count(*) FILTER (WHERE bk_verify(backup_id) ->> 'valid' = 'true') FROM bk_backups}), '11|11|11', 'each id once, every backup valid');
is(bk_value($standby, 'postgres', 'SELECT bk_key_rotate(); SELECT bk_rekey() > 0; SELECT bk_audit_seal() >= 0; SELECT count(*) FROM bk_audit_verify()'), "3\nt\nt\n0", 'keys rotate, the trail verifies');
is(bk_value($standby, 'postgres', q{SELECT string_agg(name, ' ') FROM bk_health() WHERE critical AND NOT ok}), '', 'bk_health() is content');
$standby->stop;
done_testing();
