# Does bk_recover say what a directory lacks, and does it never give another state for what is missing?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use QueueTest;
use Test::More;
use WorkerTest;

my $node = queue_cluster('gaps', conf => "backup_service.scrub_interval = 0\nbackup_service.worker_idle_timeout = 1h\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
my $base = $node->basedir;
my $key = bk_key_path($node);
my $folder = "$base/archive";
mkdir $folder or die;
my $copies = 0;

sub sql { return bk_value($node, 'postgres', $_[0]); }

sub configure
{
	my ($command) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET backup_service.archive_command = '$command'");
	$node->reload;
	return;
}

sub shipped { return ok(bk_wait_for(LATCH_WAIT, sub { sql(q{SELECT count(*) FROM bk_unarchived WHERE status = 'completed'}) eq '0' }), $_[0]); }

# Back up a number; its id.
sub create
{
	my ($n, $resource) = @_;
	return sql("SELECT backup_id FROM bk_create('" . ($resource || 'shop') . "', '$n')");
}

sub path
{
	my ($id, $from) = @_;
	my @found = glob sprintf('%s/backup-%019d-*.bka', $from || $folder, $id);
	die "backup $id has " . @found . ' files' unless @found == 1;
	return $found[0];
}

# The directory without the files of some backups.
sub without
{
	my @ids = @_;
	my $copy = "$base/copy" . ++$copies;
	PostgreSQL::Test::Utils::system_or_bail('cp', '-r', $folder, $copy);
	unlink path($_, $copy) or die for @ids;
	return $copy;
}

my %time;

sub note_times { %time = map { @$_ } bk_rows($node, 'postgres', q{SELECT backup_id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM bk_backups}); return; }

# It ends with this status, says this on standard output and that on standard error.
sub gives
{
	my ($arguments, $status, $output, $messages, $name) = @_;
	IPC::Run::run([ 'bk_recover', @$arguments ], '<', '/dev/null', '>', \my $out, '2>', \my $err);
	note($err);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return subtest $name => sub {
		is($? >> 8, $status, "status $status");
		like($out, $output, 'output');
		like($err, $messages, 'messages');
	};
}

sub at { return ('restore', '-k', $key, '-r', 'shop', '--at', $time{ $_[0] }) }

configure("cp %p $folder/%f");
my @shop = map { my $id = create($_); create("1$_", 'other'); $id } 1 .. 6;
shipped('twelve backups are shipped');
note_times();
gives([ 'verify', '-k', $key, $folder ], 0, qr/^12 backups in 12 archives: all are sound\n$/, qr/^$/, 'all are there');
gives([ at($shop[$_]), $folder ], 0, qr/^@{[ $_ + 1 ]}$/, qr/^$/, 'the state of each time') for 0 .. 5;

# ----- One file is missing.
my ($second, $third, $fourth) = @shop[ 1 .. 3 ];
my $one = without($third);
gives([ 'verify', '-k', $key, $one ], 1, qr/^11 backups in 11 archives: problems were found\n$/,
	qr/^bk_recover: error: backup $third of resource "shop", of \Q$time{$third}\E, is in none of the archives, though one that was shipped after it is\n$/, 'verify names it');
gives([ 'list', '-r', 'shop', $one ], 0, qr/\n +$second .* full [^\n]*\n +$third  \Q$time{$third}\E  missing  [^\n]*\n +$fourth .* full /, qr/^$/, 'list shows it');
IPC::Run::run([ 'bk_recover', 'list', '--json', '-r', 'shop', $one ], '>', \my $json);
IPC::Run::run([ 'jq', '-c', '.[] | select(.type == "missing") | [.backup_id, .created_at, .lost_before, .archives]' ], '<', \$json, '>', \my $row);
is($row, qq([$third,"$time{$third}",0,[]]\n), 'as JSON too');
gives([ at($third), $one ], 1, qr/^$/,
	qr/^bk_recover: error: the state of resource "shop" at \Q$time{$third}\E is not certain: backup $third of \Q$time{$third}\E is in none of the archives\nbk_recover: hint: Look for the file elsewhere, or take backup $second of \Q$time{$second}\E, the nearest earlier one, with --nearest\.\n$/,
	'its state is refused');
gives([ at($third), '--nearest', $one ], 0, qr/^2$/, qr/^bk_recover: warning: the state of \Q$time{$third}\E is not certain: backup $third of /, 'or another by wish, which is said');
gives([ at($second), $one ], 0, qr/^2$/, qr/^$/, 'the state before it is certain');
gives([ at($fourth), $one ], 0, qr/^4$/, qr/^$/, 'and the one after it');
gives([ 'restore', '-k', $key, '-r', 'shop', $one ], 0, qr/^6$/, qr/^$/, 'and the newest');
gives([ 'restore', '-k', $key, '-r', 'shop', '-b', $third, $one ], 1, qr/^$/, qr/backup $third of \Q$time{$third}\E is in none of the archives, though one that was shipped after it is/, 'by id there is none');
gives([ 'verify', '-k', $key, $one, path($third) ], 0, qr/all are sound/, qr/^$/, 'the file found again fills the gap');

# ----- One that is damaged is as good as missing.
my $torn = without();
truncate path($third, $torn), 200 or die;
gives([ at($third), $torn ], 1, qr/^$/, qr/is not a sound archive.*is not certain: backup $third of/s, 'a damaged file is a gap');

# ----- Two in a row: what was before the second is not certain either.
my $two = without($third, $fourth);
gives([ at($_), $two ], 1, qr/^$/, qr/is not certain: backup $fourth of \Q$time{$fourth}\E is in none/, "two are missing: backup $_") for $fourth;
gives([ at($_), $two ], 1, qr/^$/,
	qr/is not certain: not every backup that was made between backup $second of \Q$time{$second}\E and backup $fourth of \Q$time{$fourth}\E is in the archives\nbk_recover: hint: .* backup $second of/,
	'nobody can tell what was before the second') for $third;
gives([ 'list', '-r', 'shop', $two ], 0, qr/\n +\(1\) +missing +"shop"\n +$fourth .* missing /, qr/^$/, 'how many is known');

# ----- At the front nobody misses them, and before it there is no state.
my $front = without(@shop[ 0 .. 2 ]);
gives([ 'verify', '-k', $key, $front ], 0, qr/^9 backups in 9 archives: all are sound\n$/, qr/^$/, 'files removed from the front');
gives([ at($third), $front ], 1, qr/^$/, qr/has no state of .*The first backup is of \Q$time{$fourth}\E/s, 'are not taken for another state');

# ----- Deleted before it was shipped, with and without a trace.
configure('false');
my $gone = create(7);
my $after = create(8);
note_times();
sql("SELECT bk_delete($gone)");
configure("cp %p $folder/%f");
shipped('the next is shipped');
gives([ 'verify', '-k', $key, $folder ], 0, qr/^resource "shop": before backup $after, 1 backups were made that were never shipped, deleted or damaged by then\n13 backups .* all are sound\n$/, qr/^$/, 'what was never shipped is no problem of the directory');
gives([ at($gone), $folder ], 1, qr/^$/, qr/not every backup that was made between backup $shop[5] of .* and backup $after of .* is in the archives/, 'but its state is not certain');
gives([ at($after), $folder ], 0, qr/^8$/, qr/^$/, 'the next one is');
gives([ 'list', '-r', 'shop', $folder ], 0, qr/\n +\(1\) +not shipped +"shop"\n +$after /, qr/^$/, 'list shows it');

# ----- What was shipped is named also when it is deleted here, and all older ones.
sql("SELECT bk_delete(backup_id) FROM bk_list('shop') ORDER BY backup_id");
sql(q{DELETE FROM backup_service.snapshot WHERE resource_id = 'shop'});
my $ninth = create(9);
shipped('after all others were deleted');
note_times();
gives([ 'verify', '-k', $key, '-r', 'shop', $folder ], 0, qr/1 backups were made.*\n8 backups .* all are sound\n$/, qr/^$/, 'nothing is missing');
gives([ 'verify', '-k', $key, '-r', 'shop', without($after) ], 1, qr/problems/, qr/backup $after of resource "shop"/, 'and where it is, it is named');

# ----- A damaged backup is passed over, and shipped late when it is sound again.
my $flip = q{UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE backup_id = };
configure('');
my $bad = create('"damaged"');
sql("$flip$bad");
my $tenth = create(10);
configure("cp %p $folder/%f");
shipped('it is passed over');
note_times();
gives([ at($bad), $folder ], 1, qr/^$/, qr/not every backup that was made between backup $ninth of .* and backup $tenth of/, 'its state is not certain');
sql("$flip$bad");
sql("SELECT bk_verify($bad)");
shipped('sound again, it is shipped');
gives([ at($bad), $folder ], 0, qr/^"damaged"$/, qr/^$/, 'and its state is there');
gives([ at($tenth), $folder ], 0, qr/^10$/, qr/^$/, 'as is the next');
gives([ at($bad), without($bad) ], 1, qr/^$/, qr/not every backup/, 'not so where its file is lost');

# ----- An archive of the whole resource has what single files lack.
my $eleventh = create(11);
my $twelfth = create(12);
shipped('two more');
note_times();
my $whole = without($eleventh);
gives([ at($eleventh), $whole ], 1, qr/^$/, qr/backup $eleventh of/, 'a file is missing');
open my $file, '>:raw', "$whole/shop.bka" or die;
my $archive = sql(q{SELECT encode(bk_archive('shop'), 'hex')});
print $file pack 'H*', $archive;
close $file or die;
gives([ at($eleventh), $whole ], 0, qr/^11$/, qr/^$/, 'the archive of the resource has it');

# ----- After it the number of those that are missing is not known: it counts none.
my ($next, $newest) = (create(121), create(122));
shipped('two after it');
note_times();
my $bare = "$base/bare";
mkdir $bare or die;
PostgreSQL::Test::Utils::system_or_bail('cp', "$whole/shop.bka", path($newest), $bare);
gives([ at($next), $bare ], 1, qr/^$/, qr/is not certain: backup $next of .* is in none of the archives/, 'a file that is missing after it');
gives([ at($twelfth), $bare ], 1, qr/^$/, qr/is not certain: not every backup that was made between backup $twelfth of .* and backup $next of/, 'nor is certain what came before that one');
gives([ at($newest), $bare ], 0, qr/^122$/, qr/^$/, 'the newest is');
gives([ 'list', '-r', 'shop', $bare ], 0, qr/\n +\(\?\) +missing +"shop"\n +$next .* missing /, qr/^$/, 'nobody knows how many');
IPC::Run::run([ 'bk_recover', 'list', '--json', '-r', 'shop', $bare ], '>', \$json);
IPC::Run::run([ 'jq', '-c', '.[] | select(.type == "missing") | [.backup_id, .lost_before]' ], '<', \$json, '>', \$row);
is($row, "[$next,null]\n", 'as JSON too');

# ----- The same name anew, and taken in again, is no gap; nor is the directory of before.
sql(q{SELECT bk_resource_drop('shop')});
my $anew = create(13);
shipped('a new resource of the name');
sql(q{SELECT bk_resource_drop('shop')});
sql("SELECT bk_archive_import(decode('$archive', 'hex'))");
shipped('an old one taken in');
my $last = create(14);
shipped('and gone on with');
note_times();
gives([ 'verify', '-k', $key, '-r', 'shop', $folder ], 0, qr/^resource[^\n]*\n\d+ backups .* all are sound\n$/, qr/^$/, 'none is missing');
gives([ at($last), $folder ], 0, qr/^14$/, qr/^$/, 'the newest is certain');
my ($imported) = map { $_->[0] } bk_rows($node, 'postgres', qq{SELECT backup_id FROM bk_list('shop') WHERE bk_read(backup_id) = '12'});
gives([ 'verify', '-k', $key, '-r', 'shop', without($imported) ], 1, qr/problems/, qr/backup $imported of resource "shop"/, 'what is taken in is missed too');

# ----- Two databases that ship the same name, with the same ids, into one directory.
configure('');
my $shared = "$base/shared";
mkdir $shared or die;
$folder = $shared;
bk_database($node, $_) for 'one', 'two';
for my $n (1 .. 4)
{
	bk_value($node, $_, "SELECT FROM bk_create('same', to_jsonb('$_ $n'::text))") for 'one', 'two';
}
bk_value($node, 'two', 'SELECT bk_delete(3)');
my ($between) = bk_value($node, 'one', q{SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM bk_backups WHERE backup_id = 4});
configure("cp %p $shared/%f");
ok(bk_wait_for(LATCH_WAIT, sub { bk_value($node, 'one', 'SELECT count(*) FROM bk_unarchived') . bk_value($node, 'two', 'SELECT count(*) FROM bk_unarchived') eq '00' }), 'both are shipped');
gives([ 'verify', '-k', $key, '-r', 'same', $shared ], 0, qr/^resource "same": before backup 4, 1 backups were made that were never shipped.*\n7 backups in 7 archives: all are sound\n$/, qr/^$/, 'they are told apart');
gives([ 'restore', '-k', $key, '-r', 'same', '--at', $between, $shared ], 1, qr/^$/, qr/is not certain/, 'what one of them lacks, the other does not hide');
$folder = "$base/archive";

# ----- All of it once more into an empty directory.
my $second_folder = "$base/second";
mkdir $second_folder or die;
configure('');
ok(worker_rests($node, 'postgres'), 'the worker rests');
sql('UPDATE backup_service.backup SET archived_at = NULL');
configure("cp %p $second_folder/%f");
shipped('all is shipped anew');
$folder = $second_folder;
gives([ 'verify', '-k', $key, $folder ], 0, qr/all are sound\n$/, qr/^$/, 'and complete');
gives([ 'verify', '-k', $key, without($imported) ], 1, qr/problems/, qr/backup $imported of resource "shop"/, 'and knows what is missing');
$node->stop;
done_testing();
