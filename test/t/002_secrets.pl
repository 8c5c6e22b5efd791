# Do a document's plaintext or the master key ever touch the data directory or the log?  And does the key file
# behave as the one thing that must not get lost or be read?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = bk_seed();
my $node = bk_cluster('secrets', allows_streaming => 1, conf => "restart_after_crash = on\nlog_min_messages = debug1\nlog_min_duration_statement = 0\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
my $key_path = bk_key_path($node);

# A canary that no statement spells, and the SQL that makes it.
sub canary
{
	my $word = join '', map { ('a' .. 'z')[ rand 26 ] } 1 .. 24;
	return ($word, "replace('" . join('X', split //, $word) . "', 'X', '')");
}

my ($secret, $secret_sql) = canary();
my ($key_name, $key_name_sql) = canary();
my ($plain, $plain_sql) = canary();
my ($rolled, $rolled_sql) = canary();

# document(n, size): holds the canary as key and as value, at many places
my $functions = qq{
CREATE FUNCTION document(n int, size int) RETURNS jsonb LANGUAGE sql AS \$\$
	SELECT jsonb_build_object('n', n, 'top', $secret_sql, $key_name_sql, jsonb_build_object('inner', n || ' ' || $secret_sql),
		'rows', (SELECT jsonb_agg(jsonb_build_object('id', i, 'text', $secret_sql || i * CASE WHEN i % 5 = n % 5 THEN n ELSE 1 END)) FROM generate_series(1, size) i)) \$\$;
};
$node->safe_psql('postgres', $functions);

my $script = "SET log_statement = 'all'; SET log_parameter_max_length_on_error = -1;\n";
for my $codec (qw(none gzip zstd))
{
	for my $size (3, 20_000)
	{
		my $resource = "$codec-$size";
		$script .= "SELECT FROM bk_create('$resource', document($_->[0], $size), '$_->[1]', compression => '$codec');\n"
		  for ([ 1, 'full' ], [ 2, 'incremental' ], [ 3, 'differential' ], [ 4, 'incremental' ], [ 5, 'incremental' ]);
		$script .= qq{
SELECT min(backup_id) AS first, max(backup_id) AS last FROM bk_backups WHERE resource_id = '$resource' \\gset
SELECT md5(bk_restore(backup_id)::text), md5(bk_read(backup_id)::text), bk_verify(backup_id) -> 'valid', length(bk_export(backup_id)) FROM bk_backups WHERE resource_id = '$resource';
SELECT length(bk_diff(:first, :last)::text);
SELECT count(value) FROM bk_history('$resource', 'rows[1]');
SELECT md5(bk_restore_at('$resource', now())::text);
SELECT FROM bk_consolidate(:last);
SELECT bk_delete(:first);
SELECT bk_delete(:first + 1, 'cascade');
SELECT md5(bk_read(:last)::text);
};
	}
}
# errors that are about documents
$script .= qq{
\\set ON_ERROR_STOP off
SELECT bk_apply(document(1, 1), jsonb_build_object('changes', jsonb_build_array(jsonb_build_object('key', 'top', 'oldValue', 'other ' || $secret_sql, 'newValue', 'x'))));
SELECT bk_apply(document(1, 1), jsonb_build_object('deletions', jsonb_build_array(jsonb_build_object('key', 'top', 'value', 'other ' || $secret_sql))));
SELECT bk_apply(document(1, 1), jsonb_build_object('additions', jsonb_build_array(jsonb_build_object('key', 'top.x', 'value', $secret_sql))));
BEGIN;
SELECT FROM bk_create('rolled', jsonb_build_array($rolled_sql, document(1, 20000)), compression => 'none');
ROLLBACK;
SET statement_timeout = '20ms';
SELECT FROM bk_create('cancelled', jsonb_build_array($rolled_sql, document(1, 200000)), compression => 'none');
};
my ($status, $output, $messages) = bk_run($node, 'postgres', $script);
is($status, 0, 'the script ran');
is(() = $messages =~ /ERROR:  22023/g, 3, 'three refusals') or diag($messages);
my @valid = $output =~ /\|(true|false)\|/g;
is(scalar(grep { $_ eq 'true' } @valid), 30, 'thirty backups verified');
unlike($messages, qr/$secret/, 'messages hold no value of a document');

# The control: what is asked to be plain is found.
$node->safe_psql('postgres', "SELECT FROM bk_create('plain', to_jsonb($plain_sql), encrypt => false, compression => 'none')");
$node->safe_psql('postgres', 'CHECKPOINT');

my ($hex) = slurp_file($key_path) =~ /^1:([0-9a-f]{64})$/m;
ok($hex, 'the key file has a key of version 1');
my @key = ($hex, uc $hex, pack 'H*', $hex);

sub search
{
	my ($when) = @_;
	my @plain = bk_files_with($node, [], $plain);
	ok(scalar(grep { m{/base/} } @plain) && scalar(grep { m{/pg_wal/} } @plain), "$when: the search finds what is plain in table and WAL");
	is_deeply([ bk_files_with($node, [], $secret) ], [], "$when: no value of a document");
	is_deeply([ bk_files_with($node, [], $key_name) ], [], "$when: no key of a document");
	is_deeply([ bk_files_with($node, [], $rolled) ], [], "$when: nothing of a backup that was rolled back");
	is_deeply([ bk_files_with($node, [], @key) ], [], "$when: no master key");
	return;
}
search('after a checkpoint');

# The same after kill -9 in the middle of a large backup.
my $busy = $node->background_psql('postgres', on_error_stop => 0);
my $pid = $busy->query('SELECT pg_backend_pid()');
$busy->{stdin} .= "BEGIN; SELECT FROM bk_create('busy', document(1, 100000), compression => 'none'); SELECT FROM bk_create('busy', document(2, 100000), 'incremental', compression => 'none');\n";
$busy->{run}->pump_nb;
ok(bk_wait_for(60, sub { $busy->{run}->pump_nb; bk_value($node, 'postgres', "SELECT count(*) FROM pg_locks WHERE pid = $pid AND relation = 'backup_service.chunk'::regclass") > 0 }), 'a backup is being written');
kill 9, $pid;
select(undef, undef, undef, 0.3);
eval { $busy->{run}->kill_kill };
ok(bk_wait_ready($node, 60), 'the server is back');
$node->safe_psql('postgres', 'CHECKPOINT');
search('after kill -9 and recovery');
is(bk_value($node, 'postgres', "SELECT count(*) FROM backup_service.resource WHERE resource_id IN ('busy', 'rolled', 'cancelled')"), 0, 'none of what did not commit is there');

# The key file.
sub identity
{
	my @status = stat $key_path;
	return join ' ', @status[ 1, 2, 9 ], slurp_file($key_path);
}
is(sprintf('%04o', (stat $key_path)[2] & 07777), '0600', 'the key file has mode 0600');
my $identity = identity();
bk_database($node, 'second');
$node->safe_psql('second', "SELECT FROM bk_create('r', '1')");
is(identity(), $identity, 'it is made once, also for another database');
is_deeply([ glob "$key_path*" ], [$key_path], 'no temporary file is left');

my $create = "SELECT FROM bk_create('r', '1')";
my $id = bk_value($node, 'postgres', "SELECT backup_id FROM bk_create('r', '[1]')");
my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe('SELECT bk_read(' . $id . ')');

# A file that others can touch is refused, in old and new sessions, and is good again when put right.
for my $mode (0640, 0604, 0620, 0602, 0610, 0601, 0666)
{
	chmod $mode, $key_path or die;
	my $name = sprintf 'mode %04o', $mode;
	bk_fails($node, 'postgres', $create, '58000', qr/can be accessed by others\nDETAIL:  Its mode is @{[ sprintf '%04o', $mode ]}\.\nHINT:  Run chmod/, "$name: no backup");
	bk_fails($node, 'postgres', "SELECT bk_read($id)", '58000', qr/can be accessed by others/, "$name: no restore");
}
$session->query("SELECT bk_read($id)");
like($session->{stderr}, qr/can be accessed by others/, 'an old session is refused too');
$session->{stderr} = '';
chmod 0600, $key_path or die;
is($session->query_safe("SELECT bk_read($id)"), '[1]', 'and goes on when the mode is put right');
chmod 0400, $key_path or die;
is(bk_value($node, 'postgres', "SELECT bk_read($id)"), '[1]', 'mode 0400 will do');
chmod 0600, $key_path or die;

# Missing: never made again where the catalog knows a version.
my $kept = "$key_path.kept";
rename $key_path, $kept or die;
for my $call ($create, "SELECT bk_read($id)", "SELECT bk_restore($id)", "SELECT bk_export($id)")
{
	bk_fails($node, 'postgres', $call, '58000', qr/key file ".*" does not exist\nHINT:  Put the key file back/, "no key file: $call");
}
# A verification says what it could not see, and takes nothing for damage.
sub verdict_is
{
	my ($why) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	like(bk_value($node, 'postgres', "SELECT bk_verify($id)"),
		qr/^\{"valid": false, "errors": \[\], "warnings": \["Key not available, .*$why.*"\], "checksumValid": true, "dataIntegrity": null, "structureValid": null\}$/, "bk_verify: $why");
	return is(bk_value($node, 'postgres', "SELECT status FROM bk_backups WHERE backup_id = $id"), 'completed', 'no damage');
}
verdict_is('does not exist');
ok(!-e $key_path, 'it is not made again');
is(bk_value($node, 'postgres', "SELECT count(*) FROM bk_list('r')"), 1, 'listing needs no key');
is(bk_value($node, 'postgres', "SELECT bk_delete(backup_id) FROM bk_list('plain')"), 1, 'nor does deleting what nothing builds on');

# Another key under the same version.
my $other = '1:' . join('', map { sprintf '%02x', int rand 256 } 1 .. 32) . "\n";

sub put
{
	my ($content) = @_;
	unlink $key_path;
	append_to_file($key_path, $content);
	chmod 0600, $key_path or die;
	return;
}
put($other);
for my $call ($create, "SELECT bk_read($id)")
{
	bk_fails($node, 'postgres', $call, '58000', qr/key version 1 is not the key that this catalog was written with/, "another key: $call");
}
verdict_is('is not the key that this catalog was written with');
put("2:" . 'ab' x 32 . "\n");
bk_fails($node, 'postgres', "SELECT bk_read($id)", '58000', qr/does not hold master key version 1/, 'the version is missing');

# Whatever is wrong with the file: an error with detail and hint, in an old session too, nothing lost, and all is well
# when it is put right, without a restart.
my %spoilt = (
	'another key' => $other, 'another version' => '2:' . 'ab' x 32 . "\n", 'cut in the key' => "1:" . substr($hex, 0, 40), 'cut in the version' => '1', 'cut to nothing' => '', 'no hexadecimal digit' => '1:' . 'x' x 64 . "\n",
	'zeros of a disk' => "\0" x 4096, 'another file' => join('', map { chr int rand 256 } 1 .. 300), 'too large' => "# comment\n" x 10_000);
my $rows = "SELECT count(*) || ' ' || md5(string_agg(b::text, ' ' ORDER BY backup_id)) FROM backup_service.backup b";
my $kept_rows = bk_value($node, 'postgres', $rows);
for my $how (sort(keys %spoilt), 'mode 0644')
{
	put($spoilt{$how} // slurp_file($kept));
	chmod 0644, $key_path if $how eq 'mode 0644';
	for my $call ($create, "SELECT bk_read($id)")
	{
		bk_fails($node, 'postgres', $call, $how =~ /^another (?:key|version)|^cut to nothing|mode/ ? '58000' : '22023', qr/\nDETAIL:  [A-Z].*\.\nHINT:  [A-Z].*\./, "$how: $call") if $how ne 'cut to nothing' || $call ne $create;
	}
	verdict_is('key');
	$session->{stderr} = '';
	$session->query("SELECT bk_read($id)");
	like($session->{stderr}, qr/ERROR:/, "$how: an old session is refused");
	$session->{stderr} = '';
	put(slurp_file($kept));
	is($session->query_safe("SELECT bk_read($id)"), '[1]', "$how: and goes on when it is put right");
	is(bk_value($node, 'postgres', "$rows; SELECT bk_read($id)"), "$kept_rows\n[1]", "$how: nothing is lost");
}

# Malformed: the line is named, its content is not.
my $good = slurp_file($kept);
my %malformed = (
	'1' => [ "$hex\n", 'no version' ],
	'2' => [ "# comment\n1:" . substr($hex, 1) . "\n", 'a digit is missing' ],
	'3' => [ "\n\n1:" . substr($hex, 0, 63) . "g\n", 'not hexadecimal' ],
	'4' => [ "#\n#\n#\n01:$hex\n", 'a leading zero' ],
	'5' => [ "#\n#\n#\n#\n1: $hex\n", 'white space' ],
	'6' => [ "#\n#\n#\n#\n1:$hex\n1:$hex\n", 'a version twice' ],
	'7' => [ "#\n\n\n\n\n\n0:$hex\n", 'version zero' ],
	'8' => [ "#\n\n\n\n\n\n\n1:$hex\r\n", 'a carriage return' ],
	'9' => [ "#\n\n\n\n\n\n\n\n2147483648:$hex\n", 'a version that is too large' ],
	'10' => [ "#\n\n\n\n\n\n\n\n\n1:$hex$hex\n", 'too long' ]);
for my $line (sort { $a <=> $b } keys %malformed)
{
	put($malformed{$line}[0]);
	my ($status, $output, $messages) = bk_run($node, 'postgres', "SELECT bk_read($id)");
	like($messages, qr/ERROR:  22023: key file ".*" is malformed\nDETAIL:  Line $line /, "malformed: $malformed{$line}[1]");
	unlike($messages, qr/\Q@{[ substr $hex, 2, 20 ]}\E/i, 'and no key byte in the message');
}
put("# nothing\n");
bk_fails($node, 'postgres', "SELECT bk_read($id)", '58000', qr/does not hold master key version 1/, 'a file without keys');
unlink $key_path;
mkdir $key_path or die;
bk_fails($node, 'postgres', "SELECT bk_read($id)", '58000', qr/is not a regular file/, 'a directory');
rmdir $key_path;
system('mkfifo', '-m', '0600', $key_path) == 0 or die;
bk_fails($node, 'postgres', "SELECT bk_read($id)", '58000', qr/is not a regular file/, 'a pipe does not make us wait');
unlink $key_path;
symlink $kept, $key_path or die;
is(bk_value($node, 'postgres', "SELECT bk_read($id)"), '[1]', 'a symbolic link is followed');
unlink $key_path;
put("$good# a comment\n\n7:" . 'cd' x 32);
is(bk_value($node, 'postgres', "SELECT bk_read($id)"), '[1]', 'the key among others, the last line without an end');
unlink $key_path;
rename $kept, $key_path or die;

# Another place, relative and absolute, without a restart.
for my $place ('elsewhere.key', $node->basedir . '/outside.key')
{
	my $path = $place =~ m{^/} ? $place : $node->data_dir . "/$place";
	rename $key_path, $path or die;
	$node->append_conf('postgresql.conf', "backup_service.key_file = '$place'");
	$node->reload;
	ok(bk_wait_for(10, sub { ($node->psql('postgres', "SELECT bk_read($id)", stderr => \my $e, stdout => \my $o) == 0) }), "backup_service.key_file = $place");
	rename $path, $key_path or die;
}
$node->append_conf('postgresql.conf', "backup_service.key_file = 'backup_service.key'");
$node->reload;
is(identity(), $identity, 'the key file is the one that was made first');
search('at the end');
$session->quit;
$node->stop;

# A fresh cluster that may not make one.
my $fresh = bk_start('fresh', conf => "backup_service.key_file_create = off\n");
bk_fails($fresh, 'postgres', $create, '58000', qr/there is no master key yet\n.*key_file_create is off.*\nHINT:  Make the file/s, 'key_file_create = off');
ok(!-e bk_key_path($fresh), 'made nothing');
is(bk_value($fresh, 'postgres', 'SELECT count(*) FROM backup_service.key'), 0, 'and registered nothing');

# First uses at the same time, in sessions of several databases, agree on one.
$fresh->append_conf('postgresql.conf', 'backup_service.key_file_create = on');
$fresh->reload;
my @databases = map { "d$_" } 1 .. 4;
bk_database($fresh, $_) for @databases;
my @sessions = map { $fresh->background_psql($_, on_error_stop => 0) } @databases, @databases;
$_->query_safe('SELECT 1') for @sessions;
for my $n (0 .. $#sessions)
{
	$sessions[$n]{stdin} .= "SELECT bk_read(backup_id) FROM bk_create('r$n', '[$n]');\n\\echo done $n\n";
	$sessions[$n]{run}->pump_nb;
}
for my $n (0 .. $#sessions)
{
	my $session = $sessions[$n];
	ok(bk_wait_for(60, sub { $session->{run}->pump_nb; $session->{stdout} =~ /done $n/ }), "session $n is done");
	like($session->{stdout}, qr/^\[$n\]$/m, 'and restored its backup') or diag($session->{stderr});
}
is(() = join('', map { $_->{stderr} } @sessions) =~ /WARNING:  a new master key was made/g, 1, 'one of them warned that it made the key');
my $lines = () = slurp_file(bk_key_path($fresh)) =~ /^\d+:[0-9a-f]{64}$/mg;
is($lines, 1, 'one key');
for my $database (@databases)
{
	is(bk_value($fresh, $database, 'SELECT count(*), sum((bk_read(backup_id) IS NOT NULL)::int) FROM backup_service.backup'), '2|2', "both of $database can be restored");
}
is(() = glob(bk_key_path($fresh) . '*'), 1, 'no temporary file is left');
$_->quit for @sessions;

# A first backup that is rolled back leaves its key file, which the next one uses.
bk_database($fresh, 'late');
is(bk_value($fresh, 'late', "BEGIN; SELECT FROM bk_create('r', '1'); ROLLBACK; SELECT count(*) FROM backup_service.key; SELECT bk_read(backup_id) FROM bk_create('r', '2')"), "0\n2", 'a first backup that is rolled back');
$fresh->stop;
done_testing();
