# Does a catalog come back from pg_dump, pg_restore and pg_dumpall as it was: documents, ids, trail, holds, policies, queue?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = bk_start('dump');
my $place = $node->basedir;

# A catalog with something of everything, of several roles.
$node->safe_psql('postgres', q{
CREATE ROLE ann LOGIN IN ROLE backup_service_user;
CREATE ROLE "Ben's" LOGIN IN ROLE backup_service_user;
CREATE TABLE public.orders (id int PRIMARY KEY);
INSERT INTO public.orders VALUES (1);
SET ROLE ann;
SELECT FROM generate_series(1, 3) r, generate_series(1, 12) i, LATERAL bk_create('ann' || r, jsonb_build_object('i', i, 'text', repeat(md5(r || 'x' || i / 4), 200)),
	CASE i % 6 WHEN 1 THEN 'full' WHEN 4 THEN 'differential' ELSE 'incremental' END, resource_type => 't' || r % 2,
	compression => (ARRAY['gzip', 'zstd', 'none'])[r], encrypt => r <> 3, retention => CASE r WHEN 1 THEN interval '1 year' END, version => i::text, tags => jsonb_build_object('n', i));
RESET ROLE;
SELECT bk_key_rotate();
SET ROLE "Ben's";
SELECT FROM bk_create('é', '{"ü": 1}'), bk_create('é', '{"ü": 2}', 'incremental') i;
RESET ROLE;
SELECT bk_rekey(5);
SELECT bk_delete(3), bk_delete(14, 'cascade');
SELECT FROM bk_consolidate(6);
SELECT bk_hold(10, 'case 7', 'a reason'), bk_hold(11, 'until', 'r', '2099-01-01');
SELECT bk_policy_set('office', keep_weekly => 9, time_zone => 'Europe/Berlin'), bk_policy_assign(NULL, 'gfs'), bk_policy_assign(NULL, 'office', 't0'), bk_policy_assign('ann2', 'office');
SELECT bk_restore(20), bk_read(21);
SELECT bk_restore_enqueue(20, 'restored'), bk_restore_cancel(bk_restore_enqueue(21));
SELECT FROM bk_create('gone', '1');
SELECT bk_resource_drop('gone');
SELECT bk_audit_seal();
SELECT bk_read(22);
SELECT bk_verify(5)});
# An answer that is kept for a request that may be sent again.
$node->safe_psql('postgres', q{INSERT INTO backup_service.answer SELECT 'ann', 'k1', now(), '\x00', '\x00', 1, 'kept', '\x00'});

# Reads leave events behind, so the trail is looked at before them.
my $state = q{
SELECT resource_id, number, at, action, outcome, role, backup_id, detail, hash FROM bk_audit ORDER BY resource_id COLLATE "C", number NULLS LAST, at;
SELECT backup_id, resource_id, resource_type, type, status, base_id, size, stored_size, checksum, key_version, tags, source, version, created_by, created_at, expires_at, verified_at FROM bk_backups ORDER BY backup_id;
SELECT resource_id, resource_type, owner, policy, backups_made, created_at FROM bk_resources ORDER BY resource_id;
SELECT * FROM bk_snapshots ORDER BY resource_id, created_at;
SELECT * FROM bk_holds ORDER BY backup_id, name;
SELECT * FROM bk_operations ORDER BY operation_id;
SELECT name, keep_weekly, time_zone, ready_made, resource_types FROM bk_policies ORDER BY name;
SELECT * FROM bk_keys ORDER BY version;
SELECT backup_id, bk_read(backup_id) FROM bk_backups ORDER BY backup_id;
SELECT count(*) FROM bk_audit_verify()};
my %next = map { $_ => 1 + bk_value($node, 'postgres', "SELECT last_value FROM backup_service.$_") } qw(backup_backup_id_seq restore_operation_operation_id_seq);
my $before;

# What is dumped is what is there now, with the events of the reads so far.
sub run_dump
{
	my ($name, @options) = @_;
	system('rm', '-rf', "$place/$name");
	$node->command_ok([ 'pg_dump', @options, '-f', "$place/$name", '-d', $node->connstr('postgres') ], "pg_dump @options");
	return "$place/$name";
}

# Into a database: by psql or by pg_restore.
sub run_restore
{
	my ($database, $file, @options) = @_;
	my @command = $file =~ /\.sql$/ ? ('psql', '-Xq', '-v', 'ON_ERROR_STOP=1', @options, '-f') : ('pg_restore', '--exit-on-error', @options);
	return $node->command_ok([ @command, ($file =~ /\.sql$/ ? ($file, '-d', $node->connstr($database)) : ('-d', $node->connstr($database), $file)) ], "restored into $database: @options");
}

my @copies;

sub new_database
{
	my ($name) = @_;
	push @copies, $name;
	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0");
	return $name;
}

# A copy is what the original was, and goes on.
sub is_whole
{
	my ($database, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return subtest $name => sub {
		my $after = bk_value($node, $database, $state);
		ok($after eq $before, 'every event, backup, resource, point, hold, operation, policy, key and document; the trail verifies')
		  or diag(join "\n", grep { my $line = $_; index("\n$before\n", "\n$line\n") < 0 } split /\n/, $after);
		is(bk_value($node, $database, q{SELECT count(*) FROM bk_backups WHERE bk_verify(backup_id) ->> 'valid' <> 'true'}), 0, 'every backup is valid');
		is(bk_value($node, $database, 'SELECT count(*) FROM backup_service.answer'), 0, 'kept answers stay behind');
		is(bk_value($node, $database, q{SELECT backup_id, type, base_id FROM bk_create('ann1', '{"i": "after"}', 'incremental')}), "$next{backup_backup_id_seq}|incremental|12", 'the next backup has the next id, and builds on the newest');
		is(bk_value($node, $database, q{SELECT bk_restore_enqueue(20, 'again')}), $next{restore_operation_operation_id_seq}, 'the next operation has the next id');
		is(bk_value($node, $database, q{SET ROLE ann; SELECT count(*), count(bk_read(backup_id)) FROM bk_backups}), bk_value($node, $database, q{SELECT count(*), count(*) FROM bk_backups WHERE resource_id LIKE 'ann%'}), 'a role has what is its own');
		bk_fails($node, $database, 'SELECT bk_delete(10)', '55006', qr/is held/, 'a hold holds');
		is(bk_value($node, $database, q{SELECT bk_delete(1); SELECT count(*) FROM bk_audit_verify()}), "1\n0", 'deleting, and the trail of it');
	};
}

# What a psql makes of the state: the reads that this makes are taken away again.
$before = bk_value($node, 'postgres', "BEGIN; $state; ROLLBACK");

# ----- The whole database, in every format.
is_whole(do { run_restore(new_database('plain'), run_dump('plain.sql')); 'plain' }, 'plain');
is_whole(do { run_restore(new_database('inserts'), run_dump('inserts.sql', '--inserts', '--no-owner')); 'inserts' }, 'plain, as INSERTs, without owners');
my $custom = run_dump('custom', '-Fc');
is_whole(do { run_restore(new_database('custom'), $custom); 'custom' }, 'custom');
my $directory = run_dump('directory', '-Fd', '--jobs=3');
is_whole(do { run_restore(new_database('directory'), $directory, '--jobs=3'); 'directory' }, 'directory, in parallel');
if (bk_long(0, 1))
{
	is_whole(do { run_restore(new_database('once'), $custom, '--single-transaction'); 'once' }, 'custom, in one transaction');
	is_whole(do { run_restore(new_database('tar'), run_dump('tar', '-Ft')); 'tar' }, 'tar');
}

# ----- Over what is there: --clean drops the extension with all that it has, and says so.
run_restore('custom', $custom, '--clean');
is_whole('custom', 'custom over an older copy, --clean');
run_restore('plain', run_dump('clean.sql', '--clean', '--if-exists'));
is_whole('plain', 'plain over an older copy, --clean --if-exists');

# Without --clean nothing is mixed: the first row that is there already ends it.
{
	my $rows = bk_value($node, 'directory', 'SELECT count(*) FROM bk_backups');
	$node->command_fails_like([ 'pg_restore', '--exit-on-error', '--single-transaction', '-d', $node->connstr('directory'), $directory ], qr/already exists/, 'over what is there without --clean');
	is(bk_value($node, 'directory', 'SELECT count(*) FROM bk_backups'), $rows, 'changes nothing');
	$node->command_fails_like([ 'pg_restore', '--exit-on-error', '--single-transaction', '--data-only', '-n', 'backup_service', '-d', $node->connstr('directory'), $directory ], qr/duplicate key value/, 'nor do the rows alone');
	is(bk_value($node, 'directory', "SELECT count(*) FROM bk_backups; SELECT count(*) FROM bk_audit_verify()"), "$rows\n0", 'mix with those that are there');
}

# ----- Schema and rows apart.
run_restore(new_database('apart'), run_dump('schema.sql', '--schema-only'));
is(bk_value($node, 'apart', q{SELECT count(*) FROM bk_backups; SELECT count(*) FROM bk_audit_verify(); SELECT count(*) FROM bk_policies}), "0\n0\n5", '--schema-only is an empty catalog');
run_restore('apart', run_dump('data.sql', '--data-only'));
is_whole('apart', 'and --data-only fills it');
run_restore(new_database('apart2'), $custom, '--schema-only');
run_restore('apart2', $custom, '--data-only', '--jobs=2');
is_whole('apart2', 'the same from a custom dump, in parallel');

# ----- Selected schemas.  Schema backup_service belongs to the extension, so that pg_dump -n finds nothing to dump in it.
my $nothing = run_dump('nothing.sql', '-n', 'backup_service');
unlike(slurp_file($nothing), qr/^(CREATE|COPY|INSERT|ALTER)/m, '-n backup_service: nothing');
# Who names the tables gets their rows, and makes the extension before them.
my $tables = run_dump('tables.sql', '-t', 'backup_service.*');
unlike(slurp_file($tables), qr/^CREATE/m, '-t backup_service.*: rows alone');
$node->command_fails_like([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $tables, '-d', $node->connstr(new_database('tables')) ], qr/schema "backup_service" does not exist/, 'which cannot go where the extension is not');
# whose functions may be in another schema then
$node->safe_psql('tables', 'CREATE SCHEMA other; GRANT USAGE ON SCHEMA other TO PUBLIC; CREATE EXTENSION backup_service SCHEMA other; ALTER DATABASE tables SET search_path = other, public');
run_restore('tables', $tables, '--single-transaction');
is_whole('tables', '-t backup_service.* into a new extension, in another schema');

# pg_dump -n public makes the schema, which every database has: the one error that is met.
sub restore_with_schema
{
	my ($database, $file) = @_;
	IPC::Run::run([ 'psql', '-Xq', '-f', $file, '-d', $node->connstr($database) ], '>', \my $output, '2>', \my $messages);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return like($messages, qr/\A\S+ ERROR:  schema "public" already exists\n\z/, "restored into $database");
}

# The application's schema has the functions' names, but neither extension nor rows.
my $public = run_dump('public.sql', '-n', 'public');
unlike(slurp_file($public), qr/backup_service|bk_/, '-n public: nothing of the catalog');
restore_with_schema(new_database('public1'), $public);
is(bk_value($node, 'public1', q{SELECT count(*) FROM orders; SELECT count(*) FROM pg_extension WHERE extname = 'backup_service'}), "1\n0", 'is the application alone');
my $both = run_dump('both.sql', '-n', 'public', '-e', 'backup_service');
restore_with_schema(new_database('all_of_it'), $both);
is_whole('all_of_it', '-n public -e backup_service: with the whole catalog');
my $alone = run_dump('alone.sql', '-e', 'backup_service', '-n', 'backup_service');
run_restore(new_database('alone'), $alone);
is_whole('alone', '-e backup_service -n backup_service: the catalog alone');
is(bk_value($node, 'alone', q{SELECT to_regclass('orders') IS NULL}), 't', 'without the application');
my $without = run_dump('without.sql', '-N', 'backup_service');
run_restore(new_database('without'), $without);
is(bk_value($node, 'without', q{SELECT count(*) FROM bk_backups; SELECT count(*) FROM orders}), "0\n1", '-N backup_service: an empty catalog beside the application');

# ----- A cluster: roles, database and all.  The key file is not moved at first.
{
	my $file = "$place/all.sql";
	$node->command_ok([ 'pg_dumpall', '-f', $file, map { "--exclude-database=$_" } @copies ], 'pg_dumpall');
	my $other = bk_cluster('other');
	$other->start;
	IPC::Run::run([ 'psql', '-Xq', '-f', $file, '-d', $other->connstr('postgres') ], '2>', \my $messages);
	is(join("\n", grep { !/role "[^"]*" already exists/ } split /\n/, $messages), '', 'is restored into a new cluster');
	my $key = bk_key_path($other);
	for my $statement ('SELECT bk_read(20)', 'SELECT bk_restore(20)', q{SELECT FROM bk_create('ann1', '1')}, q{SELECT FROM bk_create('new', '1')}, 'SELECT bk_key_rotate()')
	{
		bk_fails($other, 'postgres', $statement, '58000', qr/key file "\Q$key\E" does not exist\nHINT:  Put the key file back/, "without the key file: $statement");
	}
	is(bk_value($other, 'postgres', q{SELECT string_agg(version || ' ' || available || ' ' || problem, ', ') FROM bk_verify_keys(); SELECT ok, detail ~ 'does not exist' FROM bk_health() WHERE name = 'keys'}),
		"1 false key file \"$key\" does not exist, 2 false key file \"$key\" does not exist\nf|t", 'bk_verify_keys() and bk_health() name it');
	is(bk_value($other, 'postgres', q{SELECT bk_verify(20) ->> 'valid'}) , 'false', 'bk_verify() does not call it valid');
	ok(!-e $key, 'no other is made');

	# another cluster's key
	my $foreign = bk_start('foreign');
	$foreign->safe_psql('postgres', q{SELECT FROM bk_create('r', '1'); SELECT bk_key_rotate()});
	append_to_file($key, slurp_file(bk_key_path($foreign)));
	chmod 0600, $key or die;
	$foreign->stop;
	bk_fails($other, 'postgres', 'SELECT bk_read(20)', '58000', qr/key version \d is not the key that this catalog was written with/, 'with another cluster\'s key file');
	unlink $key or die;
	append_to_file($key, slurp_file(bk_key_path($node)) =~ s/^2:.*\n//mr);
	chmod 0600, $key or die;
	bk_fails($other, 'postgres', 'SELECT bk_read(38)', '58000', qr/key file "\Q$key\E" does not hold master key version 2/, 'with an older copy of the key file: the version is named');
	append_to_file($key, slurp_file(bk_key_path($node)) =~ s/^1:.*\n//mr);
	my $after = bk_value($other, 'postgres', "BEGIN; $state; ROLLBACK");
	# what failed while there was no key is in the log, not in the trail
	ok($after eq $before, 'with the key file put there, all is as it was') or diag(join "\n", grep { my $line = $_; index("\n$before\n", "\n$line\n") < 0 } split /\n/, $after);
	is(bk_value($other, 'postgres', q{SET ROLE ann; SELECT backup_id, type FROM bk_create('ann1', '{"i": "after"}', 'incremental')}), "$next{backup_backup_id_seq}|incremental", 'and goes on');
	$other->stop;
}
$node->stop;
done_testing();
