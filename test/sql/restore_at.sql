-- Which state does bk_restore_at() give?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

SELECT backup_id AS one, created_at AS first_time FROM bk_create('at/r', '{"state": 1}') \gset
SELECT backup_id AS two, created_at AS second_time FROM bk_create('at/r', '{"state": 2}', 'incremental') \gset
SELECT backup_id AS three, created_at AS third_time FROM bk_create('at/r', '{"state": 3}', 'incremental') \gset
SELECT backup_id AS four, created_at AS fourth_time FROM bk_create('at/r', '{"state": 4}', 'differential') \gset

-- The newest one at or before the time.
SELECT bk_restore_at('at/r', :'first_time');
SELECT bk_restore_at('at/r', :'second_time');
SELECT bk_restore_at('at/r', :'second_time'::timestamptz - interval '1 microsecond');
SELECT bk_restore_at('at/r', :'third_time'::timestamptz - (:'third_time'::timestamptz - :'second_time') / 2);
SELECT bk_restore_at('at/r', :'fourth_time'::timestamptz + interval '1 second');
SELECT bk_restore_at('at/r', 'infinity');

-- Before the timeline there is nothing to restore, and nothing earlier to take instead.
CALL pg_temp.attempt(format('SELECT bk_restore_at(''at/r'', %L::timestamptz - interval ''1 microsecond'')', :'first_time'));
CALL pg_temp.attempt('SELECT bk_restore_at(''at/r'', ''2000-01-01'')');
CALL pg_temp.attempt('SELECT bk_restore_at(''at/r'', ''2000-01-01'', nearest => true)');
CALL pg_temp.attempt('SELECT bk_restore_at(''at/r'', ''-infinity'')');

-- A deleted backup leaves a gap: never silently another state.
SELECT bk_delete(:two);
SELECT bk_restore_at('at/r', :'first_time');
CALL pg_temp.attempt(format('SELECT bk_restore_at(''at/r'', %L)', :'second_time'));
CALL pg_temp.attempt(format('SELECT bk_restore_at(''at/r'', %L::timestamptz - interval ''1 microsecond'')', :'third_time'));
SELECT bk_restore_at('at/r', :'third_time');

-- The nearest earlier one on request, with a warning.  (It names times, so it is shown further below.)
SET client_min_messages = error;
SELECT bk_restore_at('at/r', :'second_time', nearest => true);
RESET client_min_messages;
-- Where there is a state, nearest makes no difference, and no warning.
SELECT bk_restore_at('at/r', :'third_time', nearest => true);

-- Two neighbours gone: the hint names the ones that are left.
SELECT bk_delete(:three);
CALL pg_temp.attempt(format('SELECT bk_restore_at(''at/r'', %L)', :'second_time'));
CALL pg_temp.attempt(format('SELECT bk_restore_at(''at/r'', %L)', :'third_time'));
SET client_min_messages = error;
SELECT bk_restore_at('at/r', :'third_time', nearest => true);
RESET client_min_messages;

-- The oldest gone.
SELECT bk_delete(:one);
CALL pg_temp.attempt(format('SELECT bk_restore_at(''at/r'', %L)', :'first_time'));
CALL pg_temp.attempt(format('SELECT bk_restore_at(''at/r'', %L, nearest => true)', :'third_time'));
SELECT bk_restore_at('at/r', :'fourth_time');

-- The newest gone, and with it all.
SELECT bk_delete(:four);
CALL pg_temp.attempt('SELECT bk_restore_at(''at/r'', ''infinity'')');
CALL pg_temp.attempt('SELECT bk_restore_at(''at/r'', ''infinity'', nearest => true)');

-- A new backup begins anew, and the old gap stays one.
SELECT backup_id AS five, created_at AS fifth_time FROM bk_create('at/r', '{"state": 5}') \gset
SELECT bk_restore_at('at/r', 'infinity');
CALL pg_temp.attempt(format('SELECT bk_restore_at(''at/r'', %L)', :'fourth_time'));

-- The warning.
SELECT backup_id AS six FROM bk_create('at/r', '{"state": 6}') \gset
SELECT bk_delete(:six);
CALL pg_temp.attempt('SELECT bk_restore_at(''at/r'', ''2999-12-31 12:00'')');
\set VERBOSITY terse
SELECT bk_restore_at('at/r', '2999-12-31 12:00', nearest => true);
\set VERBOSITY default

-- Consolidation leaves a state where it was.
SELECT backup_id AS seven, created_at AS seventh_time FROM bk_create('at/r', '{"state": 7, "same": true}', 'incremental') \gset
SELECT type FROM bk_consolidate(:seven);
SELECT bk_restore_at('at/r', :'seventh_time');

-- A restore by time is an operation like any other.
SELECT bk_restore_at('at/r', :'fifth_time', 'at/copy', false, 'somebody');
SELECT pg_temp.n(backup_id) = pg_temp.n(:five) AS backup, target_resource_id, type, status, progress, validated, created_by
  FROM bk_operations WHERE resource_id = 'at/r' ORDER BY operation_id DESC LIMIT 1;

-- A resource that is not there.
CALL pg_temp.attempt('SELECT bk_restore_at(''at/none'', now())');

-- A row that was taken away behind the catalog's back is damage, not a gap.
BEGIN;
DELETE FROM backup_service.backup WHERE backup_id = :seven;
CALL pg_temp.attempt('SELECT bk_restore_at(''at/r'', ''infinity'')');
ROLLBACK;
