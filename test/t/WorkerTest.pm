# What the worker's tests share: jobs written in SQL (test/modules/worker_test), and a look at its processes.
package WorkerTest;

use strict;
use warnings;

use BkTest;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(worker_cluster worker_jobs worker_todo worker_done worker_wait_done worker_pid launcher_pid
  worker_wait_gone worker_log worker_rests LATCH_WAIT);

# No test waits longer for something that is to happen.
use constant LATCH_WAIT => 20;

# A cluster with the launcher, not yet running.  log_line_prefix gives the time and the SQLSTATE.
sub worker_cluster
{
	my ($name, %init) = @_;
	my $conf = delete $init{conf} || '';
	return bk_cluster($name, %init, conf => "shared_preload_libraries = 'backup_service,worker_test'\n"
		. "log_line_prefix = '%m [%p] %b %e '\nrestart_after_crash = on\nautovacuum = off\n$conf");
}

# Job b does what is in worker_test.todo, one row a batch: "lock" waits for advisory lock 42, "sleep" for a minute, but for
# the second attempt.  Job a is there to be given scripts by the test.
sub worker_jobs
{
	my ($node, $database) = @_;
	$node->safe_psql($database, q{
CREATE SCHEMA worker_test;
CREATE TABLE worker_test.job (name text PRIMARY KEY, next_due text, batch text);
CREATE TABLE worker_test.todo (id int GENERATED ALWAYS AS IDENTITY, what text);
CREATE TABLE worker_test.done (what text, pid int DEFAULT pg_backend_pid(), role name DEFAULT current_user, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION worker_test.wake() RETURNS void LANGUAGE C AS '$libdir/worker_test', 'worker_test_wake';
CREATE SEQUENCE worker_test.attempt;
CREATE FUNCTION worker_test.run_b() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	one text;
BEGIN
	DELETE FROM worker_test.todo WHERE id = (SELECT min(id) FROM worker_test.todo) RETURNING what INTO one;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	IF one LIKE 'lock%' THEN
		PERFORM pg_advisory_xact_lock(42);
	ELSIF one LIKE 'sleep%' AND nextval('worker_test.attempt') = 1 THEN
		PERFORM pg_sleep(60);
	END IF;
	INSERT INTO worker_test.done (what) VALUES (one);
	RETURN true;
END $$;
INSERT INTO worker_test.job VALUES ('b', NULL, 'SELECT worker_test.run_b()');
});
	return;
}

# Leave something to do, and wake the worker at commit.
sub worker_todo
{
	my ($node, $database, $what) = @_;
	$node->safe_psql($database, "BEGIN; INSERT INTO worker_test.todo (what) VALUES ('$what'); SELECT worker_test.wake(); COMMIT");
	return;
}

# How often something was done.
sub worker_done
{
	my ($node, $database, $what) = @_;
	return bk_value($node, $database, "SELECT count(*) FROM worker_test.done WHERE what = '$what'");
}

# Wait until it has been done once; the process that did it.
sub worker_wait_done
{
	my ($node, $database, $what) = @_;
	bk_wait_for(LATCH_WAIT, sub { worker_done($node, $database, $what) }) or return 0;
	return bk_value($node, $database, "SELECT max(pid) FROM worker_test.done WHERE what = '$what'");
}

# The process of a database's worker, empty without one.
sub worker_pid
{
	my ($node, $database) = @_;
	return bk_value($node, 'template1', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'backup_service worker' AND datname = '$database'");
}

sub launcher_pid
{
	my ($node) = @_;
	return bk_value($node, 'template1', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'backup_service launcher'");
}

# Wait until a database has no worker.
sub worker_wait_gone
{
	my ($node, $database) = @_;
	return bk_wait_for(LATCH_WAIT, sub { worker_pid($node, $database) eq '' });
}

# Wait until a database has a worker that rests.
sub worker_rests
{
	my ($node, $database) = @_;
	return bk_wait_for(LATCH_WAIT, sub {
		bk_value($node, 'template1', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'backup_service worker' AND datname = '$database' AND state = 'idle'") });
}

# What the log has since an offset.
sub worker_log
{
	my ($node, $offset) = @_;
	return slurp_file($node->logfile, $offset || 0);
}

1;
