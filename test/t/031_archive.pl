# Does a resource's archive move its history to another server, whatever its keys and encoding, and is what is wrong refused?
use strict;
use warnings;
use utf8;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use Digest::SHA qw(hmac_sha256);
use Encode qw(encode);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

$ENV{PGCLIENTENCODING} = 'UTF8';
my $from = bk_start('from');
my $to = bk_start('to');

sub sql { return encode('UTF-8', $_[0]) }

sub archive
{
	my ($node, $database, $resource) = @_;
	return bk_value($node, $database, sql("SELECT encode(bk_archive('$resource'), 'hex')"));
}

# Everything of a resource that an archive keeps.
sub history
{
	my ($node, $database, $resource) = @_;
	return bk_value($node, $database, sql(qq{
SELECT b.type, b.created_at, b.size, b.stored_size, b.compression, b.encrypted, b.checksum, b.tags::text COLLATE "C", b.version, b.source, b.resource_type, b.created_by, b.completed_at, b.expires_at,
	(SELECT o.created_at FROM bk_backups o WHERE o.backup_id = b.base_id), bk_verify(b.backup_id) ->> 'valid', bk_read(b.backup_id)
  FROM bk_backups b WHERE b.resource_id = '$resource' ORDER BY b.created_at;
SELECT created_at, removed_at FROM bk_snapshots WHERE resource_id = '$resource' ORDER BY 1;
SELECT name, reason, until, created_by, created_at FROM bk_holds WHERE resource_id = '$resource' ORDER BY 1;}));
}

sub import_sql
{
	my ($archive, $name) = @_;
	return sql("SELECT bk_archive_import('\\x$archive'" . ($name ? ", '$name')" : ')'));
}

# By a file: an archive may be longer than a command line.
sub run_import
{
	my ($node, $database, $archive, $name) = @_;
	my $file = $node->basedir . '/import.sql';
	unlink $file;
	append_to_file($file, import_sql($archive, $name));
	return bk_value($node, $database, "\\i $file");
}

$from->safe_psql('postgres', sql(bk_noise_function() . q{
SELECT FROM bk_create('shop', '{"é": 1, "ab": [1.00, null]}', tags => '{"clé": "é"}', retention => '10 years', source => 'à');
SELECT FROM bk_create('shop', '{"é": 2, "ab": [1.00, null]}', 'incremental', encrypt => false);
SELECT FROM bk_create('shop', '{"é": 3, "ab": [1.00, null]}', 'incremental');
SELECT FROM bk_create('shop', jsonb_build_object('é', 4, 'noise', bk_noise('shop', 300000)), 'full', compression => 'zstd');
SELECT FROM bk_create('shop', jsonb_build_object('é', 5, 'noise', bk_noise('shop', 300000)), 'incremental');
SELECT FROM bk_create('shop', '{"é": 6}', 'differential');
SELECT bk_delete(2);
SELECT bk_hold(1, 'légal', 'why');
SELECT bk_key_rotate();
SELECT FROM bk_create('shop', '{"é": 7}', 'incremental');}));
my $archive = archive($from, 'postgres', 'shop');
my $wanted = history($from, 'postgres', 'shop');
is(() = $wanted =~ /\|true\|/g, 6, 'six sound backups are archived');
unlike(pack('H*', $archive), qr/noise|"ab"/, 'the archive shows no document');
my ($keys) = map { slurp_file(bk_key_path($from)) } 1;
my @kek = $keys =~ /^\d+:([0-9a-f]{64})$/mg;
is(scalar(@kek), 2, 'two master keys are in use');
unlike($archive, qr/\Q$_\E/, 'and neither is in the archive') for @kek;

# ----- A server that has other keys, none at all, then both, under other versions.
bk_fails($to, 'postgres', import_sql($archive), '58000', qr/key file "[^"]*" does not exist/, 'without a key file');
ok(!-e bk_key_path($to), 'none was made for it');
$to->safe_psql('postgres', "SELECT FROM bk_create('own', '1')");
bk_fails($to, 'postgres', import_sql($archive), '58000', qr/does not have the master key of the archive\nDETAIL:  It was version 2 where the archive was made, and its fingerprint is [0-9a-f]{64}\.\nHINT:  Add the line of that key/, 'another key of the same version is not it');
# a command that prints the one key that this server has, whatever it is asked for
my $command = "backup_service.key_command = '''sed -n \"s/^1://p\" ${\ bk_key_path($to)}'''" =~ s/'''/'/gr;
$to->append_conf('postgresql.conf', $command);
$to->reload;
bk_fails($to, 'postgres', import_sql($archive), '58000', qr/HINT:  Let backup_service\.key_command print that key for version 2\./, 'nor is it where keys come from a command');
$to->adjust_conf('postgresql.conf', 'backup_service.key_command', undef, 1);
$to->reload;
append_to_file(bk_key_path($to), "1002:$kek[1]\n");
bk_fails($to, 'postgres', import_sql($archive), '58000', qr/It was version 1 where/, 'nor is the newer one alone enough');
is(bk_value($to, 'postgres', 'SELECT count(*) FROM bk_resources'), 1, 'nothing was written');
append_to_file(bk_key_path($to), "1001:$kek[0]\n");
is(run_import($to, 'postgres', $archive), 6, 'with both, all backups are taken');
is(history($to, 'postgres', 'shop'), $wanted, 'the history is the same: times, chain, labels, documents, tombstones, holds');
is(bk_value($to, 'postgres', "SELECT string_agg(DISTINCT key_version::text, ' ') FROM bk_backups WHERE resource_id = 'shop'"), 1, 'under the key of this server');
is(bk_value($to, 'postgres', 'SELECT * FROM bk_audit_verify()'), '', 'the audit trail holds');
is(bk_value($to, 'postgres', "SELECT bk_restore_at('shop', created_at) = bk_read(backup_id) FROM bk_list('shop') ORDER BY created_at"), join("\n", ('t') x 6), 'every time gives its state');
append_to_file($to->basedir . '/only', (grep { /^1:/ } split /(?<=\n)/, slurp_file(bk_key_path($to)))[0]);
chmod 0600, $to->basedir . '/only' or die;
rename $to->basedir . '/only', bk_key_path($to) or die;
is(history($to, 'postgres', 'shop'), $wanted, 'the other keys are not needed any more');

# ----- And on: an archive of the import, rotated in between, moves again.
bk_value($to, 'postgres', 'SELECT bk_key_rotate(); SELECT bk_rekey()');
my $again = archive($to, 'postgres', 'shop');
bk_database($to, 'second');
is(run_import($to, 'second', $again, 'renamed'), 6, 'an archive of an import is an archive');
is(history($to, 'second', 'renamed'), $wanted, 'and changes nothing');

# ----- Encodings.
bk_database($from, 'latin', 'LATIN1');
is(run_import($from, 'latin', $archive), 6, 'a LATIN1 database takes what fits');
is(history($from, 'latin', 'shop') =~ s/\{[^{}]*\}/{}/gr, $wanted =~ s/\{[^{}]*\}/{}/gr, 'with the same labels');
is(bk_value($from, 'latin', sql("SELECT bool_and(bk_read(backup_id) ->> 'é' = n::text) FROM (SELECT backup_id, row_number() OVER (ORDER BY created_at) + (row_number() OVER (ORDER BY created_at) > 1)::int AS n FROM bk_backups) b")), 't', 'and documents');
bk_database($from, 'utf');
is(run_import($from, 'utf', archive($from, 'latin', 'shop')), 6, 'and gives it back to UTF-8');
is(history($from, 'utf', 'shop'), $wanted, 'as it was');
$from->safe_psql('utf', sql("SELECT FROM bk_create('far €', '1')"));
bk_fails($from, 'latin', import_sql(archive($from, 'utf', 'far €')), '22P05', qr/has no equivalent in encoding "LATIN1"/, 'a name that does not fit is refused as such');
is(bk_value($from, 'latin', 'SELECT count(*) FROM bk_resources'), 1, 'and leaves nothing');

# ----- With a command for keys, the version counts.
my $dir = $to->basedir;
append_to_file("$dir/key2", $kek[1]);
append_to_file("$dir/key1", $kek[0]);
$to->append_conf('postgresql.conf', "backup_service.key_command = 'cat $dir/key%v'");
$to->reload;
bk_database($to, 'command');
is(run_import($to, 'command', $archive), 6, 'the key command is asked for the versions of the archive');
is(history($to, 'command', 'shop'), $wanted, 'and all is there');

# ----- What has left the timeline has left it there too; and what is imported waits for the archiver.
$from->append_conf('postgresql.conf', "backup_service.archive_command = 'false'");
$from->reload;
$from->safe_psql('postgres', q{SET backup_service.max_snapshots = 1; SELECT FROM generate_series(1, 3) n, bk_create('left', to_jsonb(n), 'incremental')});
my $left = archive($from, 'postgres', 'left');
bk_database($from, 'third');
is(run_import($from, 'third', $left), 3, 'three backups, two of which have no recovery point');
is(history($from, 'third', 'left'), history($from, 'postgres', 'left'), 'are the same');
is(bk_value($from, 'third', 'SELECT count(*) FROM bk_snapshots; SELECT count(*) FROM bk_unarchived'), "1\n3", 'with one point, and not archived');

# ----- What a holder of the keys writes is refused where it makes no sense.
sub sealed
{
	my ($bytes) = @_;
	return unpack 'H*', $bytes . hmac_sha256($bytes, hmac_sha256('backup_service archive MAC key 1', pack 'H*', $kek[1]));
}
my $body = substr pack('H*', $left), 0, -32;
is(sealed($body), $left, 'sealed as it was');
my $completed = pack 'q>', bk_value($from, 'postgres', q{SELECT (extract(epoch FROM min(completed_at)) * 1000000)::bigint FROM bk_list('left')});
for my $case ([ "\0\0\0\2{}", "\0\0\0\2[]", qr/the tags of a backup are no object/ ], [ 'document', "docume\0t", qr/a label holds a zero byte/ ], map { [ $completed, pack('q>', $_), qr/it holds a time that cannot be/ ] } -9223372036854775807 - 1, -9000000000000000000)
{
	my ($good, $bad, $why) = @$case;
	isnt($body =~ s/\Q$good\E/$bad/gr, $body, 'changed');
	bk_fails($from, 'utf', import_sql(sealed($body =~ s/\Q$good\E/$bad/gr)), '22023', qr/invalid archive\nDETAIL:  The archive was refused: $why\./, "refused: $why");
}

# ----- Two sessions that import the same at once: one takes it, the other is told.
$to->safe_psql('command', "SELECT bk_release(backup_id, name) FROM bk_holds; SELECT bk_resource_drop('shop')");
my $first = $to->background_psql('command', on_error_stop => 0);
my $file = "$dir/twice.sql";
append_to_file($file, import_sql($archive, 'twice') . ";\n");
$first->query_safe("BEGIN") if $first->can('query_safe');
SKIP:
{
	skip 'needs a newer test framework', 3 unless $first->can('query_safe');
	is($first->query_safe("\\i $file"), 6, 'the first');
	my $second = $to->background_psql('command', on_error_stop => 0);
	$second->query_until(qr/started/, "\\echo started\n\\i $file\n");
	ok(bk_wait_for(20, sub { bk_value($to, 'postgres', "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == 1 }), 'the second waits');
	$first->query_safe('COMMIT');
	ok(bk_wait_for(20, sub { slurp_file($to->logfile) =~ /resource "twice" exists already/ }), 'and is told');
	$second->quit;
}
$first->quit;
# ----- More than a value can have is refused before anything is read or allocated: by what the rows say, and in earnest.
my $too_large = qr/54000: the archive of resource "large" does not fit into one value\nDETAIL:  It has \d{10} bytes; at most 1073741819 fit\.\nHINT:  Set backup_service\.archive_command, which ships each backup as a file of its own\./;
$from->safe_psql('postgres', q{SELECT FROM generate_series(1, 2) n, bk_create('large', to_jsonb(n))});
bk_fails($from, 'postgres', q{BEGIN; UPDATE backup_service.backup SET stored_size = 536870912 WHERE resource_id = 'large'; SELECT bk_archive('large')}, '54000', $too_large, 'an archive of 1 GB');
bk_fails($from, 'postgres', q{BEGIN; UPDATE backup_service.backup SET stored_size = 9223372036854775807 WHERE resource_id = 'large'; SELECT bk_archive('large')}, '54000',
	qr/the backups of an archive are too large together/, 'and one of more than a number can say');
like(bk_value($from, 'postgres', q{SELECT length(bk_archive('large'))}), qr/^\d{3,4}$/, 'as they are, they fit');
if ($ENV{LONG})
{
	$from->safe_psql('postgres', q{SELECT FROM generate_series(1, 11) n, bk_create('large', jsonb_build_object('n', n, 't', repeat('0123456789', 10000000)), compression => 'none')});
	bk_fails($from, 'postgres', q{SELECT bk_archive('large')}, '54000', $too_large, 'more than 1 GB of backups');
	$from->safe_psql('postgres', q{SELECT bk_delete(backup_id) FROM bk_list('large') LIMIT 2});
	like(bk_value($from, 'postgres', q{SELECT length(bk_archive('large'))}), qr/^9\d{8}$/, 'what is just below fits');
}

unlike(slurp_file($_->logfile), qr/PANIC|TRAP|terminated by signal|server closed/, 'the log is clean') for $from, $to;
$_->stop for $from, $to;
done_testing();
