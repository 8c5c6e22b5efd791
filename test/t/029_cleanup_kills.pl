# Is nothing lost, and nothing left half done, where the worker or the server ends in the middle of clean-up?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use QueueTest;
use Test::More;
use WorkerTest;

my $node = queue_cluster('cleanupkills', conf => "backup_service.cleanup_interval = 60\nbackup_service.scrub_interval = 0\nrestart_after_crash = on\n");
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION backup_service; SELECT FROM bk_policy_set('two', keep_last => 2)});
my $offset = 0;

sub value { return bk_value($node, 'postgres', $_[0]); }

# Clean-up is due again: the worker's clock goes forward.
sub forward
{
	$offset += 7200;
	$node->append_conf('postgresql.conf', "worker_test.clock_offset = $offset");
	$node->reload;
	return;
}

# A crash of a process is mended by the server itself; a server that was stopped behind the framework's back is started.
sub revive
{
	my ($victim) = @_;
	if ($victim eq 'server')
	{
		$node->stop('immediate', fail_ok => 1);
		bk_wait_for(LATCH_WAIT, sub { $node->start(fail_ok => 1) }) or die 'the server does not start';
	}
	bk_wait_ready($node, 60) or die 'the server does not come back';
	return;
}

for my $point ('cleanup-consolidating', 'cleanup-removing')
{
	for my $victim ('process', 'server')
	{
		my $name = "$point of the $victim";
		# Of a chain of six, four go; the two that stay lose their base, and the first of them becomes full.
		$node->safe_psql('postgres', qq{DO \$\$ BEGIN
	FOR n IN 1 .. 6 LOOP PERFORM FROM bk_create('$name', jsonb_build_object('n', n, 'same', repeat('x', 3000)), CASE n WHEN 1 THEN 'full' ELSE 'incremental' END); END LOOP;
	PERFORM bk_policy_assign('$name', 'two');
END \$\$});
		queue_point($node, $point, $victim eq 'process' ? 'k' : 's');
		forward();
		ok(queue_reached($node, $point), "$name: it is killed there");
		revive($victim);
		forward();
		ok(bk_wait_for(LATCH_WAIT, sub { value("SELECT count(*) FROM bk_backups WHERE resource_id = '$name'") eq '2' }), "$name: clean-up is done all the same");
		is(value("SELECT string_agg(type || ' ' || (bk_read(backup_id)->>'n') || ' ' || (bk_verify(backup_id)->>'valid'), ', ' ORDER BY created_at) FROM bk_backups WHERE resource_id = '$name'"),
			'full 5 true, incremental 6 true', "$name: what stays is what it was");
		is(value("SELECT count(*), count(DISTINCT backup_id) FROM bk_audit WHERE resource_id = '$name' AND action = 'expire'"), '4|4', "$name: each that went has gone once");
		is(value("SELECT count(*) FROM backup_service.snapshot WHERE resource_id = '$name' AND removed_at IS NOT NULL"), '4', "$name: and left its tombstone");
		is(value("SELECT count(*) FROM backup_service.chunk c WHERE resource_id = '$name' AND NOT EXISTS (SELECT FROM backup_service.backup b WHERE b.resource_id = c.resource_id AND b.backup_id = c.backup_id)"), '0', "$name: no chunk is left behind");
		is(value('SELECT count(*) FROM bk_audit_verify()'), '0', "$name: the trail holds");
	}
}
$node->stop;
done_testing();
