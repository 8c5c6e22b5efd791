-- What does an operation say?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

SELECT backup_id AS full FROM bk_create('operations/r', '{"n": 1, "k": 0}') \gset
SELECT backup_id AS incremental FROM bk_create('operations/r', '{"n": 2, "k": 0}', 'incremental') \gset
SELECT backup_id AS differential, created_at AS differential_time FROM bk_create('operations/r', '{"n": 3, "k": 0}', 'differential') \gset

SELECT bk_restore(:full);
SELECT bk_restore(:incremental, 'operations/elsewhere', true, 'admin');
SELECT bk_restore(:differential, validate => false);
SELECT bk_restore_at('operations/r', :'differential_time', created_by => 'night shift');

-- One row each.
SELECT pg_temp.operation(operation_id) AS operation_id, resource_id, pg_temp.n(backup_id) AS backup_id, target_resource_id, type,
	   status, progress, validated, validation_errors, role = current_user AS role,
	   CASE created_by WHEN current_user THEN '(me)' ELSE created_by END AS created_by,
	   created_at <= completed_at AND completed_at <= clock_timestamp() AS times
  FROM bk_operations WHERE resource_id = 'operations/r' ORDER BY operation_id;

-- A refused restore leaves none.
CALL pg_temp.attempt('SELECT bk_restore(-1)');
CALL pg_temp.attempt(format('SELECT bk_restore(%s, target_resource_id => '''')', :full));
CALL pg_temp.attempt('SELECT bk_restore_at(''operations/r'', ''2000-01-01'')');
SELECT count(*) FROM bk_operations WHERE resource_id = 'operations/r';

-- Nor does one that is rolled back, or bk_read(), bk_export(), bk_diff(), bk_history(), bk_verify().
BEGIN;
SELECT bk_restore(:full);
ROLLBACK;
SELECT bk_read(:full) IS NOT NULL, bk_export(:full) IS NOT NULL, bk_diff(:full, :incremental) IS NOT NULL, bk_verify(:full)->'valid';
SELECT count(*) FROM bk_history('operations/r', 'n');
SELECT count(*) FROM bk_operations WHERE resource_id = 'operations/r';

-- Operations outlive the backup that was restored.
SELECT bk_delete(:full, 'cascade');
SELECT count(*) FROM bk_operations WHERE resource_id = 'operations/r';

-- Where the caller's created_by is empty, it is kept as it is.
SELECT backup_id AS again FROM bk_create('operations/r', '1') \gset
SELECT bk_restore(:again, created_by => '');
SELECT '"' || created_by || '"' AS created_by FROM bk_operations WHERE resource_id = 'operations/r' ORDER BY operation_id DESC LIMIT 1;
