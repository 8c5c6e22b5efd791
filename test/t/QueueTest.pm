# What the restore queue's tests share: processes that stop or end at named points (test/modules/queue_test), and
# what an operation looks like.
package QueueTest;

use strict;
use warnings;

use BkTest;
use Exporter 'import';
use PostgreSQL::Test::Utils;
use WorkerTest;

our @EXPORT = qw(queue_cluster queue_point queue_reached queue_go queue_stop queue_ask queue_op queue_wait_status
  queue_locks queue_settled queue_document);

# A cluster with launcher, clock and points, not yet running.
sub queue_cluster
{
	my ($name, %init) = @_;
	my $conf = delete $init{conf} || '';
	return worker_cluster($name, %init, conf => "shared_preload_libraries = 'backup_service,worker_test,queue_test'\n$conf");
}

sub control_file
{
	my ($node, $name) = @_;
	return $node->data_dir . "/queue_test.$name";
}

sub write_control
{
	my ($node, $name, $text) = @_;
	my $path = control_file($node, $name);
	append_to_file("$path.new", $text);
	rename("$path.new", $path) or die "$path: $!";
	return;
}

# The next processes that come by this point do what the letters say: k (kill itself), s (the server), w (wait).
sub queue_point
{
	my ($node, $point, $action) = @_;
	write_control($node, $point, $action);
	return;
}

# Wait until one has come by.
sub queue_reached
{
	my ($node, $point) = @_;
	return bk_wait_for(LATCH_WAIT, sub { !-e control_file($node, $point) });
}

# One that waits goes on.
sub queue_go
{
	my ($node) = @_;
	write_control($node, 'go', 'g');
	bk_wait_for(LATCH_WAIT, sub { !-e control_file($node, 'go') }) or die 'nobody waits';
	return;
}

# Ask for a restore and have a process stop at a point of it; the operation's id.
sub queue_stop
{
	my ($node, $point, $arguments) = @_;
	queue_point($node, $point, 'w');
	my $id = queue_ask($node, $arguments);
	queue_reached($node, $point) or die "nobody comes by $point";
	return $id;
}

sub queue_ask
{
	my ($node, $arguments) = @_;
	return bk_value($node, 'postgres', "SELECT bk_restore_enqueue($arguments)");
}

# Columns of an operation.
sub queue_op
{
	my ($node, $id, $columns) = @_;
	return bk_value($node, 'postgres', "SELECT $columns FROM bk_operations WHERE operation_id = $id");
}

# Wait until it has a status.
sub queue_wait_status
{
	my ($node, $id, $status) = @_;
	return bk_wait_for(LATCH_WAIT, sub { queue_op($node, $id, 'status') eq $status });
}

# How many operations are locked by a process (BK_LOCK_CLASS in src/service/queue_lock.c).
sub queue_locks
{
	my ($node) = @_;
	return bk_value($node, 'postgres', q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 16971});
}

# Wait until nothing is queued or running, no process holds a lock, and only the worker is left.
sub queue_settled
{
	my ($node, $seconds) = @_;
	return bk_wait_for($seconds || LATCH_WAIT, sub {
		bk_value($node, 'postgres', q{SELECT (SELECT count(*) FROM bk_operations WHERE status IN ('queued', 'running'))
	+ (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 16971)
	+ (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'backup_service restorer')
	+ (SELECT count(*) FROM backup_service.audit_unsealed)}) == 0 });
}

# Whether an operation has given one new backup, of its target, with the document of its source.
sub queue_document
{
	my ($node, $id) = @_;
	return bk_value($node, 'postgres', qq{SELECT b.source = 'restore' AND b.type = 'full' AND b.resource_id = o.target_resource_id
	AND bk_read(b.backup_id) = bk_read(o.backup_id)
	FROM bk_operations o JOIN bk_backups b ON b.backup_id = o.restored_backup_id WHERE o.operation_id = $id}) eq 't';
}

1;
