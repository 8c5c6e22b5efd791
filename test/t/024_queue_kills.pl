# Is every queued restore done once, or has failed with its reason, whenever processes and servers end?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use QueueTest;
use Test::More;
use Time::HiRes qw(sleep time);
use WorkerTest;

my $seed = bk_seed();
my $node = queue_cluster('kills', conf => "backup_service.max_restore_workers = 3\nbackup_service.worker_idle_timeout = '1h'\nlog_min_messages = log\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
$node->safe_psql('postgres', bk_noise_function());
$node->safe_psql('postgres', q{
SELECT FROM bk_create('large', jsonb_build_object('noise', bk_noise('x', 5000000)), compression => 'none');
SELECT FROM generate_series(1, 4) r, generate_series(1, 5) v, LATERAL bk_create('r' || r, jsonb_build_object('r', r, 'v', v, 'text', bk_noise(r::text, r * 10000)), 'incremental');
SELECT FROM bk_create('damaged', '{"d": 1}');
UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE resource_id = 'damaged';
SELECT FROM generate_series(1, 200) g, LATERAL bk_create('gone', to_jsonb(g))});
my ($large) = value(q{SELECT backup_id FROM bk_list('large')});
my ($damaged) = value(q{SELECT backup_id FROM bk_list('damaged')});
my @gone = split /\n/, value(q{SELECT backup_id FROM bk_backups WHERE resource_id = 'gone'});
my @sound = split /\n/, value(q{SELECT backup_id FROM bk_backups WHERE resource_id LIKE 'r_'});

sub value { return bk_value($node, 'postgres', $_[0]); }

# What was asked for, by operation: the backup, the target, and how it must end.
my %asked;
my $label = 0;

# Ask for restores until each is known to have been asked for once, whatever happens to the server meanwhile.  Each is
# a backup, a target, how it must end, and what is done in the same transaction; returns their operations.
sub ask
{
	my @wanted = map { { label => ++$label, backup => $_->[0], target => $_->[1], ending => $_->[2], then => $_->[3] || '' } } @_;
	my $labels = join ', ', map { "'label $_->{label}'" } @wanted;
	my %known;
	my $end = time + 60;
	my $script = sub {
		return join '', map { "BEGIN; SELECT bk_restore_enqueue($_->{backup}, '$_->{target}', created_by => 'label $_->{label}'); $_->{then}; COMMIT;\n" }
		  grep { !$known{"label $_->{label}"} } @wanted };
	while (keys %known < @wanted)
	{
		die 'the server does not come back' if time > $end;
		$node->psql('postgres', $script->(), on_error_stop => 1);
		# Before it is known what has been asked for, nothing is asked for again.
		until (eval { %known = map { @$_ } bk_rows($node, 'postgres', "SELECT created_by, operation_id FROM bk_operations WHERE created_by IN ($labels)"); 1 })
		{
			revive();
		}
	}
	my @ids = map { $known{"label $_->{label}"} } @wanted;
	@asked{@ids} = @wanted;
	return @ids;
}

# Cancel until it is known whether that came in time.
sub cancel
{
	my ($id) = @_;
	my $status = '';
	until ($status =~ /^(completed|cancelled)$/)
	{
		eval {
			$node->psql('postgres', "SELECT bk_restore_cancel($id)");
			$status = queue_op($node, $id, 'status');
			1;
		} or revive();
	}
	$asked{$id}{ending} = $status;
	return;
}

sub is_there { return kill 0, $_[0]; }

sub postmaster { return (slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/)[0]; }

# Have the server run: it is coming back by itself, or has been stopped behind the framework's back.
my $postmaster = postmaster();
sub revive
{
	bk_wait_for(LATCH_WAIT, sub { !is_there($postmaster) || bk_wait_ready($node, 0.05) }) or die 'the server neither runs nor stops';
	return 1 if is_there($postmaster);
	$node->stop('immediate', fail_ok => 1);
	for (1 .. 100)
	{
		if ($node->start(fail_ok => 1))
		{
			$postmaster = postmaster();
			return 1;
		}
		sleep(0.1);
		$node->stop('fast', fail_ok => 1);
	}
	die 'the server does not start';
}

# Compare operations, backups and audit trail with what was asked for.
sub check
{
	my ($name) = @_;
	my %found = map { $_->[0] => $_ } bk_rows($node, 'postgres', q{
SELECT o.operation_id, o.backup_id, o.target_resource_id, o.created_by, o.status, o.error IS NOT NULL,
	   CASE WHEN b.backup_id IS NOT NULL
	   THEN b.resource_id = o.target_resource_id AND b.type = 'full' AND b.source = 'restore' AND bk_read(b.backup_id) = bk_read(o.backup_id) END,
	   (SELECT string_agg(a.outcome, ',') FROM bk_audit a WHERE a.action = 'restore' AND (a.detail->>'operation_id')::bigint = o.operation_id)
  FROM bk_operations o LEFT JOIN bk_backups b ON b.backup_id = o.restored_backup_id});
	my %endings;
	my @wrong;
	for my $id (sort { $a <=> $b } keys %asked)
	{
		my $model = $asked{$id};
		my $is = delete $found{$id} or push @wrong, "$id is lost" and next;
		my $expected = join ' ', $model->{backup}, $model->{target}, "label $model->{label}", {
			completed => 'completed f t done', failed => 'failed t  failed', cancelled => 'cancelled f  ' }->{ $model->{ending} };
		my $got = join ' ', @{$is}[ 1 .. 7 ];
		# One that has been cut off may have its last error beside it.
		push @wrong, "$id: $got instead of $expected" if $got ne $expected;
		$endings{ $model->{ending} }++;
	}
	push @wrong, map { "$_ was never asked for" } keys %found;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(join("\n", @wrong), '', "$name: each of " . keys(%asked) . ' operations has ended as it must');
	note(join ', ', map { "$endings{$_} $_" } sort keys %endings);
	is(value(q{SELECT count(*) FROM bk_backups WHERE source = 'restore'}), $endings{completed} || 0, "$name: none was done twice");
	is(value(q{SELECT count(*) - count(DISTINCT restored_backup_id) FROM bk_operations WHERE status = 'completed'}), 0, "$name: nor for two");
	is(value(q{SELECT count(*) FROM bk_audit a WHERE action = 'create' AND resource_id NOT IN ('large', 'r1', 'r2', 'r3', 'r4', 'damaged', 'gone')}),
		$endings{completed} || 0, "$name: the trail has each new backup");
	is(value(q{SELECT string_agg(DISTINCT chain, ',') FROM bk_audit_verify()}), '', "$name: and is whole");
	is(value(q{SELECT count(*) FROM backup_service.restore_operation WHERE pinned IS NOT NULL OR next_attempt_at IS NOT NULL OR completed_at IS NULL}), 0, "$name: no backup stays pinned");
	is(queue_locks($node), 0, "$name: no lock is left");
	return;
}

# At each point, the process that does it, and the server.
my %attempts = ('restore-claiming' => 1, 'restore-claimed' => 2, 'restore-reading' => 2, 'restore-ending' => 2, 'restore-ended' => 1);
for my $point (sort keys %attempts)
{
	for my $victim ('process', 'server')
	{
		my $worker = bk_wait_for(LATCH_WAIT, sub { worker_pid($node, 'postgres') }) && worker_pid($node, 'postgres');
		my $doomed = $victim eq 'process' ? $worker : $postmaster;
		queue_point($node, $point, $victim eq 'process' ? 'k' : 's');
		my ($id) = ask([ $large, "$point of $victim", 'completed' ]);
		ok(queue_reached($node, $point), "$point: the $victim is killed");
		bk_wait_for(LATCH_WAIT, sub { !is_there($doomed) });
		revive();
		ok(queue_wait_status($node, $id, 'completed'), "$point: the restore is completed");
		is(queue_op($node, $id, 'attempts'), $attempts{$point}, "$point: in attempt $attempts{$point}");
	}
}
ok(queue_settled($node), 'nothing goes on');
check('points');

# Not for ever.
{
	$node->append_conf('postgresql.conf', 'backup_service.max_attempts = 2');
	$node->reload;
	queue_point($node, 'restore-reading', 'kk');
	my ($id) = ask([ $large, 'twice', 'failed' ]);
	queue_reached($node, 'restore-reading') or die;
	revive();
	ok(queue_wait_status($node, $id, 'failed'), 'one that ends its process each time has failed in the end');
	is(queue_op($node, $id, 'error'), 'the process that ran it ended before it was done, in the last of 2 attempts', 'with that reason');
	$node->append_conf('postgresql.conf', 'backup_service.max_attempts = 1000');
	$node->reload;
}

# End a process or the server at random.
sub end_something
{
	my @points = sort keys %attempts;
	my $point = $points[ bk_random(0, $#points) ];
	my $how = bk_random(1, 10);
	if ($how <= 4)
	{
		queue_point($node, $point, 'k');
		return "process at $point";
	}
	elsif ($how <= 6)
	{
		my $before = $postmaster;
		queue_point($node, $point, 's');
		ask([ $large, 'last', 'completed' ]);
		bk_wait_for(LATCH_WAIT, sub { !is_there($before) }) or die "nobody comes by $point";
		revive();
		return "server at $point";
	}
	else
	{
		my $signal = ('KILL', 'TERM')[ bk_random(0, 1) ];
		my @processes = eval { bk_rows($node, 'postgres', q{SELECT pid, backend_type FROM pg_stat_activity WHERE backend_type LIKE 'backup_service%'}) };
		return 'nobody' if !@processes;
		my $victim = $processes[ bk_random(0, $#processes) ];
		kill $signal, $victim->[0];
		return "$signal $victim->[1]";
	}
}

my $restores = bk_long(150, 1000);
my %ends;
while ($label < $restores)
{
	my @wanted;
	my @cancelled;
	for my $n (0 .. bk_random(5, 25))
	{
		my $kind = bk_random(1, 20);
		my $backup = $kind == 3 ? pop @gone : $sound[ bk_random(0, $#sound) ];
		push @wanted, $kind == 1 ? [ $damaged, 'new', 'failed' ]
		  : $kind == 2 ? [ $large, 'large' . bk_random(1, 3), 'completed' ]
		  : $kind == 3 ? [ $backup, 'new', 'failed', "SELECT bk_delete($backup)" ]
		  : [ $backup, 'target' . bk_random(1, 8), 'completed' ];
		push @cancelled, $n if $kind == 4;
	}
	my @ids = ask(@wanted);
	cancel($ids[$_]) for @cancelled;
	$ends{ end_something() }++;
}
note("$ends{$_} times $_") for sort keys %ends;
unlink glob($node->data_dir . '/queue_test.*');
ok(bk_wait_for(60, sub { revive() && eval { queue_settled($node, 60) } }), 'all operations end');
check('random');
$node->stop;
done_testing();
