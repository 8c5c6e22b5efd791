# Does bk_recover do what its manual says, and does no file, however hostile, do more than be refused?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use Digest::SHA qw(hmac_sha256);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = bk_seed();
my $node = bk_start('recover');
my $base = $node->basedir;
my $key = bk_key_path($node);

# It ends with this status, says this on standard output and that on standard error.
sub gives
{
	my ($arguments, $status, $output, $messages, $name) = @_;
	my @got = bk_recover(@$arguments);
	# for test/tools/messages
	note($got[2]) if $got[0];
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return subtest $name => sub {
		is($got[0], $status, "status $status");
		like($got[1], $output, 'output');
		like($got[2], $messages, 'messages');
	};
}

sub write_bytes
{
	my ($path, $bytes) = @_;
	open my $file, '>:raw', $path or die "$path: $!";
	print $file $bytes;
	close $file or die;
	return $path;
}

sub archive
{
	my ($resource, $database) = @_;
	return pack 'H*', bk_value($node, $database || 'postgres', "SELECT encode(bk_archive('$resource'), 'hex')");
}

# The hexadecimal digits of a key version.
sub key_line
{
	my ($version) = @_;
	return (slurp_file($key) =~ /^$version:(.*)$/m)[0];
}

# As a holder of the master key would seal it.
sub sealed
{
	my ($bytes) = @_;
	my $body = substr $bytes, 0, -32;
	return $body . hmac_sha256($body, hmac_sha256('backup_service archive MAC key 1', pack 'H*', key_line(1)));
}

$node->safe_psql('postgres', q{
SELECT FROM bk_create('shop', '{"n": 1, "t": "é"}', tags => '{"a": [1.5]}');
SELECT FROM bk_create('shop', '{"n": 2, "t": "é"}', 'incremental', compression => 'zstd');
SELECT FROM bk_create('shop', '{"n": 3, "t": "é"}', 'incremental');
SELECT FROM bk_create('shop', '{"n": 4, "t": "é"}', 'differential');
SELECT FROM bk_create('shop', '{"n": 5, "t": "é"}');
SELECT bk_delete(5);
SELECT FROM bk_create('other', '"one"')});
my $shop = write_bytes("$base/shop.bka", archive('shop'));
my $other = write_bytes("$base/other.bka", archive('other'));
my %time = map { @$_ } bk_rows($node, 'postgres', q{SELECT backup_id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM bk_snapshots});

my ($first, $fourth) = @time{ 1, 4 };

# ----- Usage.
gives([], 2, qr/^$/, qr/^bk_recover: error: no command was given.*\nbk_recover: hint: Try "bk_recover --help"/, 'no command');
gives(['--help'], 0, qr/^bk_recover reads.*^Usage:.*--key-file.*Exit status/ms, qr/^$/, '--help');
gives(['-?'], 0, qr/^Usage:/m, qr/^$/, '-?');
gives(['--version'], 0, qr/^bk_recover \(backup_service\) \d+\.\d+\.\d+\n$/, qr/^$/, '--version');
gives([ 'eat', $shop ], 2, qr/^$/, qr/unknown command "eat"/, 'an unknown command');
gives([ 'list', '--eat', $shop ], 2, qr/^$/, qr/unrecognized option '--eat'/, 'an unknown option');
gives(['list'], 2, qr/^$/, qr/no archive or directory was named/, 'no archive');
gives([ 'verify', $shop ], 2, qr/^$/, qr/need --key-file or --key-command/, 'no key');
gives([ 'verify', '-k', $key, '--key-command', 'x', $shop ], 2, qr/^$/, qr/cannot be used together/, 'two sources of keys');
gives([ 'restore', '-k', $key, '-b', 1, '-t', '2026-01-01', $shop ], 2, qr/^$/, qr/--backup-id and --at cannot be used together/, 'id and time');
gives([ 'restore', '-k', $key, '-b', $_, $shop ], 2, qr/^$/, qr/a backup id is a whole number/, "backup id $_") for '0', 'x', '1x', '99999999999999999999', '';
gives([ 'restore', '-k', $key, '-t', $_, $shop ], 2, qr/^$/, qr/a time is written as/, "time $_") for 'noon', '2026-13-01', '2026-02-30', '2026-01-01 25:00', '2026-01-01T10:00+99', '2026-01-01 10:00:00.', '';
gives([ 'list', '-o', 'x', $shop ], 2, qr/^$/, qr/are for restore/, 'an option of another command');
gives([ 'verify', '-k', $key, '--json', $shop ], 2, qr/^$/, qr/--json is for list/, 'JSON of what is no list');
gives([ 'restore', '-k', $key, '--nearest', $shop ], 2, qr/^$/, qr/--nearest goes with --at/, '--nearest without a time');
gives([ 'list', $_ ], 0, qr/^Usage:/m, qr/^$/, "$_ behind the command") for '--help', '-?';
gives([ 'list', '-V' ], 0, qr/^bk_recover \(backup_service\) /, qr/^$/, 'and -V');

# ----- List.
gives([ 'list', '-k', $key, $shop, $other ], 0, qr/^ backup_id .*\n +6 .* full .*"other"\n +1 .* full .*\n +2 .* incremental +1 .*\n +3 .* incremental +2 .*\n +4 .* differential +1 .*\n +5 .* deleted .*"shop"\n$/, qr/^$/, 'a table');
my ($status, $output) = bk_recover('list', '--json', '-r', 'shop', $shop, $other);
IPC::Run::run([ 'jq', '-c', '.[] | [.backup_id, .type, .base_id, .compression, .tags, .created_at, .archives]' ], '<', \$output, '>', \my $rows) or die;
is($rows, join('', map { qq([$_->[0],"$_->[1]",$_->[2],$_->[3],$_->[4],"@{[ $time{$_->[0]} ]}",["$shop"]]\n) }
	[ 1, 'full', 'null', '"none"', '{"a":[1.5]}' ], [ 2, 'incremental', 1, '"none"', '{}' ], [ 3, 'incremental', 2, '"none"', '{}' ], [ 4, 'differential', 1, '"none"', '{}' ], [ 5, 'deleted', 'null', 'null', 'null' ]),
	'or JSON, of one resource, without a key');
gives([ 'list', '--json', '-r', 'none', $shop ], 0, qr/^\[\]\n$/, qr/^$/, 'an empty list is JSON too');

# ----- Restore.
gives([ 'restore', '-k', $key, '-r', 'shop', $base ], 0, qr/^\{"n": 4, "t": "é"\}\n$/, qr/^$/, 'the newest, of a directory');
gives([ 'restore', '-k', $key, '-b', $_, $shop ], 0, qr/^\{"n": $_, "t": "é"\}\n$/, qr/^$/, "backup $_") for 1 .. 4;
gives([ 'restore', '-k', $key, '-t', $time{$_}, $shop ], 0, qr/^\{"n": $_, /, qr/^$/, "the time of backup $_") for 1 .. 4;
gives([ 'restore', '-k', $key, '-t', $time{3} =~ s/Z$/+00:00/r =~ s/T/ /r, $shop ], 0, qr/^\{"n": 3, /, qr/^$/, 'with a zone');
gives([ 'restore', '-k', $key, '-t', '2000-01-01', $shop ], 1, qr/^$/, qr/has no state of 2000-01-01T00:00:00.000000Z\nbk_recover: hint: The first backup is of \Q$first\E\./, 'before the first');
gives([ 'restore', '-k', $key, '-t', '2999-01-01', $shop ], 1, qr/^$/, qr/The nearest earlier one is backup 4 of \Q$fourth\E/, 'a deleted state is not silently another');
gives([ 'restore', '-k', $key, '-t', '2999-01-01', '--nearest', $shop ], 0, qr/^\{"n": 4, /, qr/^$/, 'but by wish');
gives([ 'restore', '-k', $key, '-b', 5, $shop ], 1, qr/^$/, qr/backup 5 was deleted before it was archived/, 'a deleted id');
gives([ 'restore', '-k', $key, '-b', 77, $shop ], 1, qr/^$/, qr/no such backup is in the archives/, 'an unknown id');
gives([ 'restore', '-k', $key, $shop, $other ], 2, qr/^$/, qr/several resources are meant, "other" and "shop"/, 'several resources');
gives([ 'restore', '-k', $key, '-b', 2, '-o', "$base/out.json", $shop ], 0, qr/^$/, qr/^$/, 'into a file');
is(slurp_file("$base/out.json"), qq({"n": 2, "t": "é"}\n), 'which has it');
is(sprintf('%04o', (stat "$base/out.json")[2] & 07777), '0600', 'for its owner alone');
gives([ 'restore', '-k', $key, '-b', 2, '-o', "$base/out.json", $shop ], 4, qr/^$/, qr/could not create file .*File exists/, 'but not over another');
gives([ 'verify', '-k', $key, "$base/none" ], 4, qr/^$/, qr/could not open "[^"]*none": No such file/, 'a file that is not there');
gives([ 'verify', '-k', $key, '/dev/null' ], 4, qr/^$/, qr{"/dev/null" is not a regular file}, 'a device');
is(system("bk_recover restore -k $key -b 2 $shop > /dev/full 2> /dev/null") >> 8, 4, 'a full disk is noticed');
is(system("bk_recover list $shop > /dev/full 2> /dev/null") >> 8, 4, 'by a list too');

# ----- Keys.
my $hex = key_line(1);
my $wrong = write_bytes("$base/wrong.key", '1:' . ('ab' x 32) . "\n");
chmod 0600, $wrong or die;
gives([ 'verify', '-k', $wrong, $shop ], 3, qr/^0 backups in 0 archives: problems were found/, qr/does not hold the master key that "[^"]*shop.bka" needs: version 1, fingerprint [0-9a-f]{64}\n/, 'a wrong key');
append_to_file($wrong, "9:$hex\n");
gives([ 'verify', '-k', $wrong, $shop ], 0, qr/all are sound/, qr/^$/, 'the right one, by another version');
gives([ 'verify', '-k', "$base/no.key", $shop ], 3, qr/^$/, qr/could not open file "[^"]*no.key"/, 'no key file');
for my $bad ([ "x\n", 'line 1 of .* does not begin with a version' ], [ "1:12\n", 'does not have 64 hex digits' ], [ ('#' x 70000), 'larger than 65536 bytes' ])
{
	unlink "$base/bad.key";
	write_bytes("$base/bad.key", $bad->[0]);
	chmod 0600, "$base/bad.key" or die;
	gives([ 'verify', '-k', "$base/bad.key", $shop ], 3, qr/^$/, qr/$bad->[1]/, "a malformed key file: $bad->[1]");
}
chmod 0644, $wrong or die;
gives([ 'verify', '-k', $wrong, $shop ], 3, qr/^$/, qr/can be accessed by others\nbk_recover: hint: Run chmod 0600/, 'a key file that others can read');
gives([ 'verify', '--key-command', "sed -n 's/^%v://p' $key # 100%%", $shop ], 0, qr/all are sound/, qr/^$/, 'a key command');
gives([ 'verify', '--key-command', "echo $hex | tr 0-9 1-90", $shop, $other ], 3, qr/^0 backups in 0 archives/, qr/\A(?!.*needs: version.*needs: version).*the key command does not hold the master key that /s,
	'a key command with another key is asked once');
gives([ 'verify', '--key-command', 'exit 7', $shop ], 3, qr/^0 backups/, qr/the key command failed for key version 1: exit status 7/, 'that fails');
gives([ 'verify', '--key-command', 'echo no', $shop ], 3, qr/^0 backups/, qr/printed no key for key version 1/, 'that prints no key');
gives([ 'verify', '--key-command', 'yes', $shop ], 3, qr/^0 backups/, qr/printed no key/, 'that never ends');
gives([ 'verify', '--key-command', 'echo %x', $shop ], 2, qr/^$/, qr/unknown placeholder/, 'that has another placeholder');
unlike((bk_recover('verify', '-k', $wrong, $shop))[2], qr/\Q$hex\E/, 'no message has a key');

# ----- Damage: each copy is looked at, and any sound one will do.
my $bytes = slurp_file($shop);
{
	local $/;
	open my $file, '<:raw', $shop or die;
	$bytes = <$file>;
}
my $spoiled = $bytes;
substr($spoiled, -40, 1) ^= "\1";
mkdir "$base/both" or die;
write_bytes("$base/both/a.bka", $spoiled);
gives([ 'verify', '-k', $key, "$base/both" ], 1, qr/^0 backups in 0 archives: problems were found/, qr/"[^"]*a.bka" is not a sound archive, or not ours: its MAC is another/, 'a changed archive');
write_bytes("$base/both/b.bka", $bytes);
gives([ 'verify', '-k', $key, "$base/both" ], 1, qr/^4 backups in 1 archives: problems were found/, qr/a.bka/, 'beside a sound one');
gives([ 'restore', '-k', $key, '-b', 3, "$base/both" ], 0, qr/^\{"n": 3, /, qr/a.bka/, 'restores all the same');
gives([ 'list', $key ], 1, qr/^ backup_id[^\n]*\n$/, qr/is not a sound archive, or not ours: it does not begin as an archive does/, 'a file that is none');
# The last byte of the payloads is of backup 4.
my $damaged = $bytes;
substr($damaged, -33, 1) ^= "\1";
mkdir "$base/damaged" or die;
write_bytes("$base/damaged/a.bka", sealed($damaged));
gives([ 'verify', '-k', $key, "$base/damaged" ], 1, qr/^4 backups in 1 archives: problems were found/, qr/^bk_recover: error: backup 4 of resource "shop" in "?[^"]*a.bka"? is damaged: the checksum check failed: [^\n]*\n\z/, 'a damaged payload under a sound seal');
gives([ 'restore', '-k', $key, '-b', 4, "$base/damaged" ], 1, qr/^$/, qr/backup 4 of resource "shop" is damaged: the checksum check failed/, 'is not restored');
gives([ 'restore', '-k', $key, '-b', 3, "$base/damaged" ], 0, qr/^\{"n": 3, /, qr/^$/, 'unlike what stands before it');
write_bytes("$base/damaged/b.bka", $bytes);
gives([ 'restore', '-k', $key, '-b', 4, "$base/damaged" ], 0, qr/^\{"n": 4, /, qr/^$/, 'or what another archive has');
# So is the first byte of backup 1, which the others build on.
my ($payloads) = unpack 'x17 Q>', $bytes;
substr($damaged = $bytes, -32 - $payloads, 1) ^= "\1";
write_bytes("$base/damaged/b.bka", sealed($damaged));
unlink "$base/damaged/a.bka";
gives([ 'verify', '-k', $key, "$base/damaged" ], 1, qr/^4 backups in 1 archives: problems were found/, qr/(backup [1-4] of resource "shop"[^\n]* is damaged: the checksum check failed[^\n]*\n.*){4}/s, 'a damaged base spoils what builds on it');

# ----- Another database gives the same ids.
bk_database($node, 'second');
$node->safe_psql('second', q{SELECT FROM bk_create('shop', '"of the second"')});
my $second = write_bytes("$base/second.bka", archive('shop', 'second'));
gives([ 'restore', '-k', $key, '-b', 1, $shop, $second ], 2, qr/^$/, qr/there are 2 backups 1 of resource "shop", of \Q$first\E and .*\nbk_recover: hint: Choose one by its time with --at\./, 'two backups with one id');
gives([ 'restore', '-k', $key, '-t', $first, $shop, $second ], 0, qr/^\{"n": 1, /, qr/^$/, 'are told apart by their time');

# ----- A resource whose timeline is empty: what has left it is there by its id.
$node->safe_psql('postgres', q{SET backup_service.max_snapshots = 1;
SELECT FROM bk_create('left', '1'); SELECT bk_delete(backup_id) FROM bk_create('left', '2')});
my $left = write_bytes("$base/left.bka", archive('left'));
my $left_id = bk_value($node, 'postgres', q{SELECT min(backup_id) FROM bk_list('left')});
gives([ 'restore', '-k', $key, $left ], 1, qr/^$/, qr/no backup of resource "left" is in its timeline; name one with --backup-id/, 'an empty timeline');
gives([ 'restore', '-k', $key, '-b', $left_id, $left ], 0, qr/^1\n$/, qr/^$/, 'and a backup beside it');

# ----- Keys that were rotated: an archive needs that of its seal, and those of its backups.
$node->safe_psql('postgres', q{SELECT bk_key_rotate(); SELECT FROM bk_create('other', '"two"')});
my $rotated = write_bytes("$base/rotated.bka", archive('other'));
gives([ 'verify', '--key-command', "sed -n 's/^%v://p' $key", $shop, $rotated ], 0, qr/^6 backups in 2 archives: all are sound/, qr/^$/, 'a key command is asked for each version');
write_bytes("$base/newest.key", '2:' . key_line(2) . "\n");
chmod 0600, "$base/newest.key" or die;
gives([ 'verify', '-k', "$base/newest.key", $rotated ], 3, qr/^2 backups in 1 archives: problems were found/, qr/needs: version 1, .*backup 6 of resource "other" in .* is damaged: the key check failed: its master key is missing/s, 'the key of the seal alone');
gives([ 'restore', '-k', "$base/newest.key", $rotated ], 0, qr/^"two"\n$/, qr/^$/, 'gives what it wraps');
$node->safe_psql('postgres', q{SELECT bk_key_rotate(); SELECT FROM bk_create('other', '"three"')});
gives([ 'verify', '-k', $key, write_bytes("$base/thrice.bka", archive('other')) ], 0, qr/^3 backups in 1 archives: all are sound/, qr/^$/, 'rotated twice');
bk_fails($node, 'postgres', q{BEGIN; DELETE FROM backup_service.key WHERE version = 1; SELECT bk_archive('other')}, 'XX001', qr/The header check failed: the catalog has no key version 1/, 'a key version that the catalog has lost');

# ----- Hostile files, under valgrind: bits, cuts, lengths, pieces of others; refused, whatever they are.
my $valgrind = `command -v valgrind 2> /dev/null` && !$ENV{NO_VALGRIND};
local $ENV{BK_RECOVER} = $ENV{BK_RECOVER} || ($valgrind ? 'valgrind -q --error-exitcode=99 --leak-check=no bk_recover' : 'bk_recover');
sub hostile
{
	my ($name, @files) = @_;
	my %seen;
	my $n = 0;
	mkdir "$base/hostile" or die;
	write_bytes(sprintf("$base/hostile/%03d.bka", $n++), $_) for @files;
	for my $command ([ 'list', '--json' ], [ 'verify', '-k', $key ])
	{
		my ($status, undef, $messages, $signal) = bk_recover(@$command, "$base/hostile");
		$seen{$status}++;
		$seen{"signal $signal"}++ if $signal;
		is(scalar(() = $messages =~ /is not a sound archive/g), $n, "all $n are refused") if $command->[0] eq 'verify';
	}
	unlink glob "$base/hostile/*";
	rmdir "$base/hostile" or die;
	delete $seen{$_} for 0, 1, 3;
	is_deeply(\%seen, {}, "$name: ends properly");
	return;
}
sub flipped
{
	my ($at, $bit) = @_;
	my $copy = $bytes;
	substr($copy, $at, 1) ^= chr(1 << $bit);
	return $copy;
}
my $count = bk_long(60, 2000);
hostile('each of the first bytes', map { flipped($_, bk_random(0, 7)) } 0 .. 120);
hostile('any bit', map { flipped(bk_random(0, length($bytes) - 1), bk_random(0, 7)) } 1 .. $count);
hostile('cut', map { substr $bytes, 0, bk_random(0, length($bytes) - 1) } 1 .. $count);
hostile('lengths', map { my $copy = $bytes; substr($copy, bk_random(9, length($bytes) - 40), 4) = pack 'N', (0xffffffff, 0xfffffffe, 0x7fffffff, 0x80000000, bk_random(0, 1000))[ bk_random(0, 4) ]; $copy eq $bytes ? substr($copy, 1) : $copy } 1 .. $count);
hostile('exchanged pieces', map { my ($a, $b) = (bk_random(0, length($bytes) - 20), bk_random(0, length($bytes) - 20)); my $copy = $bytes; (substr($copy, $a, 16), substr($copy, $b, 16)) = (substr($bytes, $b, 16), substr($bytes, $a, 16)); $copy eq $bytes ? substr($copy, 1) : $copy } 1 .. $count);
hostile('anything', map { my $n = bk_random(0, 500); join '', ($n % 3 ? substr($bytes, 0, 25) : ''), map { chr bk_random(0, 255) } 1 .. $n } 1 .. $count);
($status, $output, my $messages) = bk_recover('restore', '-k', $key, '-b', 3, $shop);
is("$output$messages", qq({"n": 3, "t": "é"}\n), $valgrind ? 'valgrind finds nothing in a restore either' : 'a restore');

# ----- Names that would steer a terminal, in an archive that nobody has proven yet.
my $evil = $bytes =~ s/shop/\e[3m/gr;
write_bytes("$base/evil.bka", $evil);
gives([ 'list', "$base/evil.bka" ], 0, qr/"\\u001b\[3m"\n/, qr/^$/, 'a name is escaped');
gives([ 'list', '-k', $key, "$base/evil.bka" ], 1, qr/^[^\n]*\n$/, qr/its MAC is another/, 'and with a key not shown at all');
my $broken = $bytes =~ s/shop/\xff\xc3"\\/gr;
write_bytes("$base/evil.bka", $broken);
($status, $output) = bk_recover('list', '--json', "$base/evil.bka");
unlike($output, qr/[\x00-\x09\x0b-\x1f]/, 'no control character gets through');
IPC::Run::run([ 'jq', '-r', '.[0].resource_id' ], '<', \$output, '>', \my $name) or fail('what is listed is JSON');
is($name, "\x{ef}\x{bf}\x{bd}\x{ef}\x{bf}\x{bd}\"\\\n", 'and what is no UTF-8 is replaced');
# Longer than it need be.
write_bytes("$base/evil.bka", $bytes =~ s/shop/\xe0\x80\x80a/gr);
($status, $output) = bk_recover('list', '--json', "$base/evil.bka");
like($output, qr/"resource_id": "(\xef\xbf\xbd){3}a"/, 'or is no character');
# Tags that are none.
write_bytes("$base/evil.bka", $bytes =~ s/\Q{"a": [1.5]}/{"a": [1.5]>/gr);
($status, $output) = bk_recover('list', '--json', "$base/evil.bka");
like($output, qr/"backup_id": 1,.*"tags": null/, 'what is no JSON is null');
# The same in tags, which are JSON already.
$node->safe_psql('postgres', q{SELECT FROM bk_create('steered', '1', tags => '{"a": "\\u009b3m\\u007f"}')});
my $steered = write_bytes("$base/steered.bka", archive('steered'));
($status, $output) = bk_recover('list', '--json', $steered);
unlike($output, qr/\x7f|\xc2[\x80-\x9f]/, 'tags get no control character through');
IPC::Run::run([ 'jq', '-c', '.[0].tags.a | explode' ], '<', \$output, '>', \my $tags) or fail('what is listed is JSON');
is($tags, "[155,51,109,127]\n", 'and are the same tags');

# ----- The first and the last of all times.
my $one = slurp_file($other);
my $time_bytes = pack 'q>', bk_value($node, 'postgres', q{SELECT (extract(epoch FROM min(created_at)) * 1000000)::bigint FROM bk_list('other')});
for my $extreme ([ '8000000000000000', '-290308-12-21T19:59:05.224192Z' ], [ '7fffffffffffffff', '294247-01-10T04:00:54.775807Z' ])
{
	write_bytes("$base/extreme.bka", $one =~ s/\Q$time_bytes\E/pack 'H*', $extreme->[0]/gre);
	gives([ 'list', "$base/extreme.bka" ], 0, qr/ \Q$extreme->[1]\E /, qr/^$/, "a backup of $extreme->[1]");
}
$node->stop;
done_testing();
