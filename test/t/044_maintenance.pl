# Does everything go on while a DBA rewrites, moves, reindexes and vacuums the tables under it?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = bk_start('maintenance', conf => "shared_preload_libraries = 'backup_service'\nallow_in_place_tablespaces = on\nbackup_service.cleanup_interval = 1s\n");
$node->safe_psql('postgres', bk_noise_function());
$node->safe_psql('postgres', q{CREATE TABLESPACE elsewhere LOCATION ''});
$node->safe_psql('postgres', q{
CREATE FUNCTION document(n int) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$ SELECT jsonb_build_object('n', n, 'text', bk_noise('n' || n / 5, CASE WHEN n % 7 = 0 THEN 100000 ELSE 1000 END)) $$;
SELECT FROM generate_series(1, 60) n, LATERAL bk_create('r' || n % 3, document(n), CASE n % 9 WHEN 1 THEN 'full' ELSE 'incremental' END, version => n::text, tags => '{"a": 1}');
SELECT bk_delete(10), bk_delete(20), bk_hold(5, 'h', 'r');
CREATE FUNCTION step(resource text, n int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	chosen bigint;
BEGIN
	PERFORM FROM bk_create(resource, document(n), CASE n % 9 WHEN 1 THEN 'full' ELSE 'incremental' END, version => n::text);
	SELECT backup_id INTO chosen FROM bk_list(resource, max_rows => 8) ORDER BY backup_id LIMIT 1;
	IF (bk_read(chosen) ->> 'n') IS NULL THEN RAISE 'no document'; END IF;
	IF bk_verify(chosen) ->> 'valid' <> 'true' THEN RAISE 'not valid'; END IF;
	IF n % 4 = 0 THEN
		BEGIN
			PERFORM bk_delete(chosen);
		EXCEPTION WHEN object_in_use THEN
			NULL;	-- a restore reads it
		END;
	END IF;
	IF n % 5 = 0 THEN PERFORM bk_restore_enqueue((SELECT backup_id FROM bk_list(resource, max_rows => 1)), 'restored'); END IF;
	RETURN 'done ' || n;
END $$});
my $everything = q{SELECT backup_id, resource_id, type, base_id, checksum, tags, bk_read(backup_id) FROM bk_backups ORDER BY backup_id};

sub sound
{
	my ($name) = @_;
	return is(bk_value($node, 'postgres', q{SELECT count(*) FILTER (WHERE bk_verify(backup_id) ->> 'valid' <> 'true'), count(*) FILTER (WHERE source IS DISTINCT FROM 'restore' AND bk_read(backup_id) <> document(version::int)) FROM bk_backups;
SELECT count(*) FROM bk_audit_verify()}), "0|0\n0", "$name: every backup is valid and what it was, the trail verifies");
}

my @tables = map { $_->[0] } bk_rows($node, 'postgres', q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'backup_service'::regnamespace AND relkind = 'r' ORDER BY 1});
my @indexes = map { $_->[0] } bk_rows($node, 'postgres', q{SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'backup_service'::regnamespace ORDER BY 1});
cmp_ok(scalar(@tables), '>', 10, 'the tables');
my @work = (
	(map { my $table = $_; map { "$_ $table" } 'VACUUM FULL', 'REINDEX TABLE', 'REINDEX TABLE CONCURRENTLY' } @tables),
	(map { my ($table) = bk_value($node, 'postgres', "SELECT indrelid::regclass FROM pg_index WHERE indexrelid = '$_'::regclass"); "CLUSTER $table USING " . s/.*\.//r } grep { /_pkey$/ } @indexes),
	(map { "ALTER TABLE $_ SET TABLESPACE elsewhere" } @tables), (map { "ALTER INDEX $_ SET TABLESPACE elsewhere" } @indexes),
	'REINDEX SCHEMA CONCURRENTLY backup_service', 'VACUUM (FREEZE, ANALYZE)', 'VACUUM FULL', 'ANALYZE');

# ----- At rest, in one session that keeps its plans, and another that looks.
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $before = $session->query("$everything;");
my $looked = 0;
for my $work (@work)
{
	my ($status, undef, $messages) = $node->psql('postgres', $work);
	is("$status$messages", '0', $work) if $status || $messages;
	next if $looked++ % bk_long(8, 1);
	my $after = $session->query("$everything;");
	ok($after eq $before, "$work: the same backups") or last if $after ne $before;
}
ok($session->query("$everything;") eq $before, 'after ' . @work . ' commands a session with old plans reads the same backups');
ok(bk_value($node, 'postgres', $everything) eq $before, 'and so does a new one');
is(bk_value($node, 'postgres', q{SELECT count(*) FROM pg_class c LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.relnamespace = 'backup_service'::regnamespace AND c.relkind IN ('r', 'i') AND t.spcname IS DISTINCT FROM 'elsewhere'}), 0, 'all tables and indexes have moved');
is(bk_value($node, 'postgres', q{SELECT attstorage FROM pg_attribute WHERE attrelid = 'backup_service.chunk'::regclass AND attname = 'data'}), 'e', 'payloads are still stored as they are');
like($session->query("SELECT step('r1', 1001);"), qr/done 1001/, 'the session writes');
sound('at rest');

# ----- A database that moves as a whole, while its worker is connected to it.
bk_database($node, 'moving');
$node->safe_psql('moving', q{SELECT FROM bk_create('r', '1')});
ok(bk_wait_for(30, sub { bk_value($node, 'postgres', q{SELECT count(*) FROM pg_stat_activity WHERE datname = 'moving'}) > 0 }), 'its worker is there');
$node->safe_psql('postgres', 'ALTER DATABASE moving SET TABLESPACE elsewhere');
is(bk_value($node, 'moving', 'SELECT bk_read(1); SELECT count(*) FROM bk_audit_verify()'), "1\n0", 'and leaves; all is there afterwards');
$node->safe_psql('postgres', 'DROP DATABASE moving');

# ----- Under load.
{
	local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
	my @clients = map {
		my $client = $_;
		my $script = $node->basedir . "/client$client";
		append_to_file("$script.sql", join '', map { "SELECT step('r$client', " . ($client * 10000 + $_) . ");\n" } 1 .. bk_long(60, 600));
		{ out => "$script.out", err => "$script.err", handle => IPC::Run::start([ 'psql', '-XAtq', '-f', "$script.sql", '-d', $node->connstr('postgres') ], '>', "$script.out", '2>', "$script.err") } } 0 .. 2;
	# Back to where they were, one after the other, while the clients work.  But for REINDEX TABLE: who holds a lock on a table and
	# wants one on its index deadlocks with whoever reads by the index and then writes, whatever the tables are.
	my @again = map { s/TABLESPACE elsewhere/TABLESPACE pg_default/r } grep { !/^REINDEX TABLE (?!CONCURRENTLY)/ } @work;
	@again = grep { /backup|chunk|resource|restore_operation|^VACUUM/ && !/_by_|backup_service\.(audit|answer|policy|notice|job|key)/ } @again unless bk_long(0, 1);
	my $failed = '';
	for my $work (@again)
	{
		my ($status, undef, $messages) = $node->psql('postgres', $work);
		$failed .= "$work: $messages\n" if $status;
	}
	$_->{handle}->finish for @clients;
	is($failed, '', @again . ' commands beside three clients');
	my $done = join '', map { slurp_file($_->{out}) } @clients;
	is(join('', map { slurp_file($_->{err}) } @clients), '', 'none of which met an error');
	is(scalar(() = $done =~ /^done/mg), 3 * bk_long(60, 600), 'they did all that they were to do');
	ok(bk_wait_for(60, sub { bk_value($node, 'postgres', q{SELECT count(*) FROM bk_operations WHERE status IN ('queued', 'running')}) eq '0' }), 'the worker has done its part');
	is(bk_value($node, 'postgres', q{SELECT string_agg(DISTINCT error, '; ') FROM bk_operations WHERE status = 'failed' AND error !~ '^backup \d+ does not exist$'}), '', 'and none has failed, but where the backup was deleted while it was queued');
	sound('under load');
}
$session->quit;

# ----- Its schemas stay where they are, and say so.
bk_fails($node, 'postgres', 'CREATE SCHEMA other; ALTER EXTENSION backup_service SET SCHEMA other', '0A000', qr/extension "backup_service" does not support SET SCHEMA/, 'ALTER EXTENSION SET SCHEMA');
bk_fails($node, 'postgres', 'DROP SCHEMA backup_service CASCADE', '2BP01', qr/cannot drop schema backup_service because extension backup_service requires it/, 'DROP SCHEMA backup_service');
bk_fails($node, 'postgres', 'DROP TABLE backup_service.chunk CASCADE', '2BP01', qr/because extension backup_service requires it/, 'DROP TABLE');
sound('at the end');
$node->stop;
done_testing();
