-- What do the functions of the restore queue say?  A worker, where there is one, sees nothing of it before the commit: what
-- is asked for here is rolled back.  What the worker does is shown by t/023_queue.pl.
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

SELECT backup_id AS full, created_at AS full_time FROM bk_create('queue/r', '{"n": 1, "k": 0}') \gset
SELECT backup_id AS incremental FROM bk_create('queue/r', '{"n": 2, "k": 0}', 'incremental') \gset

BEGIN;
SELECT bk_restore_enqueue(:incremental) AS first \gset
SELECT bk_restore_enqueue(:full, 'queue/s', false, 'night shift', 'queue/r') AS second \gset
SELECT bk_restore_at_enqueue('queue/r', :'full_time') AS third \gset
SELECT bk_restore_at_enqueue('queue/r', 'infinity', 'queue/s', nearest => true) AS fourth \gset
-- They are queued.
SELECT pg_temp.operation(operation_id) AS operation, resource_id, pg_temp.n(backup_id) AS backup_id, target_resource_id, type, status,
	   progress, validated, validation_errors, role = current_user AS role, nullif(created_by, current_user) AS created_by,
	   attempts, next_attempt_at = created_at AS at_once
  FROM bk_operations WHERE resource_id = 'queue/r' ORDER BY operation_id;
SELECT count(*) FROM bk_operations
 WHERE resource_id = 'queue/r' AND (completed_at IS NOT NULL OR started_at IS NOT NULL OR bytes_done <> 0 OR bytes_total IS NOT NULL
									OR error IS NOT NULL OR restored_backup_id IS NOT NULL);
-- What is queued is not there yet, pins nothing, and is not in the audit trail.
SELECT count(*) FROM bk_resources WHERE resource_id = 'queue/s';
SELECT count(*) FROM bk_audit WHERE resource_id = 'queue/r' AND action = 'restore';
SAVEPOINT s;
SELECT bk_delete(:full, 'cascade');
ROLLBACK TO s;
-- This transaction cannot wait for it.
CALL pg_temp.attempt(format('SELECT bk_restore_wait(%s)', :first));
-- It can be cancelled, once.
SELECT bk_restore_cancel(:first);
SELECT bk_restore_cancel(:second, 'queue/r');
SELECT pg_temp.operation(operation_id) AS operation, status, completed_at IS NOT NULL AS completed, next_attempt_at IS NOT NULL AS again
  FROM bk_operations WHERE resource_id = 'queue/r' ORDER BY operation_id;
CALL pg_temp.attempt(format('SELECT bk_restore_cancel(%s)', :first));
ROLLBACK;
SELECT count(*) FROM bk_operations WHERE resource_id = 'queue/r';

-- Waiting for what has ended takes no time.
SELECT bk_restore(:full);
SELECT operation_id AS done FROM bk_operations WHERE resource_id = 'queue/r' \gset
SELECT bk_restore_wait(:done), bk_restore_wait(:done, '1 microsecond'), bk_restore_wait(:done, '150000000 years', 'queue/r');
CALL pg_temp.attempt(format('SELECT bk_restore_cancel(%s)', :done));

-- What is refused.
CALL pg_temp.attempt('SELECT bk_restore_enqueue(-1)');
CALL pg_temp.attempt('SELECT bk_restore_enqueue(NULL)');
CALL pg_temp.attempt(format('SELECT bk_restore_enqueue(%s, '''')', :full));
CALL pg_temp.attempt(format('SELECT bk_restore_enqueue(%s, repeat(''x'', 513))', :full));
CALL pg_temp.attempt(format('SELECT bk_restore_enqueue(%s, validate => NULL)', :full));
CALL pg_temp.attempt(format('SELECT bk_restore_enqueue(%s, resource_id => ''queue/s'')', :full));
CALL pg_temp.attempt('SELECT bk_restore_at_enqueue(''queue/r'', ''2000-01-01'')');
CALL pg_temp.attempt('SELECT bk_restore_at_enqueue(''queue/r'', NULL)');
CALL pg_temp.attempt('SELECT bk_restore_at_enqueue(''queue/nonesuch'', now())');
CALL pg_temp.attempt('SELECT bk_restore_cancel(-1)');
CALL pg_temp.attempt('SELECT bk_restore_cancel(NULL)');
CALL pg_temp.attempt(format('SELECT bk_restore_cancel(%s, ''queue/s'')', :done));
CALL pg_temp.attempt('SELECT bk_restore_wait(-1)');
CALL pg_temp.attempt(format('SELECT bk_restore_wait(%s, resource_id => ''queue/s'')', :done));
CALL pg_temp.attempt(format('SELECT bk_restore_wait(%s, ''0 seconds'')', :done));
CALL pg_temp.attempt(format('SELECT bk_restore_wait(%s, ''-150000000 years'')', :done));
BEGIN READ ONLY;
CALL pg_temp.attempt(format('SELECT bk_restore_enqueue(%s)', :full));
CALL pg_temp.attempt(format('SELECT bk_restore_cancel(%s)', :done));
-- Waiting writes nothing.
SELECT bk_restore_wait(:done);
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
CALL pg_temp.attempt(format('SELECT bk_restore_wait(%s)', :done));
ROLLBACK;

-- Who may: those who may use the backup, and may write the target.
CREATE ROLE regress_queue_anna IN ROLE backup_service_user;
CREATE ROLE regress_queue_bert IN ROLE backup_service_user;
SET ROLE regress_queue_anna;
SELECT backup_id AS annas FROM bk_create('queue/annas', '1') \gset
SET ROLE regress_queue_bert;
SELECT backup_id AS berts FROM bk_create('queue/berts', '1') \gset
BEGIN;
CALL pg_temp.attempt(format('SELECT bk_restore_enqueue(%s)', :annas));
CALL pg_temp.attempt('SELECT bk_restore_at_enqueue(''queue/annas'', now())');
CALL pg_temp.attempt(format('SELECT bk_restore_enqueue(%s, ''queue/annas'')', :berts));
SELECT bk_restore_enqueue(:berts, 'queue/berts 2') AS asked \gset
SELECT count(*) FROM bk_operations WHERE operation_id = :asked;
SET LOCAL ROLE regress_queue_anna;
SELECT count(*) FROM bk_operations WHERE operation_id = :asked;
CALL pg_temp.attempt(format('SELECT bk_restore_cancel(%s)', :asked));
CALL pg_temp.attempt(format('SELECT bk_restore_cancel(%s, ''queue/berts'')', :asked));
ROLLBACK;
RESET ROLE;
DELETE FROM backup_service.restore_operation WHERE resource_id LIKE 'queue/%';
DROP ROLE regress_queue_anna, regress_queue_bert;
