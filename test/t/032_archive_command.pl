# Does archive_command ship every backup, whatever happens, and do the shipped files bring all back when the database is gone?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use File::Path qw(rmtree);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use QueueTest;
use Test::More;
use WorkerTest;

my $node = queue_cluster('ship', conf => "backup_service.scrub_interval = 0\nbackup_service.worker_idle_timeout = 1h\nlogging_collector = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
my $base = $node->basedir;
my $work = $node->data_dir . '/backup_service_archive';
my $folders = 0;

# A new directory for shipped files.
sub folder
{
	my $path = "$base/archive" . ++$folders;
	mkdir $path or die;
	return $path;
}

sub configure
{
	my ($command) = @_;
	$command =~ s/'/''/g;
	$node->safe_psql('postgres', "ALTER SYSTEM SET backup_service.archive_command = '$command'");
	$node->reload;
	return;
}

sub metric
{
	my ($name) = @_;
	return bk_value($node, 'postgres', "SELECT (regexp_match(bk_metrics(), '^$name ([0-9.]+)\$', 'n'))[1]");
}
sub unarchived { return bk_value($node, 'postgres', 'SELECT count(*) FROM bk_unarchived') }
sub all_shipped { return bk_wait_for(LATCH_WAIT, sub { unarchived() == 0 }) }
sub files { return map { s{.*/}{}r } sort glob "$_[0]/*" }

# ----- The lines of the page, as they stand there, with stand-ins for the programs.
my ($root) = grep { -e "$_/docs/archive.md" } map { "$FindBin::RealBin/$_" } '../..';
my $page = slurp_file("$root/docs/archive.md");
my @lines = $page =~ /^backup_service\.archive_command = '(.*)'$/mg;
is(scalar(@lines), 3, 'the page has three commands');
mkdir "$base/bin" or die;
sub stand_in
{
	my ($name, $script) = @_;
	append_to_file("$base/bin/$name", "#!/bin/sh\n$script");
	chmod 0755, "$base/bin/$name" or die;
	return;
}
my $bucket = folder();
stand_in('aws', qq{test "\$1 \$2 \$3" = "s3 cp --only-show-errors" || exit 64\ncase \$5 in s3://example-archive/shop/*) exec cp "\$4" "$bucket/\${5##*/}" ;; esac\nexit 65\n});
my $remote = folder();
stand_in('rclone', qq{test "\$1 \$2" = "copyto --immutable" || exit 64\ncase \$4 in remote:archive/shop/*) test ! -e "$remote/\${4##*/}" && exec cp "\$3" "$remote/\${4##*/}" ;; esac\nexit 65\n});
my $plain = folder();
my %place = (test => $plain, aws => $bucket, rclone => $remote);
is(bk_value($node, 'postgres', "SELECT detail FROM bk_health() WHERE name = 'archive'"), 'backup_service.archive_command is not set', 'without a command nothing is shipped');
is(metric('backups_unarchived'), '', 'nor is it in bk_metrics()');
$node->safe_psql('postgres', q{SELECT FROM bk_create('shop', '{"n": 0}')});
for my $line (@lines)
{
	my ($program) = $line =~ /^(\w+)/;
	my $command = $line =~ s{/mnt/archive}{$plain}gr;
	configure("PATH=$base/bin:\$PATH; $command");
	$node->safe_psql('postgres', "SELECT FROM bk_create('shop', '{\"n\": 1, \"by\": \"$program\"}', 'incremental'); SELECT FROM bk_create('shop', '{\"n\": 2, \"by\": \"$program\"}', 'incremental')");
	ok(all_shipped(), "$program: shipped") or diag(slurp_file($node->logfile));
	is(scalar(files($place{$program})), $program eq 'test' ? 3 : 2, 'a file each, also of the backup that was there before');
}
is(bk_value($node, 'postgres', "SELECT ok, detail FROM bk_health() WHERE name = 'archive'"), 't|none waits', 'bk_health() says so');
my ($status, $output, $messages) = bk_recover('verify', '-k', bk_key_path($node), $plain, $bucket, $remote);
is("$status $output", "0 7 backups in 7 archives: all are sound\n", 'bk_recover finds them sound, over three places');
($status, $output, $messages) = bk_recover('restore', '-k', bk_key_path($node), $remote);
note($messages);
like("$status $output$messages", qr/^1 .*its base, backup \d+, is in none of the archives/s, 'one place alone lacks what the others have');
my ($single) = glob "$plain/*";
bk_fails($node, 'postgres', "SELECT bk_archive_import(pg_read_binary_file('$single'))", '22023',
	qr/the archive is of one backup, not of a resource\nDETAIL:  backup_service\.archive_command ships such archives\.\nHINT:  Restore the document with the program bk_recover, or use an archive that bk_archive\(\) has made\./,
	'such a file is not imported');
is_deeply([ files("$work/*") ], [], 'no file is left behind');
is(sprintf('%04o', (stat $work)[2] & 07777), '0700', 'in a directory of the server alone');

# ----- Order, modes, and what the command is given.
my $ordered = folder();
configure(qq{echo "%f %% \$(stat -c %%a %p) \$(pwd)" >> $ordered/log; cp %p $ordered/});
$node->safe_psql('postgres', "SELECT FROM generate_series(1, 30) n, bk_create('r' || n % 3, to_jsonb(n), CASE WHEN n > 3 THEN 'incremental' ELSE 'full' END)");
ok(all_shipped(), 'thirty backups');
my @told = map { [split] } split /\n/, slurp_file("$ordered/log");
is_deeply([ map { ($_->[0] =~ /^backup-0*(\d+)-[0-9a-f]{16}\.bka$/)[0] } @told ], [ 8 .. 37 ], 'each once, in order');
is_deeply([ grep { $_->[1] ne '%' || $_->[2] ne '600' || $_->[3] ne $node->data_dir } @told ], [], 'mode 0600, in the data directory');

# ----- Failures: nothing is skipped, nothing is marked, and it goes on by itself.
my $log = -s $node->logfile;
my $fails = folder();
configure("test -e $fails/open && test ! -f $fails/%f && cp %p $fails/%f || { echo no way; exit 3; }");
$node->safe_psql('postgres', "SELECT FROM generate_series(1, 3) n, bk_create('f', to_jsonb(n), 'incremental')");
ok(bk_wait_for(LATCH_WAIT, sub { worker_log($node, $log) =~ /tried again in 2 s/ }), 'it is tried again, later and later');
my $health = "SELECT ok, regexp_replace(detail, 'since .*', '') FROM bk_health() WHERE name = 'archive'";
is(bk_value($node, 'postgres', $health), 't|3 ', 'for which there is time');
is(bk_value($node, 'postgres', "BEGIN; UPDATE backup_service.backup SET created_at = created_at - interval '6 minutes' WHERE archived_at IS NULL; $health; ROLLBACK"),
	'f|3 ', 'five minutes later bk_health() complains');
like(worker_log($node, $log), qr/no way\n.*WARNING:  backup 38 of resource "f" could not be archived\n.*DETAIL:  The command exited with status 3\./s, 'what it printed, and how it ended, are in the log');
is(unarchived(), 3, 'nothing is marked');
is(metric('backups_unarchived'), 3, 'bk_metrics() counts them');
cmp_ok(metric('backup_unarchived_oldest_seconds'), '>', 0, 'with the age of the oldest');
cmp_ok(metric('backup_archive_failures_total'), '>=', 2, 'and the failures');
is_deeply([ files($fails) ], [], 'or shipped');
append_to_file("$fails/open", '');
ok(all_shipped(), 'then all are');
is(scalar(grep { /^backup/ } files($fails)), 3, 'once each');
is(metric('backups_unarchived') . ' ' . metric('backup_unarchived_oldest_seconds'), '0 0', 'and none waits');
for my $how ([ 'exit 200', 'exited with status 200' ], [ 'kill -9 $$', 'was ended by signal 9' ], [ 'no-such-program', 'exited with status 127' ])
{
	$log = -s $node->logfile;
	configure($how->[0]);
	$node->safe_psql('postgres', "SELECT FROM bk_create('f', '0')");
	ok(bk_wait_for(LATCH_WAIT, sub { worker_log($node, $log) =~ /The command \Q$how->[1]\E\./ }), "$how->[0]: $how->[1]");
	ok(unarchived() > 0, 'is not marked');
}
$log = -s $node->logfile;
configure('cp %p %x');
ok(bk_wait_for(LATCH_WAIT, sub { worker_log($node, $log) =~ /22023 ERROR:  backup_service.archive_command holds an unknown placeholder\n.*"%x" means nothing/s }), 'an unknown placeholder is named');
$node->safe_psql('postgres', "ALTER SYSTEM SET backup_service.archive_command_timeout = '300ms'");
$log = -s $node->logfile;
my $seconds = 100_000 + $$;
configure("sleep $seconds; cp %p $fails/");
ok(bk_wait_for(LATCH_WAIT, sub { worker_log($node, $log) =~ /The command took longer than 300 ms/ }), 'one that hangs is ended');
is(`ps -eo args | grep -c '^sleep $seconds\$'`, "0\n", 'with all its processes');
$node->safe_psql('postgres', 'ALTER SYSTEM RESET backup_service.archive_command_timeout');

# ----- A partial copy blocks nobody: the next try has another name.
my $torn = folder();
configure("test ! -f $torn/%f && { test -e $torn/mended && cp %p $torn/%f || { head -c 100 %p > $torn/%f; exit 1; }; }");
ok(bk_wait_for(LATCH_WAIT, sub { files($torn) > 1 }), 'torn files');
append_to_file("$torn/mended", '');
ok(all_shipped(), 'do not stop what comes');
($status, $output, $messages) = bk_recover('verify', '-k', bk_key_path($node), '-r', 'f', $torn, $fails);
like("$status $messages", qr/^1 .*is not a sound archive, or not ours: it has 100 bytes instead of/s, 'bk_recover names them');

# ----- A directory that cannot be written: what a process that is no more has left stays, and so do the backups.
my ($own) = glob "$work/*";
append_to_file("$own/left", '');
chmod 0500, $own or die;
$log = -s $node->logfile;
$node->restart;
$node->safe_psql('postgres', "SELECT FROM bk_create('f', '1')");
ok(bk_wait_for(LATCH_WAIT, sub { worker_log($node, $log) =~ /WARNING:  could not remove file "[^"]*left": Permission denied.*ERROR:  could not create file "[^"]*": Permission denied/s }), 'both are said');
chmod 0700, $own or die;
ok(all_shipped(), 'then it goes on');
# What is shot below does not write down which lines it has run so far (make coverage).
$node->restart;

# ----- Crashes: of the worker and of the server, before the command and after its success.
# The backup is there before the worker may ship it, or the session that makes it would see the crash.
my $crash = folder();
for my $case ([ 'archive-starting', 'k' ], [ 'archive-starting', 's' ], [ 'archive-shipped', 'k' ], [ 'archive-shipped', 's' ])
{
	my ($point, $who) = @$case;
	configure('');
	my $id = bk_value($node, 'postgres', "SELECT backup_id FROM bk_create('crash', to_jsonb(clock_timestamp()), 'incremental')");
	queue_point($node, $point, $who);
	configure("test ! -f $crash/%f && cp %p $crash/%f");
	ok(queue_reached($node, $point), "killed at $point ($who)");
	select undef, undef, undef, 0.5;
	if ($who eq 's') { $node->_update_pid(0) if $node->can('_update_pid'); $node->start; }
	ok(bk_wait_ready($node, 30), 'the server is back');
	ok(all_shipped(), 'and the backup is shipped');
	my $name = sprintf 'backup-%019d-', $id;
	cmp_ok(scalar(grep { /^\Q$name\E/ } files($crash)), '>=', 1, 'for good');
}
is_deeply([ files("$work/*") ], [], 'no file of a dead process is left');

# ----- Shutdown does not wait for a command, nor leave it behind.
configure("echo \$\$ > $base/pid; exec sleep 300");
$node->safe_psql('postgres', "SELECT FROM bk_create('f', '7')");
ok(bk_wait_for(LATCH_WAIT, sub { -s "$base/pid" }), 'a command runs');
chomp(my $pid = slurp_file("$base/pid"));
my $started = time;
$node->restart;
cmp_ok(time - $started, '<', 30, 'the server stops all the same');
ok(bk_wait_for(LATCH_WAIT, sub { !kill(0, $pid) }), 'and the command with it');
ok(bk_wait_for(LATCH_WAIT, sub { slurp_file("$base/pid") ne "$pid\n" }), 'which is run again afterwards');
my $beside = bk_value($node, 'postgres', "SELECT backup_id FROM bk_create('beside', '1')");
my $operation = bk_value($node, 'postgres', "SELECT bk_restore_enqueue($beside, 'besides')");
bk_value($node, 'postgres', "SELECT bk_restore_wait($operation, '10 s')");
is(bk_value($node, 'postgres', "SELECT count(*) FROM bk_backups WHERE resource_id = 'besides'"), 1, 'other jobs go on beside it') or diag(slurp_file($node->logfile));

# ----- A damaged backup holds up nobody.
my $last = folder();
configure("cp %p $last/");
ok(all_shipped(), 'all are shipped');
configure('');
my $bad = bk_value($node, 'postgres', "SELECT backup_id FROM bk_create('bad', '{\"a\": 1}')");
$node->safe_psql('postgres', "UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE backup_id = $bad; SELECT FROM bk_create('good', '1')");
my $gone = bk_value($node, 'postgres', "SELECT backup_id FROM bk_create('baseless', '{\"a\": 1}')");
$node->safe_psql('postgres', "SELECT FROM bk_create('baseless', '{\"a\": 2}', 'incremental'); DELETE FROM backup_service.backup WHERE backup_id = $gone");
configure("cp %p $last/");
ok(bk_wait_for(LATCH_WAIT, sub { bk_value($node, 'postgres', "SELECT string_agg(resource_id || ' ' || status, ', ' ORDER BY resource_id) FROM bk_unarchived") eq 'bad corrupt, baseless corrupt' }), 'what is damaged is marked, what follows is shipped');

$node->restart;

# ----- The end: everything goes into one new directory, then the database is destroyed.
my $whole = folder();
configure('');
ok(worker_rests($node, "postgres"), 'without a command the worker rests');
$node->safe_psql('postgres', 'UPDATE backup_service.backup SET archived_at = NULL; ' . bk_noise_function() . q{
SELECT FROM generate_series(1, 20) n, bk_create('shop', jsonb_build_object('n', n, 'noise', bk_noise('n' || n / 7, 100000)), CASE n % 10 WHEN 1 THEN 'full' WHEN 5 THEN 'differential' ELSE 'incremental' END,
	compression => (ARRAY['gzip', 'zstd', 'none'])[n % 3 + 1], encrypt => n % 4 <> 0);
SELECT bk_key_rotate();
SELECT FROM bk_create('shop', '{"n": "after the rotation"}', 'incremental')});
configure("cp %p $whole/");
ok(bk_wait_for(60, sub { bk_value($node, 'postgres', "SELECT count(*) FROM bk_unarchived WHERE status = 'completed'") == 0 }), 'the whole catalog is shipped');
my %documents = map { $_->[0] => $_->[1] } map { [ split /\|/, $_, 2 ] } split /\n/, bk_value($node, 'postgres', "SELECT backup_id, bk_read(backup_id) FROM bk_backups WHERE status = 'completed'");
my @times = bk_rows($node, 'postgres', q{SELECT backup_id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') FROM bk_backups WHERE resource_id = 'shop' ORDER BY created_at});
PostgreSQL::Test::Utils::system_or_bail('cp', '-p', bk_key_path($node), "$base/safe.key");
$node->stop('immediate');
rmtree($node->data_dir);
ok(!-e $node->data_dir, 'the database is destroyed');
($status, $output, $messages) = bk_recover('verify', '-k', "$base/safe.key", $whole);
is("$status $output$messages", '0 ' . scalar(keys %documents) . ' backups in ' . scalar(keys %documents) . " archives: all are sound\n", 'every backup is there, and sound');
my $same = 0;
for my $id (keys %documents)
{
	($status, $output, $messages) = bk_recover('restore', '-k', "$base/safe.key", '-b', $id, $whole);
	$same += $status == 0 && $output eq "$documents{$id}\n" or diag("backup $id: $messages");
}
is($same, scalar(keys %documents), "each of $same documents is what it was, to the byte");
($status, $output) = bk_recover('restore', '-k', "$base/safe.key", '-r', 'shop', $whole);
is($output, "$documents{ $times[-1][0] }\n", 'the newest of a resource');
my $right = 0;
for my $time (@times)
{
	($status, $output) = bk_recover('restore', '-k', "$base/safe.key", '-r', 'shop', '--at', $time->[1], $whole);
	$right += $output eq "$documents{ $time->[0] }\n";
}
is($right, scalar(@times), 'and that of each time');
done_testing();
