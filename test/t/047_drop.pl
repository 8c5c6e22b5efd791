# Is it said what is lost, before DROP EXTENSION or whatever takes it along loses it?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = bk_start('drop', conf => "shared_preload_libraries = 'backup_service'\n");
$node->safe_psql('postgres', q{
CREATE SCHEMA tools;
CREATE ROLE owner_of_schema LOGIN;
CREATE ROLE installer SUPERUSER LOGIN;
CREATE TABLE public.mine (n int)});

# In a new database: an extension with backups, where and of whom it is said.
my $databases = 0;

sub catalog
{
	my (%where) = @_;
	my $database = 'd' . ++$databases;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, join ";\n", 'CREATE SCHEMA tools', 'SET search_path = tools, public', 'SET ROLE ' . ($where{role} || 'none'),
		'CREATE EXTENSION backup_service SCHEMA ' . ($where{schema} || 'tools'), 'RESET ROLE',
		map { "SELECT FROM bk_create('r$_', '{\"secret\": \"s3cr3t\"}'), bk_create('r$_', '{}', 'incremental') i" } 1 .. ($where{resources} // 2));
	return $database;
}

# The statement in a session that has called nothing of the extension; it must work, and say so.
sub dropped
{
	my ($database, $statement, $expected, $name) = @_;
	my ($status, $output, $messages) = bk_run($node, $database, "SET client_min_messages = warning;\n$statement");
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return subtest $name => sub {
		is($status, 0, 'works') or diag $messages;
		my @said = $messages =~ /WARNING:  01000: all backups are lost with extension "backup_service"\nDETAIL:  (.*)\nHINT:  In a transaction block, ROLLBACK keeps them/g;
		is("@said", $expected, 'says once what is lost');
		is(bk_value($node, $database, q{SELECT count(*) FROM pg_extension WHERE extname = 'backup_service'}), $statement =~ /ROLLBACK/ ? 1 : 0, 'and the extension is gone, or not');
	};
}

my $two = 'It has 4 backups of 2 resources.';
dropped(catalog(), 'DROP EXTENSION backup_service', $two, 'DROP EXTENSION');
dropped(catalog(resources => 0), 'DROP EXTENSION backup_service', '', 'one that has no backups');
dropped(catalog(), 'DROP SCHEMA tools CASCADE', $two, 'DROP SCHEMA CASCADE');
dropped(catalog(role => 'installer'), 'DROP OWNED BY installer CASCADE', $two, 'DROP OWNED');
dropped(catalog(), 'DROP EXTENSION plpgsql CASCADE', $two, 'an extension that it needs');
dropped(catalog(), 'DO $$ BEGIN EXECUTE $x$DROP EXTENSION backup_service$x$; END $$', $two, 'from a function');
dropped(catalog(), 'BEGIN ISOLATION LEVEL SERIALIZABLE; DROP EXTENSION backup_service; COMMIT', $two, 'in a SERIALIZABLE transaction');

# Who drops the schema need not be able to read the table.
{
	my $database = catalog();
	$node->safe_psql($database, 'ALTER SCHEMA tools OWNER TO owner_of_schema');
	dropped($database, 'SET ROLE owner_of_schema; DROP SCHEMA tools CASCADE', $two, 'by the owner of the schema alone');
}

# There is a way back.
{
	my $database = catalog(resources => 1);
	dropped($database, 'BEGIN; DROP EXTENSION backup_service; ROLLBACK', 'It has 2 backups of 1 resource.', 'and a rollback');
	is(bk_value($node, $database, q{SET search_path = tools; SELECT count(*), count(*) FILTER (WHERE bk_verify(backup_id) ->> 'valid' = 'true') FROM bk_backups; SELECT count(*) FROM bk_audit_verify()}),
		"2|2\n0", 'keeps everything');
	my ($status, $output, $messages) = bk_run($node, $database, "BEGIN; SAVEPOINT s; DROP EXTENSION backup_service; ROLLBACK TO s; DROP EXTENSION backup_service; COMMIT");
	is(scalar(() = $messages =~ /It has 2 backups of 1 resource\./g), 2, 'each drop says it');
}

# What cannot be counted does not keep anybody from dropping it.
{
	my $database = catalog();
	my $file = bk_value($node, $database, q{CHECKPOINT; SELECT pg_relation_filepath('backup_service.backup')});
	# every page is damaged behind the server's back
	my $session = $node->background_psql($database);
	$node->stop;
	open my $table, '+<:raw', $node->data_dir . "/$file" or die;
	print $table "\xff" x 8192;
	close $table or die;
	$session->{run}->kill_kill;
	$node->start;
	my ($status, $output, $messages) = bk_run($node, $database, 'DROP EXTENSION backup_service');
	is($status, 0, 'a damaged table can be dropped') or diag $messages;
	like($messages, qr/WARNING:  01000: all backups are lost with extension "backup_service"\nDETAIL:  How many there are could not be counted: invalid page in block 0/, 'and it is said that backups are lost');
	is(bk_value($node, $database, q{SELECT count(*) FROM pg_class WHERE relname = 'backup'; CREATE TABLE t (n int); SELECT count(*) FROM t}), "0\n0", 'the session goes on');
}

# Neither a table of that name elsewhere nor a column of ours is meant; nor does maintenance say anything.
{
	my $database = catalog();
	my ($status, $output, $messages) = bk_run($node, $database, q{
CREATE SCHEMA other; CREATE TABLE other.backup (n int); DROP TABLE other.backup;
CREATE TABLE backup_service.more (backup int); DROP TABLE backup_service.more;
VACUUM FULL backup_service.backup; CLUSTER backup_service.backup USING backup_pkey});
	is($messages, '', 'nothing else says it');
	my $log = slurp_file($node->logfile);
	unlike($log, qr/s3cr3t/, 'and nothing of a document is in the log');
	is(bk_value($node, $database, 'SET search_path = tools; SELECT count(bk_read(backup_id)) FROM bk_backups'), 4, 'all backups are there');
}
$node->safe_psql('postgres', 'DROP EXTENSION backup_service');
$node->stop;
done_testing();
