# What happens when the disk is full: a clear error, nothing half made, and everything goes on when there is space?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use FaultTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = fault_start('full', conf => "shared_preload_libraries = 'backup_service'\nautovacuum = off\nbackup_service.scrub_interval = 0\nbackup_service.cleanup_interval = 0\n");
my $secret = 'needle-in-the-haystack';
$node->safe_psql('postgres', bk_noise_function() . qq{
CREATE TABLE docs AS SELECT n, jsonb_build_object('n', n, 'secret', '$secret', 'text', bk_noise('n' || n, 400000)) AS d FROM generate_series(1, 6) n});

sub value { return bk_value($node, 'postgres', $_[0]); }

# Everything that a half made backup would leave somewhere.
my $rows = join ' UNION ALL ', map { "SELECT '$_', count(*), md5(string_agg(md5(t::text), ' ' ORDER BY t::text)) FROM backup_service.$_ t" } qw(resource key backup chunk snapshot restore_operation audit_event);

# The statement fails with 53100 in a session that goes on, and leaves nothing behind.
sub runs_out
{
	my ($statement, $name, $like) = @_;
	my $before = value($rows);
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my ($pid) = $session->query('BEGIN READ ONLY; SELECT pg_backend_pid(), bk_read(1) IS NULL; COMMIT;') =~ /(\d+)/;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return subtest $name => sub {
		$session->query('\set VERBOSITY verbose');
		$session->{stderr} = '';
		$session->query("$statement;");
		like($session->{stderr}, $like || qr/ERROR:  53100: could not extend file "[^"]*"[^\n]*: No space left on device/, 'says that the disk is full');
		is($session->query('BEGIN READ ONLY; SELECT bk_read(1) ->> $$n$$; COMMIT;'), '1', 'the session goes on');
		my $files = fault_files($pid);
		$session->query("$statement;") for 1 .. 5;
		is(fault_files($pid), $files, 'and leaves no file open, however often');
		$session->quit;
		is(value($rows), $before, 'nothing is half made');
	};
}

# ----- The first backup of all, which makes the key file.
{
	my $folder = $node->data_dir;
	fault_full($node, 'backup_service.key');
	my $messages = (bk_run($node, 'postgres', 'SELECT FROM bk_create($$r$$, (SELECT d FROM docs WHERE n = 1))'))[2];
	like($messages, qr/ERROR:  53100: could not write key file "[^"]*": No space left on device\nHINT:  See to the directory's rights and space/, 'no space for the key file');
	is(join(' ', glob "$folder/backup_service.key*"), '', 'no part of it is left');
	is(value('SELECT count(*) FROM backup_service.key; SELECT count(*) FROM backup_service.backup'), "0\n0", 'and neither key nor backup are noted');
	fault_space($node);
	is(value('SELECT backup_id, type FROM bk_create($$r$$, (SELECT d FROM docs WHERE n = 1))'), '1|full', 'with space there is a first backup');
}

# ----- Tables.
fault_full($node, '/base/');
runs_out("SELECT FROM bk_create('r', (SELECT d FROM docs WHERE n = 2))", 'a full backup');
runs_out("SELECT FROM bk_create('r', (SELECT d FROM docs WHERE n = 2), 'incremental')", 'an incremental one');
runs_out("SELECT FROM bk_create('new', (SELECT d FROM docs WHERE n = 3), compression => 'zstd')", 'a new resource');
# A read leaves a row in the audit trail, or it does not happen; one in a read-only transaction leaves a line in the log alone.
runs_out('SELECT bk_read(1)', 'a read that is recorded');
is(value("BEGIN READ ONLY; SELECT bk_read(1) ->> 'n', bk_verify(1) ->> 'valid', length(bk_export(1)) > 1000; COMMIT"), '1|true|t', 'a read-only transaction reads without space');
fault_space($node);
is(value("SELECT type, backup_id > 1 FROM bk_create('r', (SELECT d FROM docs WHERE n = 2), 'incremental')"), 'full|t', 'with space it goes on');
my $base = value("SELECT backup_id FROM bk_create('r', (SELECT d || '{\"more\": 1}' FROM docs WHERE n = 2), 'incremental')");
value('CHECKPOINT');

# Turning a delta into a full backup, by itself and when its base goes.
fault_full($node, '/base/');
runs_out("SELECT FROM bk_consolidate($base)", 'a consolidation');
runs_out("SELECT bk_delete(base_id) FROM bk_backups WHERE backup_id = $base", 'a deletion that makes another one full');
# An application's own transaction goes with it, and none of it is left.
runs_out("INSERT INTO docs SELECT 99, '{}'; BEGIN; INSERT INTO docs VALUES (100, '{}'); SELECT FROM bk_create('r', (SELECT d FROM docs WHERE n = 4)); COMMIT", 'a transaction of an application\'s');
is(value('SELECT count(*) FROM docs WHERE n = 100'), 0, 'is rolled back as a whole');
is(value(q{BEGIN READ ONLY; SELECT count(*) FROM bk_backups WHERE bk_verify(backup_id) ->> 'valid' <> 'true'; SELECT count(*) FROM bk_audit_verify(); COMMIT}), "0\n0", 'all backups are valid, and so is the trail');

# ----- The queue: an operation that finds no space is tried again.
{
	fault_space($node);
	fault_full($node, value(q{SELECT pg_relation_filepath(reltoastrelid) FROM pg_class WHERE oid = 'backup_service.chunk'::regclass}));
	my $operation = value("SELECT bk_restore_enqueue(1, 'restored')");
	ok(bk_wait_for(20, sub { value("SELECT attempts > 0 AND error ~ 'could not extend file' FROM bk_operations WHERE operation_id = $operation") eq 't' }), 'the worker says why it could not restore') or diag value("SELECT * FROM bk_operations");
	is(value("SELECT count(*) FROM bk_backups WHERE resource_id = 'restored'"), 0, 'and leaves no half restored backup');
	fault_space($node);
	ok(bk_wait_for(40, sub { value("SELECT status FROM bk_operations WHERE operation_id = $operation") eq 'completed' }), 'with space it is completed');
	is(value("SELECT bk_read(backup_id) = bk_read(1) FROM bk_backups WHERE resource_id = 'restored'"), 't', 'with the right document');
}
is(value("SELECT bk_delete(base_id) FROM bk_backups WHERE backup_id = $base; SELECT type FROM bk_backups WHERE backup_id = $base; SELECT bk_read($base) ->> 'n'"), "1\nfull\n2", 'and what had failed works');

# ----- Where the key file cannot grow.
fault_full($node, 'backup_service.key');
runs_out('SELECT bk_key_rotate()', 'a rotation without space for the new key', qr/ERROR:  53100: could not write key file "[^"]*": No space left on device/);
is(join(' ', map { s/.*\///r } glob $node->data_dir . '/backup_service.key*'), 'backup_service.key', 'leaves the key file as it is');
fault_space($node);
is(value("SELECT bk_key_rotate(); SELECT bk_read($base) ->> 'n'"), "2\n2", 'with space it rotates');

# ----- The archiver, which writes a file before it ships it.
{
	my $shipped = $node->basedir . '/shipped';
	mkdir $shipped or die;
	fault_full($node, 'backup_service_archive');
	value("ALTER SYSTEM SET backup_service.archive_command = 'cp %p $shipped/'; SELECT pg_reload_conf()");
	ok(bk_wait_for(40, sub { slurp_file($node->logfile) =~ /ERROR:  could not write file "backup_service_archive[^"]*": No space left on device/ }), 'an archive without space is said');
	is(join(' ', glob $node->data_dir . '/backup_service_archive/*/*'), '', 'no part of it is left');
	is(value('SELECT count(*) FROM bk_unarchived') - value('SELECT count(*) FROM bk_backups'), 0, 'nothing is marked');
	fault_space($node);
	ok(bk_wait_for(60, sub { value('SELECT count(*) FROM bk_unarchived') == 0 }), 'with space all are shipped');
	is(scalar(() = glob "$shipped/*"), value('SELECT count(*) FROM bk_backups'), 'each');
}
unlike(slurp_file($node->logfile), qr/$secret|[0-9a-f]{64}/, 'nothing of documents and keys is in the log');
is(value(q{SELECT count(*) FROM bk_backups WHERE bk_verify(backup_id) ->> 'valid' <> 'true'; SELECT count(*) FROM bk_audit_verify()}), "0\n0", 'at the end all is sound');
$node->stop;
done_testing();
