# Does what README.md, docs/archive.md and the manual print bring the resources of a database back that was destroyed?
# Their commands are run as they stand there, with other paths and another time.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use File::Path qw(rmtree);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use WorkerTest;

my $root = "$FindBin::RealBin/../..";
my $work = PostgreSQL::Test::Utils::tempdir();
my $archive = "$work/archive";
mkdir $_ or die for $archive, "$work/safe";

# The page's command that begins so, with our places in it.
sub command
{
	my ($page, $begin, $at) = @_;
	my $text = slurp_file("$root/$page") =~ s/\\-/-/gr;
	my ($found) = $text =~ /^(\Q$begin\E[^\n]*)$/m;
	ok($found, "$page has: $begin …") or return 'false';
	$found =~ s{/mnt/archive}{$archive}g;
	$found =~ s/'2026-11-01 09:00'/'$at'/ if $at;
	$found =~ s{-k backup_service\.key}{-k safe/backup_service.key};
	return $found;
}

sub shell
{
	my ($command) = @_;
	IPC::Run::run([ 'bash', '-c', "cd $work && $command" ], '<', '/dev/null', '>', \my $output, '2>', \my $messages);
	return ($? >> 8, $output, $messages);
}

# ----- A server as README.md sets it up, its backups, and the copy of its key file.
my $conf = command('README.md', 'shared_preload_libraries = ') . "\n" . command('README.md', 'backup_service.archive_command = ') . "\n";
my $node = bk_start('way', conf => $conf);
$node->safe_psql('postgres', q{
SELECT FROM bk_create('shop', '{"theme": "dark", "é": "\" \\\\ $(x) `x` :y"}');
SELECT FROM bk_create('shop', '{"theme": "light", "é": "\" \\\\ $(x) `x` :y"}', 'incremental');
SELECT FROM bk_create('it''s "other"', '[1, 2.50]');
SELECT FROM bk_create('third', '{"n": 3}')});
ok(bk_wait_for(LATCH_WAIT, sub { bk_value($node, 'postgres', 'SELECT count(*) FROM bk_unarchived') eq '0' }), 'all is shipped');
my @rows = bk_rows($node, 'postgres', q{SELECT resource_id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') FROM bk_backups ORDER BY backup_id});
my %document = map { $_->[0] => $_->[1] } map { [ split /\|/, $_, 2 ] } split /\n/, bk_value($node, 'postgres', q{SELECT r.resource_id, bk_restore_at(r.resource_id, now()) FROM bk_resources r});
PostgreSQL::Test::Utils::system_or_bail('install', '-m', '0600', bk_key_path($node), "$work/safe/backup_service.key");
$node->stop('immediate');
rmtree($node->data_dir);
ok(!-e $node->data_dir, 'the database is destroyed');

# ----- What the pages say.
for my $page ('README.md', 'docs/archive.md', 'docs/bk_recover.1')
{
	my $key = $page =~ /\.1$/ ? '-k backup_service.key' : '-k safe/backup_service.key';
	my ($status, $output, $messages) = shell(command($page, "bk_recover list $key"));
	is("$status$messages", '0', 'it lists');
	is(scalar(() = $output =~ /\n/g), 5, 'four backups, and a heading');
	($status, $output) = shell(command($page, "bk_recover restore $key -r shop /mnt/archive"));
	is($status, 0, 'it restores');
	is(slurp_file("$work/shop.json"), "$document{shop}\n", 'the newest document');
	($status, $output) = shell(command($page, "bk_recover restore $key -r shop -" . ($page =~ /\.1$/ ? 't' : '-at'), $rows[0][1]));
	is($status, 0, 'and by time');
	like(slurp_file("$work/shop.then.json"), qr/"dark"/, 'that of then');
	next if $page eq 'README.md';
	($status, $output) = shell(command($page, "bk_recover verify $key"));
	is("$status $output", "0 4 backups in 4 archives: all are sound\n", 'it verifies');
}

# ----- Into a new database: the whole block.
my $new = bk_start('new');
$new->safe_psql('postgres', 'CREATE DATABASE shop');
$new->safe_psql('shop', 'CREATE EXTENSION backup_service');
my ($block) = slurp_file("$root/docs/archive.md") =~ /^```sh\n(bk_recover list [^\n]*\| while .*?)^```$/ms;
ok($block, 'docs/archive.md has the way into a new database');
$block =~ s{/mnt/archive}{$archive}g;
local $ENV{PGHOST} = $new->host;
local $ENV{PGPORT} = $new->port;
my ($status, $output, $messages) = shell($block);
like("$status$messages", qr/\A0(?:WARNING:  a new master key was made\n.*\n.*\n)?\z/, 'it runs');
is(scalar(() = $output =~ /\n/g), 3, 'three resources');
is(bk_value($new, 'shop', 'SELECT bk_restore_at(' . ($_ =~ s/'/''/gr =~ s/^|$/'/gr) . ', now())'), $document{$_}, "$_ is what it was") for sort keys %document;
$new->stop;
done_testing();
