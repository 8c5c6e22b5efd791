# Do the messages that no other test brings about say what is wrong?  Most need a hand in the tables or in the key file.
# test/tools/messages says which are shown nowhere.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = bk_start('messages');
my $key_file = bk_key_path($node);

# Change a setting of the server, and see that it is in force.
sub configure
{
	my ($name, $value) = @_;
	$node->safe_psql('postgres', "LOAD 'backup_service'; ALTER SYSTEM SET $name = '$value'");
	$node->reload;
	ok(bk_wait_for(30, sub { bk_value($node, 'postgres', "LOAD 'backup_service'; SELECT current_setting('$name')") eq $value }), "$name = '$value'");
	return;
}

sub write_key_file
{
	my ($text) = @_;
	unlink $key_file;
	append_to_file($key_file, $text);
	chmod 0600, $key_file or die "chmod: $!";
	return;
}

my $create = q{SELECT backup_id FROM bk_create('r', '{"n": 1}')};

# Key files, before there is any key.
write_key_file("# no key yet\n");
bk_fails($node, 'postgres', $create, '22023', qr/key file ".*" is malformed\nDETAIL:  It holds no key.\nHINT:  Put the key file back from the copy you keep\./, 'a key file without a key');
chmod 0, $key_file or die "chmod: $!";
bk_fails($node, 'postgres', $create, '58000', qr/could not open key file ".*": Permission denied\nHINT:  Let the server's user own it, with mode 0600, in a folder that this user may enter\./, 'a key file that cannot be read');
unlink $key_file;
configure('backup_service.key_file', 'no_such_folder/key');
bk_fails($node, 'postgres', $create, '58000',
	qr/could not create key file ".*": No such file or directory\n.*HINT:  See to the directory's rights and space, or make the file yourself and set backup_service.key_file to its path\./s, 'a key file that cannot be made');

# Key commands.
for my $case (
	[ 'print %', qr/DETAIL:  A "%" stands at its end or before a blank or another character that cannot be shown\.\nHINT:  "%v" is the version, and "%%" is one percent sign\./, '22023' ],
	[ 'kill -9 $$', qr/DETAIL:  It was ended by signal 9\./, '58000' ])
{
	my ($command, $like, $state) = @$case;
	configure('backup_service.key_command', $command);
	bk_fails($node, 'postgres', $create, $state, $like, "backup_service.key_command = '$command'");
}
is(bk_value($node, 'postgres', q{SELECT detail FROM bk_health() WHERE name = 'keys_copied'}), 'backup_service.key_command keeps them', 'keys of a command need no copy');
configure('backup_service.key_command', '');
configure('backup_service.key_file', 'backup_service.key');

# With a key: what bk_key_rotate() cannot add to.
like(bk_value($node, 'postgres', $create), qr/^\d+$/, 'a backup, and a key');
my $keys = slurp_file($key_file);
my $room = 64 * 1024 - length $keys;
write_key_file($keys . '#' x ($room - 10) . "\n");
bk_fails($node, 'postgres', 'SELECT bk_key_rotate()', '54000',
	qr/key file ".*" has no room for master key version 2\nDETAIL:  It would be larger than 65536 bytes\.\nHINT:  Take comments and blank lines out of it\./, 'a key file that is full');
write_key_file($keys);

# What only a hand in the tables does: the statements before are rolled back with the one that fails.
for my $case (
	[ 'a key event without its hash', q{UPDATE backup_service.audit_event SET hash = '' WHERE resource_id = ''}, 'SELECT bk_key_rotate()', 'XX001',
		qr/audit event 1 has no hash\nHINT:  SELECT \* FROM bk_audit_verify\(\) shows what else was tampered with\./ ],
	[ 'a fingerprint that is cut', q{ALTER TABLE backup_service.key DROP CONSTRAINT key_fingerprint_check; UPDATE backup_service.key SET fingerprint = 'x'}, $create, 'XX000',
		qr/the fingerprint of key version 1 has a wrong length/ ],
	[ 'every key retired', q{UPDATE backup_service.key SET state = 'retired'}, $create, '55000', qr/no key version is active\nDETAIL:  Every version in backup_service.key is retired\./ ],
	[ 'the newest number of all', q{UPDATE backup_service.key SET version = 2147483647, state = 'active'}, 'SELECT bk_key_rotate()', '54000', qr/there is no key version after 2147483647/ ],
	[ 'the end of time', q{UPDATE backup_service.resource SET last_backup_at = '294276-12-31 23:59:59.999999+00'}, $create, '22008',
		qr/resource "r" has no time left for another backup\nDETAIL:  Its newest backup is of .*294276/ ],
	[ 'a trail that does not verify', q{UPDATE backup_service.audit_event SET role = 'x' WHERE resource_id = 'r'}, q{SELECT bk_audit_trim(now() + '1 day')}, 'XX001',
		qr/the audit trail of resource "r" does not verify\nHINT:  SELECT \* FROM bk_audit_verify\(\) says how; nothing is trimmed before that is understood\./ ],
	[ 'a status that there is not', 'SELECT', q{SELECT * FROM bk_operation_list(status => 'x')}, '22023',
		qr/unknown status "x"\nHINT:  Use 'queued', 'running', 'completed', 'failed' or 'cancelled'\./ ])
{
	my ($name, $before, $statement, $state, $like) = @$case;
	# A rotation that was rolled back has left its key in the file.
	write_key_file($keys);
	bk_fails($node, 'postgres', "BEGIN; $before; $statement", $state, $like, $name);
}

# An answer that was kept for a request over HTTP, and spoilt.
my $request = q{SET request.headers = '{"idempotency-key": "k"}'; SELECT backup_service_api.backups_create('{"resourceId": "http", "data": 1}'::bytea);};
like(bk_value($node, 'postgres', $request), qr/"id"/, 'a request with an Idempotency-Key');
my ($status, $output, $messages) = bk_run($node, 'postgres', "BEGIN; UPDATE backup_service.answer SET answer = 'x'; $request");
like($messages, qr/the answer that was kept for an idempotency key is damaged.*Send the request with another key\./s, 'its answer is damaged');
($status, $output, $messages) = bk_run($node, 'postgres', $request =~ s/"data": 1/"data": 2/r);
like($messages, qr/\{"code":"22023","message":"the idempotency key was used for another request","hint":"Send a new key with a new request\."\}/, 'and its key is no other request\'s');
like($messages, qr/DETAIL:  \{"status":422,"headers":\{\}\}/, 'as PostgREST takes it');

# Without a worker, and without anybody who asks for one.
is(bk_value($node, 'postgres', q{SELECT bk_restore_enqueue(backup_id) > 0 FROM bk_list('r', max_rows => 1)}), 't', 'a restore in the queue');
is(bk_value($node, 'postgres', q{SELECT detail FROM bk_health() WHERE name = 'worker'}), 'nobody has started one, and backup_service is not in shared_preload_libraries', 'nobody does it');

# The longest interval is not a time that is over.
configure('backup_service.scrub_interval', '2147483647s');
is(bk_value($node, 'postgres', q{SELECT ok FROM bk_health() WHERE name = 'scrub'}), 't', 'the longest backup_service.scrub_interval is not over');

$node->stop;
done_testing();
