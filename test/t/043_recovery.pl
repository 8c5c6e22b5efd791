# What is the catalog after the server was recovered to a point in time, and what becomes of ids, keys and the trail?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = bk_start('origin', has_archiving => 1, allows_streaming => 1);
$node->safe_psql('postgres', q{
SELECT FROM generate_series(1, 6) i, LATERAL bk_create('r', jsonb_build_object('i', i, 'same', repeat('x', 2000)), CASE i WHEN 1 THEN 'full' ELSE 'incremental' END);
SELECT FROM bk_create('dropped later', '{"keep": true}');
SELECT bk_hold(2, 'case', 'why')});
$node->backup('base');

# After the base backup, before the moment: in archived WAL alone.
$node->safe_psql('postgres', q{
SELECT FROM generate_series(7, 9) i, LATERAL bk_create('r', jsonb_build_object('i', i, 'same', repeat('x', 2000)), 'incremental');
SELECT bk_delete(3);
SELECT bk_restore(4);
SELECT bk_restore_enqueue(5, 'restored');
SELECT bk_audit_seal()});
my $state = q{
SELECT backup_id, resource_id, type, base_id, created_at, checksum, bk_read(backup_id) FROM bk_backups ORDER BY backup_id;
SELECT * FROM bk_snapshots ORDER BY resource_id, created_at;
SELECT * FROM bk_holds;
SELECT operation_id, resource_id, backup_id, status FROM bk_operations ORDER BY operation_id;
SELECT version, state FROM bk_keys ORDER BY version;
SELECT resource_id, number, hash FROM bk_audit WHERE number IS NOT NULL ORDER BY resource_id COLLATE "C", number};
my $before = bk_value($node, 'postgres', "BEGIN READ ONLY; $state; COMMIT");
my $moment = bk_value($node, 'postgres', 'SELECT pg_sleep(0.01) IS NULL; SELECT clock_timestamp(); SELECT pg_sleep(0.01) IS NULL') =~ s/^[tf]$//mgr =~ s/\n//gr;

# After the moment: everything that is to be undone, and some that cannot be.
$node->safe_psql('postgres', q{
SELECT FROM bk_create('r', '{"i": "lost"}', 'incremental'), bk_create('new', '{"i": "lost too"}') n;
SELECT bk_delete(4);
SELECT bk_resource_drop('dropped later');
SELECT bk_release(2, 'case');
SELECT bk_key_rotate();
SELECT FROM bk_create('r', '{"i": "under the new key"}', 'full');
SELECT bk_rekey()});
my $last = bk_value($node, 'postgres', 'SELECT max(backup_id) FROM bk_backups');
my $key_after = slurp_file(bk_key_path($node));
# What an auditor writes down elsewhere (docs/audit.md, Heads).
my @heads = bk_rows($node, 'postgres', q{SELECT resource_id, number, hash FROM bk_audit a WHERE resource_id IN ('r', 'new') AND number = (SELECT max(number) FROM bk_audit b WHERE b.resource_id = a.resource_id) ORDER BY 1});
# The file is named now: what the server writes by itself begins the next one, which nothing ends.
my $wal = bk_value($node, 'postgres', 'SELECT pg_walfile_name(pg_switch_wal() - 1)');
ok(bk_wait_for(30, sub { bk_value($node, 'postgres', "SELECT last_archived_wal >= '$wal' FROM pg_stat_archiver") eq 't' }), 'WAL is archived');

sub recover
{
	my ($name, $key, @settings) = @_;
	my $recovered = PostgreSQL::Test::Cluster->new($name);
	$recovered->init_from_backup($node, 'base', has_restoring => 1, standby => 0);
	$recovered->append_conf('postgresql.conf', join "\n", 'archive_mode = off', @settings, '');
	unlink bk_key_path($recovered);
	if ($key)
	{
		append_to_file(bk_key_path($recovered), $key);
		chmod 0600, bk_key_path($recovered) or die;
	}
	$recovered->start;
	bk_wait_for(60, sub { bk_value($recovered, 'postgres', 'SELECT pg_is_in_recovery()') eq 'f' }) or die 'recovery does not end';
	return $recovered;
}

# ----- To the moment, with the key file of now, which has a version more than the catalog.
{
	my $recovered = recover('moment', $key_after, "recovery_target_time = '$moment'", 'recovery_target_action = promote');
	is(bk_value($recovered, 'postgres', "BEGIN READ ONLY; $state; COMMIT"), $before, 'the catalog is that of the moment: backups, points, holds, operations, keys, trail');
	is(bk_value($recovered, 'postgres', q{SELECT count(*) FROM bk_backups WHERE bk_verify(backup_id) ->> 'valid' <> 'true'; SELECT count(*) FROM bk_audit_verify()}), "0\n0", 'all is valid, and the trail of itself is whole');

	# An auditor who compares with what was written down sees that something is missing.
	for my $head (@heads)
	{
		my ($resource, $number, $hash) = @$head;
		is(bk_value($recovered, 'postgres', "SELECT count(*) FROM bk_audit WHERE resource_id = '$resource' AND number = $number AND hash = '$hash'"), 0, "the head of $resource that was written down is not there");
	}

	# Ids.  The sequence stands a little ahead in WAL, so that an id may or may not be given a second time; what it names is another backup.
	my ($id) = bk_value($recovered, 'postgres', q{SELECT backup_id FROM bk_create('r', '{"i": "another future"}', 'incremental')});
	my $highest = bk_value($recovered, 'postgres', q{SELECT max(backup_id) FROM bk_backups WHERE backup_id < } . $id);
	cmp_ok($id, '>', $highest, 'the next id is higher than all that the catalog knows');
	# a row of the lost future, put in by hand, is proven false even where the id is the same
	my $row = bk_value($node, 'postgres', qq{SELECT quote_literal(encode(iv, 'hex')) || ', ' || quote_literal(encode(mac, 'hex')) || ', ' || quote_literal(encode(wrapped_key, 'hex')) FROM backup_service.backup WHERE backup_id = $last});
	my ($iv, $mac, $wrapped) = $row =~ /'(\w+)'/g;
	bk_value($recovered, 'postgres', "UPDATE backup_service.backup SET mac = '\\x$mac', iv = '\\x$iv' WHERE backup_id = $id");
	bk_fails($recovered, 'postgres', "SELECT bk_read($id)", 'XX001', qr/backup $id is damaged\nDETAIL:  The MAC check failed/, 'a backup of the lost future does not pass for this one');
	$recovered->stop('immediate');
}

# ----- Going on: rotation meets a version that the key file has and the catalog does not know.
{
	my $recovered = recover('goes_on', $key_after, "recovery_target_time = '$moment'", 'recovery_target_action = promote');
	is(bk_value($recovered, 'postgres', q{SELECT bk_read(4) ->> 'i', bk_read(7) ->> 'keep'; SELECT count(*) FROM bk_holds}), "4|true\n1", 'what was deleted and dropped later is back, and so is the hold');
	my ($status, $rotated, $messages) = bk_run($recovered, 'postgres', 'SELECT bk_key_rotate()');
	is($status, 0, 'keys rotate') or diag $messages;
	is($rotated, 2, 'to the next version that the catalog does not know');
	my @versions = slurp_file(bk_key_path($recovered)) =~ /^(\d+):/mg;
	is("@versions", '1 2', 'which the key file has once');
	is(bk_value($recovered, 'postgres', q{SELECT type FROM bk_create('r', '{"i": "on"}', 'incremental'); SELECT bk_rekey() > 0; SELECT count(*) FROM bk_backups WHERE bk_verify(backup_id) ->> 'valid' <> 'true'; SELECT count(*) FROM bk_audit_verify()}), "incremental\nt\n0\n0", 'backups, re-wrapping, verification, trail');
	is(bk_value($recovered, 'postgres', q{SELECT bk_restore_cancel(2) IS NOT NULL; SELECT status FROM bk_operations WHERE operation_id = 2}), "t\ncancelled", 'a restore that was queued at the moment is queued again');
	$recovered->stop;
}

# ----- To the end of WAL, with the key file as the base backup had it: older than the catalog.
{
	my $recovered = recover('end', $key_after =~ s/^2:.*\n//mr, 'recovery_target_timeline = latest');
	bk_fails($recovered, 'postgres', "SELECT bk_read($last)", '58000', qr/key file "\S+" does not hold master key version 2\n/, 'a key file as old as the base backup: the version is named');
	bk_fails($recovered, 'postgres', q{SELECT FROM bk_create('r', '1')}, '58000', qr/does not hold master key version 2\n/, 'no backup is made under an older one');
	append_to_file(bk_key_path($recovered), $key_after =~ s/^1:.*\n//mr);
	is(bk_value($recovered, 'postgres', "SELECT bk_read($last) ->> 'i'; SELECT count(*) FROM bk_backups WHERE bk_verify(backup_id) ->> 'valid' <> 'true'; SELECT count(*) FROM bk_audit_verify()"), "under the new key\n0\n0", 'with the line copied all is there');
	for my $head (@heads)
	{
		my ($resource, $number, $hash) = @$head;
		is(bk_value($recovered, 'postgres', "SELECT count(*) FROM bk_audit WHERE resource_id = '$resource' AND number = $number AND hash = '$hash'"), 1, "the head of $resource is there");
	}
	$recovered->stop;
}
$node->stop;
done_testing();
