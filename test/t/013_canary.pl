# With every log and every statistics module on: does a master key or a document's text get into the data directory,
# the log or a dump?  And where does PostgreSQL itself put them, unless one knows how to avoid it (docs/security.md)?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

bk_seed();
my $place = PostgreSQL::Test::Utils::tempdir();
my $node = bk_cluster('canary', conf => <<"CONF");
shared_preload_libraries = 'auto_explain, pg_stat_statements'
restart_after_crash = on
log_statement = all
log_min_duration_statement = 0
log_min_messages = debug1
log_error_verbosity = verbose
log_parameter_max_length = -1
log_parameter_max_length_on_error = -1
log_temp_files = 0
track_functions = all
auto_explain.log_min_duration = 0
auto_explain.log_analyze = on
auto_explain.log_buffers = on
auto_explain.log_verbose = on
auto_explain.log_settings = on
auto_explain.log_nested_statements = on
pg_stat_statements.track = all
backup_service.key_command = '$place/fetch %v'
backup_service.key_cache_ttl = 0
include_if_exists = 'more.conf'
CONF

# A command whose key one can find, that fails where it is told to.
my @key = map { unpack 'H*', pack 'C*', map { int rand 256 } 1 .. 32 } 1 .. 2;
append_to_file("$place/key.$_", "$key[$_ - 1]\n") for 1, 2;
append_to_file("$place/fetch", <<"FETCH");
#!/bin/sh
key=\$(cat "$place/key.\$1")
if [ -e "$place/fail" ]; then
	echo "\$key"; echo "\$key" >&2; exit 3
fi
echo "\$key"
FETCH
chmod 0755, "$place/fetch", $place or die;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service; CREATE EXTENSION pg_stat_statements');

# A canary, and SQL that makes it at run time: a call of a volatile function, since what is constant while a query is
# planned is shown by auto_explain.
my $canaries = 0;

sub canary
{
	my $word = join '', map { ('a' .. 'z')[ rand 26 ] } 1 .. 24;
	my $function = 'canary_' . ++$canaries;
	(my $shifted = $word) =~ tr/a-z/n-za-m/;
	$node->safe_psql('postgres', "CREATE FUNCTION $function() RETURNS text VOLATILE LANGUAGE plpgsql AS \$\$ BEGIN RETURN translate('$shifted', 'nopqrstuvwxyzabcdefghijklm', 'abcdefghijklmnopqrstuvwxyz'); END \$\$");
	return ($word, "$function()");
}

# Where one of the words is, as it is or in hexadecimal digits.
sub holders
{
	my ($files, @words) = @_;
	return bk_files_with($node, $files, map { ($_, unpack('H*', $_), uc unpack('H*', $_)) } @words);
}
my ($secret, $secret_sql) = canary();
my ($name, $name_sql) = canary();
my ($plain, $plain_sql) = canary();
my ($rolled, $rolled_sql) = canary();
$node->safe_psql('postgres', qq{
CREATE FUNCTION document(n int, size int) RETURNS jsonb VOLATILE LANGUAGE plpgsql AS \$\$
BEGIN
	RETURN jsonb_build_object('n', n, 'top', $secret_sql, $name_sql, n, 'rows', (SELECT jsonb_agg(jsonb_build_object('id', i, $name_sql, $secret_sql || i * CASE WHEN i % 5 = n % 5 THEN n ELSE 1 END)) FROM generate_series(1, size) i));
END \$\$;
});

# Every function at work, for small and large documents, in a session that logs all that there is to log.
my $script = "SET log_min_messages = debug5; SET debug_print_plan = off;\n";
my $resource = 0;
for my $codec (qw(none gzip zstd))
{
	for my $size (3, 8000)
	{
		$resource++;
		$script .= "SELECT FROM bk_create('r$resource', document($_->[0], $size), '$_->[1]', compression => '$codec');\n" for ([ 1, 'full' ], [ 2, 'incremental' ], [ 3, 'differential' ], [ 4, 'incremental' ]);
		$script .= qq{
SELECT min(backup_id) AS first, max(backup_id) AS last FROM bk_backups WHERE resource_id = 'r$resource' \\gset
SELECT md5(bk_restore(backup_id)::text), md5(bk_read(backup_id)::text), bk_verify(backup_id) -> 'valid', length(bk_export(backup_id)) FROM bk_backups WHERE resource_id = 'r$resource';
SELECT length(bk_diff(:first, :last)::text), md5(bk_restore_at('r$resource', now())::text);
SELECT count(value) FROM bk_history('r$resource', 'rows[1]');
SELECT FROM bk_consolidate(:last);
SELECT bk_delete(:first);
};
	}
	$script .= "SELECT bk_key_rotate();\nSELECT bk_rekey(3);\nSELECT available FROM bk_verify_keys();\n" if $codec eq 'none';
}
$script .= qq{
SELECT bk_rekey();
SELECT bk_key_retire(1);
\\set ON_ERROR_STOP off
SELECT bk_apply(document(1, 1), jsonb_build_object('changes', jsonb_build_array(jsonb_build_object('key', 'top', 'oldValue', 'other ' || $secret_sql, 'newValue', 'x'))));
SELECT bk_delta(document(1, 1), document(2, 1)) IS NULL;
BEGIN;
SELECT FROM bk_create('rolled', jsonb_build_array($rolled_sql, document(1, 8000)), compression => 'none');
ROLLBACK;
SET statement_timeout = '30ms';
SELECT FROM bk_create('cancelled', jsonb_build_array($rolled_sql, document(1, 100000)), compression => 'none');
};
my ($status, $output, $messages) = bk_run($node, 'postgres', $script);
is($status, 0, 'the script ran') or diag($messages);
is(() = $output =~ /\|true\|/g, 24, 'twenty-four backups verified');
append_to_file("$place/fail", '');
my $id = bk_value($node, 'postgres', 'SELECT max(backup_id) FROM bk_backups');
for my $call ("bk_read($id)", "bk_restore($id)", "bk_export($id)", "bk_consolidate($id)", "bk_history('r1', 'n')", "bk_create('r1', '1')", 'bk_key_rotate()')
{
	my ($status, $output, $messages) = bk_run($node, 'postgres', "SET log_min_messages = debug5; SELECT FROM $call");
	like($messages, qr/ERROR:  58000: .*key_command failed for key version \d/, "the command prints the key and fails: $call");
}
is(bk_value($node, 'postgres', 'SELECT bool_or(available) FROM bk_verify_keys()'), 'f', 'bk_verify_keys too');
like(bk_value($node, 'postgres', "SET log_min_messages = debug5; SELECT bk_verify($id) -> 'warnings'"), qr/Key not available.*key_command failed for key version \d/, 'bk_verify warns');
is(bk_value($node, 'postgres', "SET log_min_messages = debug5; SELECT ok FROM bk_health() WHERE name = 'keys'"), 'f', 'bk_health complains');
unlink "$place/fail";

# The control: what is to be plain is found in table, WAL and dump.
$node->safe_psql('postgres', "SELECT FROM bk_create('plain', to_jsonb(repeat($plain_sql, 10)), encrypt => false, compression => 'none')");

# pg_stat_statements and auto_explain were at work, on the extension's own statements too.
is(bk_value($node, 'postgres', "SELECT count(*) > 5 FROM pg_stat_statements WHERE query LIKE '%backup_service.chunk%'"), 't', 'pg_stat_statements saw the statements within');
like(slurp_file($node->logfile), qr/LOG:  00000: duration: [^\n]*plan:\s*Query Text: INSERT INTO backup_service\.chunk/, 'and auto_explain logged them');
like(slurp_file($node->logfile), qr/DEBUG:  00000: CommitTransaction/, 'debug messages are in the log');

sub search
{
	my ($when) = @_;
	my @dumps = map { "$place/$_" } qw(plain.sql custom.dump inserts.sql);
	unlink @dumps;
	$node->command_ok([ 'pg_dump', '-f', $dumps[0], 'postgres' ], "$when: pg_dump");
	$node->command_ok([ 'pg_dump', '-Fc', '-Z0', '-f', $dumps[1], 'postgres' ], "$when: pg_dump -Fc");
	$node->command_ok([ 'pg_dump', '--inserts', '-f', $dumps[2], 'postgres' ], "$when: pg_dump --inserts");
	my @found = holders(\@dumps, $plain);
	for my $place (qr{/base/}, qr{/pg_wal/}, qr{/plain\.sql$}, qr{/custom\.dump$}, qr{/inserts\.sql$})
	{
		ok(scalar(grep { $_ =~ $place } @found), "$when: the search finds what is plain in $place");
	}
	is_deeply([ holders(\@dumps, $secret) ], [], "$when: no value of a document is in a file, log or dump");
	is_deeply([ holders(\@dumps, $name) ], [], "$when: no key of a document");
	is_deeply([ holders(\@dumps, $rolled) ], [], "$when: nothing of a backup that was rolled back");
	is_deeply([ bk_files_with($node, \@dumps, map { my $key = $_; map { ($_, uc $_, pack 'H*', $_) } substr($key, 0, 32), substr($key, 32) } @key) ], [], "$when: no half of a master key");
	return;
}
$node->safe_psql('postgres', 'CHECKPOINT');
search('running');

# kill -9 in the middle of a large backup, and of a rotation that waits for the command.
my $busy = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $busy->query('SELECT pg_backend_pid()');
$busy->{stdin} .= "BEGIN; SELECT bk_key_rotate(); SELECT FROM bk_create('busy', document(1, 30000), compression => 'none'); SELECT FROM bk_create('busy', document(2, 30000), 'incremental', compression => 'none'); SELECT pg_sleep(60);\n";
$busy->{run}->pump_nb;
append_to_file("$place/key.3", unpack('H*', pack 'C*', map { int rand 256 } 1 .. 32) . "\n");
push @key, substr slurp_file("$place/key.3"), 0, 64;
ok(bk_wait_for(60, sub { $busy->{run}->pump_nb; bk_value($node, 'postgres', "SELECT count(*) FROM pg_locks WHERE pid = $pid AND relation = 'backup_service.chunk'::regclass") > 0 }), 'a backup is being written');
kill 9, $pid;
bk_wait_for(10, sub { slurp_file($node->logfile) =~ /was terminated by signal 9/ });
eval { $busy->{run}->kill_kill };
ok(bk_wait_ready($node, 60), 'the server is back');
search('after kill -9 and recovery');
$node->restart;
search('after a restart');

# ----- Where PostgreSQL itself puts a document.
# A statement's text, constants that the planner folds and parameters go to the log where that is turned on.
my ($literal, undef) = canary();
bk_value($node, 'postgres', "SELECT FROM bk_create('literal', '\"$literal\"')");
is_deeply([ grep { $_ eq $node->logfile } holders([], $literal) ], [ $node->logfile ], 'a literal in a statement is in the log');
append_to_file("$place/bound.sql", "SELECT FROM bk_create('bound', to_jsonb(:document::text));\n");

sub bind_document
{
	my ($word) = @_;
	$node->command_ok([ 'pgbench', '-n', '-t', 1, '-M', 'extended', '-D', "document=$word", '-f', "$place/bound.sql", 'postgres' ], 'a document as a parameter');
	return scalar grep { $_ eq $node->logfile } holders([], $word);
}
is(bind_document((canary())[0]), 1, 'is in the log');
append_to_file($node->data_dir . '/more.conf', <<'CONF');
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
auto_explain.log_verbose = off
log_min_duration_statement = -1
CONF
append_to_file($node->data_dir . '/more.conf', "auto_explain.log_parameter_max_length = 0\n") if $node->pg_version >= 16;
$node->reload;
ok(bk_wait_for(20, sub { bk_value($node, 'postgres', 'SHOW log_parameter_max_length') eq '0' }), 'log_parameter_max_length = 0 and auto_explain.log_verbose = off');
my ($bound) = canary();
is(bind_document($bound), 0, 'keep it out of the log');
is_deeply([ holders([], $bound) ], [], 'and it is nowhere else');

# FROM bk_read() keeps its result in a temporary file beyond work_mem; SELECT bk_read() never.
my $large = bk_value($node, 'postgres', "SELECT backup_id FROM bk_create('large', document(1, 20000))");

# The files of temporary results that hold the document while a query's first row is fetched.
sub spilled
{
	my ($query, $settings) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	$session->query_safe("SET work_mem = '64kB'; " . ($settings || ''));
	$session->query("BEGIN; DECLARE c CURSOR FOR $query;");
	$session->query('MOVE 1 FROM c');
	my $messages = $session->{stderr};
	my @found = grep { m{/pgsql_tmp/} } holders([], $secret);
	$session->quit;
	return (scalar @found, $messages);
}
my @spilling = ("SELECT * FROM bk_read($large)", "SELECT * FROM bk_restore($large)", "SELECT * FROM bk_diff($id, $large)", "SELECT * FROM bk_restore_at('large', 'infinity')", "SELECT value FROM bk_history('large', '')", "SELECT n FROM bk_list('large') CROSS JOIN generate_series(1, 3) n ORDER BY bk_read(backup_id)::text, n");
my @sparing = ("SELECT bk_read($large)", "SELECT bk_restore($large)", "SELECT bk_diff($id, $large)", "SELECT bk_restore_at('large', 'infinity')", "SELECT bk_history('large', '')", "SELECT backup_id, bk_read(backup_id) FROM bk_list('large') CROSS JOIN generate_series(1, 3) ORDER BY backup_id",
	"SELECT b.backup_id, d.document FROM bk_list('large') b CROSS JOIN LATERAL (SELECT bk_read(b.backup_id) AS document) d");
for my $query (@spilling)
{
	my ($found, $messages) = spilled($query);
	cmp_ok($found, '>', 0, "spills: $query") or diag($messages);
	($found, $messages) = spilled($query, "SET temp_file_limit = 0;");
	is($found, 0, "temp_file_limit = 0: $query");
	# PostgreSQL 18 quotes the name.
	like($messages, qr/ERROR:  temporary file size exceeds ("?)temp_file_limit\1/, 'refuses it');
}
for my $query (@sparing)
{
	my ($found, $messages) = spilled($query);
	is($found, 0, "does not spill: $query");
	unlike($messages, qr/ERROR/, 'and runs') or diag($messages);
}
is_deeply([ grep { m{/pgsql_tmp/} } holders([], $secret) ], [], 'a temporary file goes with its query');

my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|TRAP:|was terminated by signal (?!9:)|WARNING:  [^\n]*(?:leak|refcount)/, 'the log is clean');
$node->stop;
done_testing();
