# Does the worker start, work, rest and end as it should, in one database?
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use BkTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use WorkerTest;

my $node = worker_cluster('worker', allows_streaming => 1, conf => "max_prepared_transactions = 2\nbackup_service.worker_idle_timeout = '1h'\n");
$node->start;

# How often a process has gone to sleep so far.
sub sleeps
{
	my ($pid) = @_;
	return slurp_file("/proc/$pid/status") =~ /^voluntary_ctxt_switches:\s+(\d+)/m ? $1 : die;
}

sub transactions
{
	return bk_value($node, 'template1', q{SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'postgres'});
}

# One value of the worker's row in pg_stat_activity.
sub seen
{
	my ($what) = @_;
	return bk_value($node, 'template1', "SELECT $what FROM pg_stat_activity WHERE backend_type = 'backup_service worker'");
}

sub log_size { return -s $node->logfile; }

# The launcher is there, seen, connected to no database; there is no worker before there is an extension.
ok(bk_wait_for(LATCH_WAIT, sub { launcher_pid($node) }), 'the launcher starts with the server');
is(bk_value($node, 'template1', q{SELECT datname IS NULL, application_name FROM pg_stat_activity WHERE backend_type = 'backup_service launcher'}), 't|backup_service launcher', 'without a database');
ok(bk_wait_for(LATCH_WAIT, sub { bk_value($node, 'template1', q{SELECT state FROM pg_stat_activity WHERE backend_type = 'backup_service launcher'}) eq 'idle' }), 'and rests');
ok(worker_wait_gone($node, 'postgres'), 'a database without the extension has no worker');

# CREATE EXTENSION tells it.
worker_jobs($node, 'postgres');
$node->safe_psql('postgres', q{INSERT INTO worker_test.todo (what) VALUES ('first')});
$node->safe_psql('postgres', 'BEGIN; CREATE EXTENSION backup_service; ROLLBACK');
is(worker_done($node, 'postgres', 'first'), 0, 'CREATE EXTENSION that is rolled back starts nothing');
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
my $pid = worker_wait_done($node, 'postgres', 'first');
ok($pid, 'CREATE EXTENSION starts a worker');
ok(worker_rests($node, 'postgres'), 'which rests when it has nothing to do');
is(seen('pid'), $pid, 'is seen in pg_stat_activity');
is(seen('application_name || query'), 'backup_service workerbackup_service: waiting', 'with what it does');
is(seen('coalesce(backend_xmin::text, backend_xid::text, xact_start::text)'), '', 'and has neither transaction nor snapshot');
is(bk_value($node, 'postgres', "SELECT count(*) FROM pg_locks WHERE pid = $pid"), 0, 'nor a lock');
bk_fails($node, 'postgres', 'SELECT bk_worker_start()', '55000', qr/workers are started by the launcher here.*HINT:  Nothing needs to be started/s, 'bk_worker_start() is refused beside a launcher');

# The first real job: reads are sealed into the audit trail at once.
$node->safe_psql('postgres', q{SELECT FROM bk_create('r', '{"a": 1}'); SELECT bk_read(1)});
ok(bk_wait_for(LATCH_WAIT, sub { bk_value($node, 'postgres', 'SELECT count(*) FROM backup_service.audit_unsealed') == 0 }), 'the event of a read is sealed');
is(bk_value($node, 'postgres', 'SELECT count(*) FROM bk_audit_verify()'), 0, 'and the trail is sound');

# At rest: no transaction, no wake-up.
{
	worker_rests($node, 'postgres');
	# What sessions before this one have counted arrives when they end.
	my ($launcher, $before) = (launcher_pid($node), -1);
	bk_wait_for(LATCH_WAIT, sub { my $last = $before; $before = transactions(); $before == $last });
	my @sleeps = (sleeps($launcher), sleeps($pid));
	my $reads = slurp_file("/proc/$pid/io");
	sleep(1.5);
	is(transactions(), $before, 'no transaction at rest');
	cmp_ok(sleeps($launcher) - $sleeps[0], '<=', 1, 'the launcher is not woken');
	cmp_ok(sleeps($pid) - $sleeps[1], '<=', 1, 'nor is the worker');
	is(slurp_file("/proc/$pid/io"), $reads, 'which reads and writes nothing');
}

# Woken at commit: not before, not by a rollback; also from a subtransaction and by COMMIT PREPARED.
{
	my $session = $node->background_psql('postgres');
	my $ask = sub { return "INSERT INTO worker_test.todo (what) VALUES ('$_[0]'); SELECT worker_test.wake();" };
	worker_rests($node, 'postgres');
	my $sleeps = sleeps($pid);
	$session->query('BEGIN; ' . $ask->('rollback') . ' ROLLBACK');
	sleep(0.2);
	is(sleeps($pid), $sleeps, 'a rollback wakes nobody');
	$session->query('BEGIN; ' . $ask->('commit'));
	sleep(0.2);
	is(sleeps($pid), $sleeps, 'nor does a transaction that goes on');
	my $committed = $session->query('COMMIT; SELECT extract(epoch FROM clock_timestamp())');
	is(worker_wait_done($node, 'postgres', 'commit'), $pid, 'its commit does');
	my $delay = bk_value($node, 'postgres', "SELECT extract(epoch FROM at) - $committed FROM worker_test.done WHERE what = 'commit'");
	note("done $delay s after the commit");
	cmp_ok($delay, '<', 0.5, 'at once');
	$session->query('BEGIN; SAVEPOINT s; ' . $ask->('released') . ' RELEASE s; COMMIT');
	ok(worker_wait_done($node, 'postgres', 'released'), 'a subtransaction wakes it');
	$session->query('BEGIN; INSERT INTO worker_test.todo (what) VALUES (\'kept\'); SAVEPOINT s; ' . $ask->('undone') . ' ROLLBACK TO s; COMMIT');
	ok(worker_wait_done($node, 'postgres', 'kept'), 'also one that is rolled back when the transaction commits');
	is(worker_done($node, 'postgres', 'undone') . worker_done($node, 'postgres', 'rollback'), '00', 'what was rolled back is not done');
	worker_rests($node, 'postgres');
	$sleeps = sleeps($pid);
	$session->query('BEGIN; ' . $ask->('prepared') . q{ PREPARE TRANSACTION 'p'});
	sleep(0.2);
	is(sleeps($pid), $sleeps, 'PREPARE TRANSACTION wakes nobody');
	$session->quit;
	$node->safe_psql('postgres', q{COMMIT PREPARED 'p'});
	ok(worker_wait_done($node, 'postgres', 'prepared'), 'COMMIT PREPARED in another session does');
	is(worker_done($node, 'postgres', 'first'), 1, 'nothing is done twice');
}

# Many wake-ups at once are answered together, and none is lost.
{
	my $looks = sub { return bk_value($node, 'postgres', q{SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM worker_test.looks}) };
	my $begin = time;
	$node->safe_psql('postgres', q{CREATE SEQUENCE worker_test.looks; INSERT INTO worker_test.job VALUES ('a', $$SELECT timestamptz 'infinity' FROM (SELECT nextval('worker_test.looks')) s$$, NULL)});
	$node->pgbench('-n -c 2 -t 1000 -M prepared', 0, [qr{processed: 2000/2000}], [qr/^$/], 'two thousand commits that wake', {
		'020_wake' => q{BEGIN; INSERT INTO worker_test.done (what) VALUES ('noise'); SELECT worker_test.wake(); COMMIT;} });
	worker_todo($node, 'postgres', 'last of many');
	ok(worker_wait_done($node, 'postgres', 'last of many'), 'the last one is answered');
	my ($count, $took) = ($looks->(), time - $begin);
	note(sprintf('looked %d times in %.2f s', $count, $took));
	cmp_ok($count, '<=', 5 + 50 * $took, 'at most fifty times a second');
	$node->safe_psql('postgres', q{DELETE FROM worker_test.job WHERE name = 'a'});
}

# While it works, it says so; what it does, it does as the extension's owner.
{
	my $holder = $node->background_psql('postgres');
	$holder->query('SELECT pg_advisory_lock(42)');
	worker_todo($node, 'postgres', 'lock 1');
	ok(bk_wait_for(LATCH_WAIT, sub { seen('state') eq 'active' && seen('wait_event') eq 'advisory' }), 'a job runs');
	is(seen('query'), 'backup_service: test b', 'and its name is seen');
	is(seen('xact_start IS NOT NULL'), 't', 'in a transaction');
	# pg_cancel_backend() ends the batch, not the worker.
	my $offset = log_size();
	bk_value($node, 'postgres', "SELECT pg_cancel_backend($pid)");
	ok(bk_wait_for(LATCH_WAIT, sub { worker_log($node, $offset) =~ /57014 ERROR:  canceling statement.*job "test b" of backup_service in database "postgres" is tried again in 1 s, having failed 1 times/s }), 'a batch can be cancelled');
	$holder->quit;
	is(worker_wait_done($node, 'postgres', 'lock 1'), $pid, 'and is tried again by the same process');
	worker_rests($node, 'postgres');
	bk_value($node, 'postgres', "SELECT pg_cancel_backend($pid)");
	worker_todo($node, 'postgres', 'after cancel');
	is(worker_wait_done($node, 'postgres', 'after cancel'), $pid, 'cancelling one at rest does nothing');
	is(bk_value($node, 'postgres', q{SELECT DISTINCT d.role = r.rolname FROM worker_test.done d, pg_extension e JOIN pg_roles r ON r.oid = e.extowner WHERE extname = 'backup_service' AND what = 'after cancel'}), 't', 'jobs run as the owner of the extension');
}

# A job that fails is logged and tried again later and later; the other one goes on.
{
	my $offset = log_size();
	my $failures = sub { return scalar(() = worker_log($node, $offset) =~ /ERROR:  the bad job/g) };
	$node->safe_psql('postgres', q{
CREATE FUNCTION worker_test.bad() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the bad job' USING ERRCODE = 'P0042'; END $$;
CREATE TABLE worker_test.schedule (due timestamptz);
INSERT INTO worker_test.schedule VALUES ('-infinity');
INSERT INTO worker_test.job VALUES ('a', 'SELECT due FROM worker_test.schedule', 'SELECT worker_test.bad()')});
	worker_todo($node, 'postgres', 'beside a bad job');
	is(worker_wait_done($node, 'postgres', 'beside a bad job'), $pid, 'the other job works');
	ok(bk_wait_for(LATCH_WAIT, sub { $failures->() == 1 }), 'an error is logged');
	like(worker_log($node, $offset), qr/P0042 ERROR:  the bad job.*CONTEXT: .*job "test a" of backup_service in database "postgres"/s, 'with its SQLSTATE and the job');
	for my $n (1 .. 5)
	{
		worker_todo($node, 'postgres', "noise $n");
		worker_wait_done($node, 'postgres', "noise $n");
	}
	cmp_ok($failures->(), '<=', 2, 'wake-ups do not hurry a job that waits after an error');
	ok(bk_wait_for(LATCH_WAIT, sub { $failures->() == 2 }), 'it is tried again without being woken');
	like(worker_log($node, $offset), qr/test a" .* is tried again in 1 s, having failed 1 times in a row.*test a" .* is tried again in 2 s, having failed 2 times in a row/s, 'after a growing delay');
	$node->reload;
	ok(bk_wait_for(1, sub { $failures->() == 3 }), 'a reload tries at once') or diag(worker_log($node, $offset));
	like(worker_log($node, $offset), qr/is tried again in 4 s, having failed 3 times/, 'and counts on');
	$node->safe_psql('postgres', q{CREATE OR REPLACE FUNCTION worker_test.bad() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
INSERT INTO worker_test.done VALUES ('put right'); UPDATE worker_test.schedule SET due = 'infinity'; RETURN false; END $$});
	$node->reload;
	ok(worker_wait_done($node, 'postgres', 'put right'), 'put right, it runs');
	is(seen('pid'), $pid, 'in the same process through all of this');
	$node->safe_psql('postgres', q{CREATE FUNCTION worker_test.bad_due() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no time'; END $$;
UPDATE worker_test.job SET next_due = 'SELECT worker_test.bad_due()' WHERE name = 'a'});
	worker_todo($node, 'postgres', 'beside a bad time');
	ok(bk_wait_for(LATCH_WAIT, sub { worker_log($node, $offset) =~ /ERROR:  no time.*is tried again in 1 s, having failed 1 times/s }), 'a job that cannot say its time fails too, and counts anew');
	ok(worker_wait_done($node, 'postgres', 'beside a bad time'), 'alone');
	$node->safe_psql('postgres', q{UPDATE worker_test.job SET next_due = 'SELECT due FROM worker_test.schedule' WHERE name = 'a'});
	$node->reload;
}

# A job that is due but finds nothing to do is not run in a circle.
{
	worker_rests($node, 'postgres');
	$node->safe_psql('postgres', q{CREATE SEQUENCE worker_test.batches;
UPDATE worker_test.job SET batch = $$SELECT nextval('worker_test.batches') < 0$$ WHERE name = 'a'; UPDATE worker_test.schedule SET due = '-infinity'; SELECT worker_test.wake()});
	my $batches = sub { bk_value($node, 'postgres', 'SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM worker_test.batches') };
	ok(bk_wait_for(LATCH_WAIT, sub { $batches->() == 2 }), 'it is tried again');
	$node->safe_psql('postgres', q{UPDATE worker_test.schedule SET due = 'infinity'; SELECT worker_test.wake()});
	cmp_ok($batches->(), '<=', 3, 'after a growing delay');
}

# A time that comes, on the worker's clock.
{
	$node->safe_psql('postgres', q{UPDATE worker_test.job SET batch = $$SELECT worker_test.bad()$$ WHERE name = 'a'; TRUNCATE worker_test.done;
UPDATE worker_test.schedule SET due = now() + interval '1 second'; SELECT worker_test.wake()});
	ok(worker_wait_done($node, 'postgres', 'put right'), 'a job runs when its time has come');
	is(bk_value($node, 'postgres', q{SELECT count(*) FROM worker_test.done}), 1, 'once');
	$node->safe_psql('postgres', q{TRUNCATE worker_test.done; UPDATE worker_test.schedule SET due = now() + interval '10 years'; SELECT worker_test.wake()});
	worker_todo($node, 'postgres', 'in between');
	worker_wait_done($node, 'postgres', 'in between');
	is(worker_done($node, 'postgres', 'put right'), 0, 'not before');
	$node->append_conf('postgresql.conf', 'worker_test.clock_offset = ' . 11 * 366 * 86400);
	$node->reload;
	ok(worker_wait_done($node, 'postgres', 'put right'), 'ten simulated years later it does');
	$node->append_conf('postgresql.conf', 'worker_test.clock_offset = 0');
	$node->reload;
}

# The worker ends when it is idle, and comes back when something is due or somebody wakes it.
{
	my $offset = log_size();
	$node->append_conf('postgresql.conf', "backup_service.worker_idle_timeout = '1s'\nlog_min_messages = debug1\n");
	$node->safe_psql('postgres', q{TRUNCATE worker_test.done; UPDATE worker_test.schedule SET due = now() + interval '2500 ms'; SELECT worker_test.wake()});
	$node->reload;
	ok(worker_wait_gone($node, 'postgres'), 'it ends after worker_idle_timeout');
	is(worker_done($node, 'postgres', 'put right'), 0, 'before a job is due');
	isnt(worker_wait_done($node, 'postgres', 'put right'), $pid, 'when it is, the launcher starts another one');
	$node->append_conf('postgresql.conf', 'backup_service.worker_idle_timeout = 0');
	$node->reload;
	ok(worker_wait_gone($node, 'postgres'), 'with 0 it ends at once');
	$node->pgbench('-n -c 3 -T 3', 0, [qr{number of failed transactions: 0}], [qr/^$/], 'wake-ups between the end of one worker and the start of the next', {
		'020_short' => q{\set pause random(1, 40)
BEGIN; INSERT INTO worker_test.todo (what) VALUES ('short'); SELECT worker_test.wake(); COMMIT;
\sleep :pause ms} });
	ok(bk_wait_for(LATCH_WAIT, sub { bk_value($node, 'postgres', 'SELECT count(*) FROM worker_test.todo') == 0 }), 'none is lost');
	my ($done, $workers) = split /\|/, bk_value($node, 'postgres', q{SELECT count(*), count(DISTINCT pid) FROM worker_test.done WHERE what = 'short'});
	note("$done done by $workers workers");
	cmp_ok($workers, '>', 5, 'by one worker after another');
	unlike(worker_log($node, $offset), qr/(ERROR|FATAL|PANIC|WARNING):/, 'and nothing is wrong');
	$node->append_conf('postgresql.conf', "backup_service.worker_idle_timeout = '1h'\nlog_min_messages = warning\n");
	$node->reload;
}

# The database's own settings do not concern it.
{
	$node->safe_psql('postgres', q{ALTER DATABASE postgres SET default_transaction_read_only = on; ALTER DATABASE postgres SET default_transaction_isolation = 'serializable';
ALTER DATABASE postgres SET search_path = nonesuch; ALTER DATABASE postgres SET statement_timeout = '1ms'; ALTER DATABASE postgres SET role = 'pg_monitor'});
	worker_wait_gone($node, 'postgres');
	bk_value($node, 'template1', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'backup_service worker'});
	worker_wait_gone($node, 'postgres');
	$node->safe_psql('postgres', q{SET role = 'none'; SET default_transaction_read_only = off; SET statement_timeout = 0; BEGIN READ WRITE; INSERT INTO worker_test.todo (what) VALUES ('settings'); SELECT worker_test.wake(); COMMIT;});
	$node->safe_psql('template1', q{ALTER DATABASE postgres RESET ALL});
	ok(worker_wait_done($node, 'postgres', 'settings'), 'settings of the database are not in its way');
}

# Processes that are ended, and killed.
{
	my $offset = log_size();
	worker_todo($node, 'postgres', 'before');
	my $worker = worker_wait_done($node, 'postgres', 'before');
	worker_rests($node, 'postgres');
	bk_value($node, 'postgres', "SELECT pg_terminate_backend($worker)");
	ok(worker_wait_gone($node, 'postgres'), 'pg_terminate_backend() ends a worker');
	worker_todo($node, 'postgres', 'after terminate');
	my $next = worker_wait_done($node, 'postgres', 'after terminate');
	ok($next && $next != $worker, 'the next wake-up starts another one');
	unlike(worker_log($node, $offset), qr/(ERROR|FATAL|PANIC|WARNING):/, 'without a word');

	my $launcher = launcher_pid($node);
	bk_value($node, 'template1', "SELECT pg_terminate_backend($launcher)");
	ok(bk_wait_for(LATCH_WAIT, sub { my $other = launcher_pid($node); $other && $other != $launcher }), 'a launcher that is ended comes back');
	is(worker_pid($node, 'postgres'), $next, 'and does not disturb the worker');
	bk_value($node, 'template1', "SELECT pg_terminate_backend($next)");
	worker_wait_gone($node, 'postgres');
	worker_todo($node, 'postgres', 'new launcher');
	$next = worker_wait_done($node, 'postgres', 'new launcher');
	ok($next, 'the new one starts workers');

	for my $victim ('worker', 'launcher')
	{
		my $holder = $node->background_psql('postgres', on_error_die => 0, on_error_stop => 0);
		$holder->query('SELECT pg_advisory_lock(42)');
		worker_todo($node, 'postgres', "lock $victim");
		bk_wait_for(LATCH_WAIT, sub { seen('wait_event') eq 'advisory' });
		my $victim_pid = $victim eq 'worker' ? worker_pid($node, 'postgres') : launcher_pid($node);
		kill 'KILL', $victim_pid;
		$holder->{run}->finish;
		ok(bk_wait_for(LATCH_WAIT, sub { !kill 0, $victim_pid }), "$victim killed");
		bk_wait_ready($node, LATCH_WAIT);
		ok(worker_wait_done($node, 'postgres', "lock $victim"), "after the crash of a $victim, what was not done is done, by nobody's wake-up");
		is(worker_done($node, 'postgres', "lock $victim"), 1, 'once');
	}
}

# SQL of another version than the library.
{
	my $version = bk_value($node, 'postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'backup_service'});
	my $offset = log_size();
	my $starts = sub { return scalar(() = worker_log($node, $offset) =~ /starting background worker process "backup_service worker/g) };
	$node->append_conf('postgresql.conf', 'log_min_messages = debug1');
	$node->reload;
	worker_todo($node, 'postgres', 'old version');
	worker_wait_done($node, 'postgres', 'old version');
	$node->safe_psql('postgres', "ALTER EXTENSION backup_service UPDATE TO '$version-test'");
	ok(bk_wait_for(LATCH_WAIT, sub { worker_log($node, $offset) =~ /55000 WARNING:  library version $version of backup_service cannot serve version $version-test of the extension in database "postgres"/ }), 'ALTER EXTENSION UPDATE beside the worker: it says that its library does not fit');
	like(worker_log($node, $offset), qr/HINT:  Run ALTER EXTENSION backup_service UPDATE there; where that has been done, restart the server/, 'and what to do');
	worker_todo($node, 'postgres', 'wrong version');
	my $begun = $starts->();
	ok(bk_wait_for(LATCH_WAIT, sub { $starts->() >= $begun + 2 }), 'new processes try again');
	is(scalar(() = worker_log($node, $offset) =~ /cannot serve version/g), 1, 'but it is said once');
	is(worker_done($node, 'postgres', 'wrong version'), 0, 'and nothing is done');
	$node->safe_psql('postgres', "ALTER EXTENSION backup_service UPDATE TO '$version'");
	ok(worker_wait_done($node, 'postgres', 'wrong version'), 'when the versions agree, it is');
	unlike(worker_log($node, $offset), qr/(ERROR|FATAL|PANIC):/, 'no error');
	$node->append_conf('postgresql.conf', 'log_min_messages = warning');
	$node->reload;
}

# The extension is altered and dropped beside a running batch, and beside a worker at rest.
{
	my $version = bk_value($node, 'postgres', q{SELECT extversion FROM pg_extension WHERE extname = 'backup_service'});
	my $offset = log_size();
	my $holder = $node->background_psql('postgres');
	my $session = $node->background_psql('postgres');
	for my $statement ("ALTER EXTENSION backup_service UPDATE TO '$version-test'", "ALTER EXTENSION backup_service UPDATE TO '$version'", 'DROP EXTENSION backup_service')
	{
		$holder->query('SELECT pg_advisory_lock(42)');
		worker_todo($node, 'postgres', "lock $statement" =~ s/'//gr);
		if ($statement =~ /UPDATE TO '$version'/)
		{
			# Where the versions differ, no batch runs.
			$session->query($statement);
			$holder->query('SELECT pg_advisory_unlock(42)');
		}
		else
		{
			bk_wait_for(LATCH_WAIT, sub { seen('wait_event') eq 'advisory' });
			$session->query_until(qr/begun/, "\\echo begun\n$statement;\n\\echo ended\n");
			ok(bk_wait_for(LATCH_WAIT, sub { bk_value($node, 'postgres', q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%EXTENSION backup_service%' AND wait_event_type = 'Lock'}) }), "$statement waits for the running batch");
			$holder->query('SELECT pg_advisory_unlock(42)');
			$session->query_until(qr/ended/, '');
		}
		# what DROP EXTENSION loses, it says (t/047)
		is($session->{stderr} =~ s/\A\S+ WARNING:  all backups are lost with extension "backup_service"\nDETAIL: .*\nHINT: .*\n\z//r, '', "$statement is done");
	}
	ok(worker_wait_gone($node, 'postgres'), 'without the extension there is no worker');
	$session->quit;
	$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
	worker_todo($node, 'postgres', 'again');
	ok(worker_wait_done($node, 'postgres', 'again'), 'CREATE EXTENSION brings one back');
	worker_rests($node, 'postgres');
	$node->safe_psql('postgres', 'DROP EXTENSION backup_service');
	ok(worker_wait_gone($node, 'postgres'), 'DROP EXTENSION beside a worker at rest ends it');
	$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
	unlike(worker_log($node, $offset), qr/(ERROR|FATAL|PANIC):/, 'no error');
	$holder->quit;
}

# Shutdown: fast and smart, at rest and in a batch.
for my $mode ('fast', 'smart')
{
	for my $busy (0, 1)
	{
		worker_todo($node, 'postgres', "before $mode $busy");
		worker_wait_done($node, 'postgres', "before $mode $busy");
		if ($busy)
		{
			$node->safe_psql('postgres', q{SELECT setval('worker_test.attempt', 1, false)});
			worker_todo($node, 'postgres', "sleep $mode");
			bk_wait_for(LATCH_WAIT, sub { seen('wait_event') eq 'PgSleep' });
		}
		else
		{
			worker_rests($node, 'postgres');
		}
		my $offset = log_size();
		$node->stop($mode);
		my $log = worker_log($node, $offset);
		my ($asked, $stopped) = $log =~ /:(\d\d\.\d+) \S+ \[\d+\].*received $mode shutdown request.*:(\d\d\.\d+) \S+ \[\d+\] checkpointer .*shutting down/s;
		my $took = defined $stopped ? $stopped - $asked : 99;
		$took += 60 if $took < 0;
		note("$took s");
		cmp_ok($took, '<', 1, "$mode shutdown " . ($busy ? 'in a batch' : 'at rest'));
		my $bad = $busy ? 'ERROR|PANIC|WARNING' : 'ERROR|FATAL|PANIC|WARNING';
		unlike($log, qr/backup_service \w+ \w{5} ($bad):/, 'without an error');
		$node->start;
		ok(worker_wait_done($node, 'postgres', "sleep $mode"), 'what was left is done after the start') if $busy;
	}
}

# A standby waits for its promotion.
{
	$node->backup('base');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($node, 'base', has_streaming => 1);
	chmod 0600, bk_key_path($standby);
	$standby->start;
	is(launcher_pid($standby) . worker_pid($standby, 'postgres'), '', 'a standby has neither launcher nor worker');
	bk_fails($standby, 'postgres', 'SELECT bk_worker_start()', '25006', qr/cannot execute bk_worker_start\(\) in a read-only transaction/, 'and bk_worker_start() is refused');
	$node->safe_psql('postgres', q{UPDATE worker_test.job SET batch = NULL; INSERT INTO worker_test.todo (what) VALUES ('promoted'); UPDATE worker_test.job SET batch = CASE pg_is_in_recovery() WHEN false THEN 'SELECT inet_server_port() IS NULL AND worker_test.run_b()' END WHERE name = 'b'});
	$node->wait_for_catchup($standby);
	$node->stop('immediate');
	$standby->promote;
	ok(worker_wait_done($standby, 'postgres', 'promoted'), 'promoted, it works');
	$standby->stop;
}

done_testing();
