# Does the restore queue do what it is asked for, beside other sessions and in spite of errors?
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

# The key comes from a command that fails while there is a file.
my $keys = PostgreSQL::Test::Utils::tempdir();
my $node = queue_cluster('queue', conf => "backup_service.worker_idle_timeout = '1h'\nmax_prepared_transactions = 1\n"
	. "backup_service.key_command = 'test ! -e $keys/missing && cat $keys/key'\nbackup_service.key_cache_ttl = 0\n");
append_to_file("$keys/key", '5a' x 32);
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION backup_service');
$node->safe_psql('postgres', bk_noise_function());

sub value { return bk_value($node, 'postgres', $_[0]); }

# Another second of the worker's clock, which asks its jobs.
my $offset = 0;
sub set_clock
{
	$offset = $_[0];
	$node->append_conf('postgresql.conf', "worker_test.clock_offset = $offset");
	$node->reload;
	return;
}

# What bk_metrics() counts of restores.
sub restore_counters
{
	return { value('SELECT bk_metrics()') =~ /^(restores_total\{.*|restore_duration_seconds_.*) (\S+)$/mg };
}

# One that fails, in the worker's time.
sub fails_with
{
	my ($id, $like, $name) = @_;
	queue_wait_status($node, $id, 'failed');
	my ($status, $attempts, $error) = split /\|/, queue_op($node, $id, 'status, attempts, error'), 3;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is("$status $attempts", 'failed 1', "$name: it has failed at once");
	like($error, $like, 'and says why');
	return;
}

$node->safe_psql('postgres', q{
SELECT FROM bk_create('a', '{"v": 1}');
SELECT FROM bk_create('a', '{"v": 2, "w": [1, 2]}', 'incremental');
SELECT FROM bk_create('a', '{"v": 3}', 'incremental')});

# A restore onto another resource, onto its own, of a time.
{
	my $begin = time;
	is(value(q{SELECT bk_restore_enqueue(2, 'b', created_by => 'somebody')}), 1, 'a restore is asked for');
	is(value('SELECT bk_restore_wait(1)'), 'completed', 'and waited for');
	note(sprintf('%.0f ms with two connections', (time - $begin) * 1000));
	is(queue_op($node, 1, q{resource_id, backup_id, target_resource_id, type, status, progress, validated, validation_errors,
		role = current_user, created_by, attempts, next_attempt_at, bytes_done = bytes_total, error, restored_backup_id}),
		'a|2|b|incremental|completed|100|t|[]|t|somebody|1||t||4', 'the operation is complete');
	is(queue_op($node, 1, 'created_at <= started_at AND started_at <= completed_at'), 't', 'its times are in order');
	ok(queue_document($node, 1), 'its document is the new backup of the target');
	is(value('SELECT count(*) FROM bk_resources'), 2, 'which is a resource of its own');
	my $id = value(q{SELECT bk_restore_at_enqueue('a', (SELECT created_at FROM bk_backups WHERE backup_id = 1), validate => false)});
	is(value("SELECT bk_restore_wait($id, '20 seconds', 'a')"), 'completed', 'of a time, onto itself');
	is(queue_op($node, $id, 'backup_id, target_resource_id, validated'), '1|a|f', 'is a revert');
	is(value(q{SELECT bk_read((SELECT backup_id FROM bk_list('a', max_rows => 1)))}), '{"v": 1}', 'that keeps history');
	ok(queue_settled($node), 'nothing is left behind');
	is(value(q{SELECT string_agg(action || ' ' || outcome || ' ' || coalesce(detail->>'operation_id', ''), ',' ORDER BY number) FROM bk_audit WHERE resource_id = 'a' AND backup_id = 2 AND action = 'restore'}), 'restore done 1', 'the restore is in the audit trail');
	is(value(q{SELECT string_agg((role = current_user) || ' ' || action, ',' ORDER BY number) FROM bk_audit WHERE resource_id = 'b' AND action <> 'read'}), 'true create', 'as the backup that it made');
}

# A long one, seen by others while it runs; what it reads stays.
my $big = value(q{SELECT backup_id FROM bk_create('big', jsonb_build_object('noise', bk_noise('x', 9000000)), compression => 'none')});
my $small = value(q{SELECT backup_id FROM bk_create('big', (SELECT bk_read(} . $big . q{) || '{"more": 1}'), 'incremental')});
{
	my $id = queue_stop($node, 'restore-reading', "$small, 'big2'");
	my ($status, $progress, $part) = split /\|/, queue_op($node, $id, 'status, progress, bytes_done > 0 AND bytes_done < bytes_total');
	is("$status $part", 'running t', 'a long restore is seen to run');
	ok($progress > 10 && $progress < 80, "at $progress per cent");
	is(value("SELECT bk_restore_wait($id, '100 milliseconds')"), 'running', 'waiting for it can be limited');
	bk_fails($node, 'postgres', "SET statement_timeout = '200ms'; SELECT bk_restore_wait($id)", '57014', qr/statement timeout/, 'and cancelled');
	for my $backup ($big, $small)
	{
		bk_fails($node, 'postgres', "SELECT bk_delete($backup)", '55006', qr/a running restore reads this backup.*DETAIL:  It is operation $id.*HINT:  Wait for it with bk_restore_wait\($id\), or cancel it/s, "backup $backup, which it reads, cannot be deleted");
	}
	bk_fails($node, 'postgres', "SELECT bk_delete($big, 'cascade')", '55006', qr/a running restore reads/, 'nor with what builds on it');
	bk_fails($node, 'postgres', "SELECT bk_consolidate($small)", '55006', qr/a running restore reads/, 'nor consolidated');
	$node->safe_psql('postgres', "SELECT bk_hold($big, 'h', 'why'); SELECT bk_release($big, 'h'); SELECT FROM bk_create('big', '1')");
	pass('it can be held, and its resource backed up');
	value("SELECT bk_restore_cancel($id)");
	is(queue_op($node, $id, 'status, completed_at IS NOT NULL'), 'cancelled|t', 'it is cancelled');
	bk_fails($node, 'postgres', "SELECT bk_restore_cancel($id)", '55000', qr/operation $id has ended already.*DETAIL:  It is cancelled/s, 'once');
	is(value("SELECT bk_consolidate($small) IS NULL"), 'f', 'what it would have read is free');
	queue_go($node);
	ok(queue_settled($node), 'the worker leaves it');
	is(value(q{SELECT count(*) FROM bk_resources WHERE resource_id = 'big2'}), 0, 'and has made nothing of it');
}

# Cancelling beside completion: who comes first wins, and nobody waits for somebody who waits for him.
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $id = queue_stop($node, 'restore-ending', q{1, 'c'});
	$session->query_until(qr/begun/, "\\echo begun\nSELECT bk_restore_cancel($id);\n\\echo ended\n");
	ok(bk_wait_for(LATCH_WAIT, sub { value(q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%bk_restore_cancel%' AND wait_event_type = 'Lock'}) }), 'a cancellation beside the final transaction waits');
	queue_go($node);
	$session->query_until(qr/ended/, '');
	like($session->{stderr}, qr/operation $id has ended already/, 'and comes too late');
	$session->{stderr} = '';
	is(queue_op($node, $id, 'status'), 'completed', 'it is completed');

	$session->query(q{BEGIN; SELECT FROM bk_create('d', '0')});
	$id = queue_ask($node, q{1, 'd'});
	ok(bk_wait_for(LATCH_WAIT, sub { value(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'backup_service worker' AND wait_event_type = 'Lock'}) }), 'a restore waits for its target');
	$session->query("SELECT bk_restore_cancel($id); COMMIT");
	is($session->{stderr}, '', 'who has the target can cancel it');
	ok(queue_settled($node), 'and the worker lets go');
	is(queue_op($node, $id, 'status') . value(q{SELECT count(*) FROM bk_list('d')}), 'cancelled1', 'without a new backup');

	$id = queue_stop($node, 'restore-claimed', q{1, 'e'});
	$session->query("BEGIN; SELECT bk_restore_cancel($id)");
	queue_go($node);
	sleep(0.3);
	is(queue_op($node, $id, 'status'), 'running', 'a cancellation that is not committed stops it');
	is(value(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'backup_service worker' AND (wait_event_type = 'Lock' OR xact_start IS NOT NULL)}), 0, 'without a lock that is waited for');
	$session->query('ROLLBACK');
	ok(queue_wait_status($node, $id, 'completed'), 'when it is rolled back, the restore goes on');
	$session->quit;
}

# Who asked must still have the rights; what is asked for must still be there.
{
	$node->safe_psql('postgres', q{
CREATE ROLE anna IN ROLE backup_service_user; CREATE ROLE bert IN ROLE backup_service_user; CREATE ROLE carl IN ROLE backup_service_user;
CREATE ROLE team; GRANT team TO bert; SET ROLE anna; SELECT FROM bk_create('annas', '{"a": 1}'); SET ROLE team});
	$node->safe_psql('postgres', q{GRANT backup_service_user TO team; SET ROLE team; SELECT FROM bk_create('teams', '{"t": 1}')});
	my ($annas, $teams) = map { value("SELECT backup_id FROM bk_list('$_')") } 'annas', 'teams';
	my $asked = sub {
		my ($role, $arguments, $then) = @_;
		return (split /\n/, value("BEGIN; SET LOCAL ROLE $role; SELECT bk_restore_enqueue($arguments); RESET ROLE; $then; COMMIT"))[0];
	};
	bk_fails($node, 'postgres', "SET ROLE bert; SELECT bk_restore_enqueue($annas)", '42704', qr/backup $annas does not exist/, 'a backup of others cannot be asked for');
	bk_fails($node, 'postgres', "SET ROLE bert; SELECT bk_restore_enqueue($teams, 'annas')", '42501', qr/permission denied for resource "annas"/, 'nor a target of others');
	my $id = $asked->('bert', "$teams, 'berts'", 'SELECT');
	ok(queue_wait_status($node, $id, 'completed'), 'a member restores what is the role\'s');
	is(value(q{SELECT owner FROM bk_resources WHERE resource_id = 'berts'}), 'bert', 'and owns the new resource');
	is(value(qq{SET ROLE anna; SELECT count(*) FROM bk_operations WHERE operation_id = $id}), 0, 'the operation is not seen by others');
	bk_fails($node, 'postgres', "SET ROLE anna; SELECT bk_restore_cancel($id)", '42704', qr/operation $id does not exist/, 'nor cancelled');
	bk_fails($node, 'postgres', "SET ROLE anna; SELECT bk_restore_wait($id)", '42704', qr/operation $id does not exist/, 'nor waited for');
	fails_with($asked->('bert', "$teams, 'berts'", 'REVOKE team FROM bert'), qr/^backup $teams does not exist$/, 'membership revoked before it runs');
	is(value(q{SELECT count(*) FROM bk_list('berts')}), 1, 'nothing is made');
	$node->safe_psql('postgres', 'GRANT team TO bert');
	queue_point($node, 'restore-claimed', 'w');
	$id = $asked->('bert', "$teams, 'berts'", 'SELECT');
	queue_reached($node, 'restore-claimed');
	$node->safe_psql('postgres', 'REVOKE team FROM bert');
	queue_go($node);
	fails_with($id, qr/^backup $teams does not exist$/, 'membership revoked while it runs');
	fails_with($asked->('anna', "$annas, 'new'", q{SET LOCAL ROLE bert; SELECT FROM bk_create('new', '1'); RESET ROLE}), qr/^permission denied for resource "new": The resource belongs to another role/, 'a target that was taken meanwhile');
	fails_with($asked->('anna', $annas, q{SELECT FROM bk_owner_set('annas', 'bert')}), qr/^backup $annas does not exist$/, 'a resource that was given away');
	my $carls = value(q{SET ROLE carl; SELECT backup_id FROM bk_create('carls', '1')});
	fails_with($asked->('carl', $carls, 'DROP ROLE carl'), qr/^role "carl" does not exist$/, 'a role that was dropped');
	is(value(q{SELECT string_agg(action || ' ' || outcome || ' ' || role, ',') FROM bk_audit WHERE resource_id = 'carls' AND action = 'restore'}), 'restore failed carl', 'which is in the audit trail');
	my $gone = value(q{SELECT backup_id FROM bk_create('gone', '1')});
	fails_with($asked->('none', $gone, "SELECT bk_delete($gone)"), qr/^backup $gone does not exist$/, 'a backup that was deleted');
	my $whole = value(q{SELECT backup_id FROM bk_create('whole', '1')});
	$id = $asked->('none', $whole, "SELECT bk_delete($whole); DELETE FROM backup_service.resource WHERE resource_id = 'whole'");
	ok(bk_wait_for(LATCH_WAIT, sub { value("SELECT status || error FROM backup_service.restore_operation WHERE operation_id = $id") eq "failedbackup $whole does not exist" }), 'a resource that is gone as a whole');
	# There is no chain to seal its event into.
	$node->safe_psql('postgres', q{DELETE FROM backup_service.audit_unsealed WHERE resource_id = 'whole'});
}

# Damage is found, and not tried again.
{
	my $id = value(q{SELECT backup_id FROM bk_create('damaged', '{"d": 1}')});
	$node->safe_psql('postgres', "UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE backup_id = $id");
	my $operation = queue_ask($node, "$id, 'from damaged'");
	fails_with($operation, qr/^backup $id .*checksum/, 'a damaged backup');
	like(queue_op($node, $operation, 'validation_errors, validated'), qr/^\["backup $id .*checksum.*"\]\|f$/, 'as validation found it');
	$node->safe_psql('postgres', "DELETE FROM backup_service.chunk WHERE backup_id = $big AND seq = 40");
	fails_with(queue_ask($node, "$big, 'from damaged'"), qr/^backup $big .*checksum/, 'a backup without one of its chunks');
	$node->safe_psql('postgres', "DELETE FROM backup_service.backup WHERE backup_id = 1");
	fails_with(queue_ask($node, q{2, 'from damaged'}), qr/^backup 2 .*base/, 'a backup without its base');
	is(value(q{SELECT count(*) FROM bk_resources WHERE resource_id = 'from damaged'}), 0, 'nothing is made');
}

# What may pass is tried again, later each time.
my $plain = value(q{SELECT backup_id FROM bk_create('plain', '{"p": 1}')});
{
	append_to_file("$keys/missing", '');
	my $id = queue_ask($node, "$plain, 'plain2'");
	my @delays;
	for my $attempt (1 .. 4)
	{
		bk_wait_for(LATCH_WAIT, sub { queue_op($node, $id, q{attempts || status}) eq "${attempt}queued" });
		push @delays, queue_op($node, $id, q{round(extract(epoch FROM next_attempt_at - started_at))});
		like(queue_op($node, $id, 'error'), qr/^backup_service.key_command failed|key/, 'a key command fails') if $attempt == 1;
		is(queue_op($node, $id, 'progress, bytes_done'), '0|0', 'it begins anew') if $attempt == 1;
		set_clock($offset + $delays[-1] + 1) if $attempt < 4;
	}
	is("@delays", '1 2 4 8', 'it is tried again after 1, 2, 4, 8 seconds');
	unlink("$keys/missing");
	set_clock($offset + 9);
	ok(queue_wait_status($node, $id, 'completed'), 'when the command works again, it is completed');
	is(queue_op($node, $id, 'attempts, error'), '5|', 'in the fifth attempt');
	ok(queue_document($node, $id), 'with its document');

	rename("$keys/key", "$keys/good");
	append_to_file("$keys/key", "no key\n");
	$id = queue_ask($node, "$plain, 'plain2'");
	ok(bk_wait_for(LATCH_WAIT, sub { queue_op($node, $id, 'status || attempts') eq 'queued1' }), 'a malformed key may pass too');
	$node->append_conf('postgresql.conf', 'backup_service.max_attempts = 2');
	set_clock($offset + 3);
	ok(queue_wait_status($node, $id, 'failed'), 'after backup_service.max_attempts it has failed');
	is(queue_op($node, $id, 'attempts, next_attempt_at'), '2|', 'for good');
	rename("$keys/good", "$keys/key");
	$node->append_conf('postgresql.conf', 'backup_service.max_attempts = 5');
	$node->reload;

	# A worker that is told to cancel what it does.
	$id = queue_stop($node, 'restore-claimed', "$plain, 'plain2'");
	value(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'backup_service worker'});
	ok(bk_wait_for(LATCH_WAIT, sub { worker_log($node) =~ /canceling statement due to user request/ }), 'pg_cancel_backend() at the worker');
	set_clock($offset + 5);
	ok(queue_wait_status($node, $id, 'completed'), 'only puts it off');
}

# Restores that cannot be begun are not in the way of others.
{
	my $session = $node->background_psql('postgres');
	my $busy = value(q{SELECT backup_id FROM bk_create('busy', '1')});
	$session->query(q{BEGIN; SELECT FROM bk_create('busy', '2')});
	$node->safe_psql('postgres', "SELECT bk_restore_enqueue($busy, 'not busy') FROM generate_series(1, 45)");
	my $id = queue_ask($node, "$plain, 'plain2'");
	is(value("SELECT bk_restore_wait($id, '5 seconds')"), 'completed', 'one is done beside 45 that wait for their resource');
	is(value(q{SELECT count(*) FROM bk_operations WHERE resource_id = 'busy' AND status = 'queued' AND attempts = 0}), 45, 'which are not begun');
	$session->query('COMMIT');
	ok(queue_settled($node), 'until it is free');
	is(value(q{SELECT count(*) FROM bk_list('not busy')}), 45, 'then all are done');
	$session->quit;
}

# Long chains, in steps too.
{
	my $last = value(q{SET backup_service.max_chain_length = 400;
SELECT max(b.backup_id) FROM generate_series(1, 130) i, LATERAL bk_create('chain', jsonb_build_object('i', i, 'same', repeat('x', 300)), 'incremental') b});
	my $id = queue_stop($node, 'restore-reading', "$last, 'unchained'");
	is(queue_op($node, $id, 'status, progress BETWEEN 1 AND 80'), 'running|t', 'a long chain is read in steps');
	queue_go($node);
	ok(queue_wait_status($node, $id, 'completed') && queue_document($node, $id), 'and restored');
}

# More workers.
$node->append_conf('postgresql.conf', q{backup_service.key_cache_ttl = '5min'});
{
	$node->safe_psql('postgres', q{SELECT FROM bk_create('large', jsonb_build_object('noise', bk_noise('y', 9000000)), compression => 'none')});
	my $large = value(q{SELECT backup_id FROM bk_list('large')});
	my $restorers = sub { return value(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'backup_service restorer'}) };
	for my $workers (1, 2)
	{
		$node->append_conf('postgresql.conf', "backup_service.max_restore_workers = $workers");
		$node->reload;
		my $id = queue_stop($node, 'restore-reading', "$large, 'large2'");
		my @others = map { queue_ask($node, "$plain, 'plain$_'") } 3 .. 5;
		sleep(0.15);
		queue_point($node, 'restore-reading', 'w');
		queue_go($node);
		if ($workers == 1)
		{
			queue_reached($node, 'restore-reading');
			is($restorers->(), 0, 'with one worker the others wait');
			is(value("SELECT count(*) FROM bk_operations WHERE operation_id IN (" . join(',', @others) . ") AND status = 'queued'"), 3, 'in the queue');
		}
		else
		{
			ok(queue_wait_status($node, $others[2], 'completed'), 'with two, one does them meanwhile');
			is(queue_op($node, $id, 'status'), 'running', 'while the first is busy');
			ok(bk_wait_for(LATCH_WAIT, sub { $restorers->() == 0 }), 'and ends when nothing is left');
		}
		queue_reached($node, 'restore-reading');
		queue_go($node);
		ok(queue_settled($node), 'all are done');
		is(value("SELECT count(*) FROM bk_operations WHERE operation_id IN (" . join(',', $id, @others) . ") AND status = 'completed'"), 4, 'once each');
	}
}

# Settings of the database do not concern it.
{
	$node->safe_psql('postgres', q{ALTER DATABASE postgres SET default_transaction_read_only = on; ALTER DATABASE postgres SET default_transaction_isolation = 'serializable';
ALTER DATABASE postgres SET statement_timeout = '1ms'; ALTER DATABASE postgres SET lock_timeout = '1ms'; ALTER DATABASE postgres SET role = 'pg_monitor'});
	bk_value($node, 'template1', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'backup_service worker'});
	worker_wait_gone($node, 'postgres');
	my $id = value(qq{SET role = 'none'; SET statement_timeout = 0; SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = off; SELECT bk_restore_enqueue($plain, 'plain2')});
	$node->safe_psql('template1', q{ALTER DATABASE postgres RESET ALL});
	ok(queue_wait_status($node, $id, 'completed'), 'settings of the database are not in its way');
}

# Records leave after backup_service.operation_retention.
{
	$node->safe_psql('postgres', "SELECT count(bk_restore($plain)) FROM generate_series(1, 700)");
	# How long they took meets each bound of the metrics' buckets, and just misses it.
	$node->safe_psql('postgres', q{INSERT INTO backup_service.restore_operation (resource_id, backup_id, type, status, progress, validated, role, created_by, created_at, completed_at)
		SELECT 'plain', 1, 'full', 'failed', 0, false, current_user, 'a test', now() - interval '1 day', now() - interval '1 day' + bound * interval '1 second' + more * interval '1 microsecond'
		  FROM unnest(backup_service.metric_seconds() || '{0}') bound, generate_series(-1, 1) more});
	is(value(q{SELECT sum(m[1]::int) FROM regexp_matches(bk_metrics(), '^backups_total\S+ (\d+)$', 'gn') m}), value(q{SELECT count(*) FROM bk_audit WHERE action = 'create' AND resource_id IN (SELECT resource_id FROM bk_resources)}),
		'backups that restores have made are counted as others');
	my $counted = restore_counters();
	is($counted->{'restores_total{status="completed"}'} + $counted->{'restores_total{status="failed"}'} + $counted->{'restores_total{status="cancelled"}'},
		value('SELECT count(*) FROM backup_service.restore_operation WHERE completed_at IS NOT NULL'), 'all that have ended are counted');
	my $all = value('SELECT count(*) FROM bk_operations');
	$node->append_conf('postgresql.conf', 'backup_service.operation_retention = 0');
	set_clock(1000 * 86400);
	ok(queue_settled($node), 'with operation_retention = 0');
	is(value('SELECT count(*) FROM bk_operations'), $all, 'nothing leaves');
	$node->append_conf('postgresql.conf', q{backup_service.operation_retention = '1001d'});
	$node->reload;
	my $id = queue_stop($node, 'restore-claimed', "$plain, 'plain2'");
	is(value('SELECT count(*) FROM bk_operations'), $all + 1, 'nor before it is over');
	$node->append_conf('postgresql.conf', q{backup_service.operation_retention = '90d'});
	$node->reload;
	queue_go($node);
	ok(bk_wait_for(LATCH_WAIT, sub { value('SELECT count(*) FROM bk_operations') <= 1 }), "then all $all do");
	is(value("SELECT count(*) FROM bk_operations WHERE operation_id = $id"), 1, 'but for one that has not been over for that long');
	ok(queue_wait_status($node, $id, 'completed'), 'which is done');
	is(value('SELECT count(*) FROM backup_service.restore_operation'), 1, 'it is the only one left');
	my $still = restore_counters();
	is($still->{'restores_total{status="completed"}'}, $counted->{'restores_total{status="completed"}'} + 1, 'they are counted all the same');
	is_deeply([ grep { $still->{$_} < $counted->{$_} } sort keys %$counted ], [], 'no counter has fallen');
	is_deeply([ grep { !/status="completed"/ && $still->{$_} != $counted->{$_} } sort keys %$counted ], [], 'each is in the bucket that it was in');
}

# Without a launcher nobody begins, until somebody starts a worker.
{
	my $alone = bk_start('alone', conf => "backup_service.max_restore_workers = 3\n");
	my $id = bk_value($alone, 'postgres', q{SELECT bk_restore_enqueue(backup_id, 'r2') FROM bk_create('r', '{"a": 1}')});
	my ($status, $output, $messages) = bk_run($alone, 'postgres', "SELECT bk_restore_wait($id, '100 milliseconds')");
	is($output, 'queued', 'without a worker a restore stays queued');
	like($messages, qr/WARNING:  55000: this database has no worker that does queued restores\nHINT:  Call bk_worker_start\(\)/, 'as who waits is told');
	bk_value($alone, 'postgres', 'SELECT bk_worker_start()');
	($status, $output, $messages) = bk_run($alone, 'postgres', "SELECT bk_restore_wait($id, '20 seconds')");
	is("$output$messages", 'completed', 'bk_worker_start() begins it');
	$alone->safe_psql('postgres', "SELECT bk_restore_enqueue(1, 'r' || i) FROM generate_series(1, 500) i");
	ok(queue_settled($alone), 'so are many');
	is(bk_value($alone, 'postgres', q{SELECT count(DISTINCT restored_backup_id) FROM bk_operations WHERE status = 'completed'}), 501, 'once each');
	$alone->stop;
}

ok(queue_settled($node), 'at the end nothing is left behind');
is(value(q{SELECT string_agg(DISTINCT chain, ',') FROM bk_audit_verify()}), 'a,whole', 'nor is anything wrong in the audit trail but what was tampered with');
$node->stop;
done_testing();
