-- How does a resource's timeline stay short?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools
CREATE FUNCTION pg_temp.points(resource text, OUT state int, OUT removed boolean) RETURNS SETOF record LANGUAGE sql AS
$$
	SELECT pg_temp.n(s.backup_id)::int, s.removed_at IS NOT NULL FROM bk_snapshots s WHERE s.resource_id = resource ORDER BY s.created_at
$$;
CREATE PROCEDURE pg_temp.make(resource text, VARIADIC states int[]) LANGUAGE plpgsql AS
$$
DECLARE
	state int;
BEGIN
	FOREACH state IN ARRAY states LOOP
		PERFORM FROM bk_create(resource, jsonb_build_object('state', state, 'same', 0), CASE WHEN state = 1 THEN 'full' ELSE 'incremental' END);
	END LOOP;
END
$$;

-- At most so many: the oldest leaves first.
SET backup_service.max_snapshots = 3;
CALL pg_temp.make('snapshots/r', 1, 2, 3);
SELECT * FROM pg_temp.points('snapshots/r');
CALL pg_temp.make('snapshots/r', 4, 5);
SELECT * FROM pg_temp.points('snapshots/r');

-- What has left can be restored by its id, not by its time.
SELECT bk_restore(backup_id) FROM bk_backups WHERE resource_id = 'snapshots/r' ORDER BY created_at;
CREATE FUNCTION pg_temp.time_of(state int) RETURNS timestamptz LANGUAGE sql AS
$$ SELECT created_at FROM bk_backups WHERE resource_id = 'snapshots/r' AND pg_temp.n(backup_id) = state $$;
CALL pg_temp.attempt($$ SELECT bk_restore_at('snapshots/r', pg_temp.time_of(1)) $$);
CALL pg_temp.attempt($$ SELECT bk_restore_at('snapshots/r', pg_temp.time_of(2)) $$);
SELECT bk_restore_at('snapshots/r', pg_temp.time_of(3));

-- A tombstone is no point: the timeline keeps so many that can be restored.
SELECT bk_delete(backup_id) FROM bk_backups WHERE resource_id = 'snapshots/r' AND pg_temp.n(backup_id) = 4;
SELECT * FROM pg_temp.points('snapshots/r');
CALL pg_temp.make('snapshots/r', 6);
SELECT * FROM pg_temp.points('snapshots/r');
-- It leaves when all after it are enough.
CALL pg_temp.make('snapshots/r', 7);
SELECT * FROM pg_temp.points('snapshots/r');

-- A backup that has left the timeline leaves no tombstone when it is deleted.
SELECT bk_delete(backup_id) FROM bk_backups WHERE resource_id = 'snapshots/r' AND pg_temp.n(backup_id) = 1;
SELECT * FROM pg_temp.points('snapshots/r');

-- Fewer allowed: the next backup trims; more allowed: nothing comes back.
SET backup_service.max_snapshots = 1;
SELECT * FROM pg_temp.points('snapshots/r');
CALL pg_temp.make('snapshots/r', 8);
SELECT * FROM pg_temp.points('snapshots/r');
SET backup_service.max_snapshots = 2;
CALL pg_temp.make('snapshots/r', 9, 10);
SELECT * FROM pg_temp.points('snapshots/r');

-- 0 means no limit.
SET backup_service.max_snapshots = 0;
CALL pg_temp.make('snapshots/r', 11, 12, 13);
SELECT * FROM pg_temp.points('snapshots/r');

-- A hundred, which is the default.
SET backup_service.max_snapshots = 100;
DO $$ BEGIN FOR i IN 1..105 LOOP PERFORM FROM bk_create('snapshots/many', to_jsonb(i)); END LOOP; END $$;
SELECT count(*), bool_and(removed_at IS NULL) AS all_live FROM bk_snapshots WHERE resource_id = 'snapshots/many';
SELECT count(*) FROM bk_backups WHERE resource_id = 'snapshots/many';
CALL pg_temp.attempt($$ SELECT bk_restore_at('snapshots/many', (SELECT created_at FROM bk_backups WHERE resource_id = 'snapshots/many' ORDER BY created_at LIMIT 1)) $$);

-- One resource's timeline does not touch another's.
SELECT count(*) FROM pg_temp.points('snapshots/r');

-- A held point stays; what leaves behind it leaves a tombstone, so that no time means another state than it had.
SET backup_service.max_snapshots = 2;
CREATE TEMP VIEW made AS SELECT backup_id, created_at, row_number() OVER (ORDER BY created_at) AS n FROM bk_backups WHERE resource_id = 'snapshots/held';
CREATE TEMP VIEW points AS SELECT n, removed_at IS NOT NULL AS removed FROM bk_snapshots JOIN made USING (backup_id) ORDER BY n;
CALL pg_temp.make('snapshots/held', 1, 2, 3, 4);
SELECT bk_hold(backup_id, 'case', 'evidence') FROM made WHERE n = 3;
CALL pg_temp.make('snapshots/held', 5, 6, 7);
SELECT * FROM points;
SELECT bk_restore_at('snapshots/held', created_at) FROM made WHERE n = 3;
CALL pg_temp.attempt($$ SELECT bk_restore_at('snapshots/held', created_at) FROM made WHERE n = 4 $$);
CALL pg_temp.attempt($$ SELECT bk_restore_at('snapshots/held', created_at) FROM made WHERE n = 2 $$);
-- A hold that was released keeps nothing.
SELECT bk_release(backup_id, 'case') FROM made WHERE n = 3;
CALL pg_temp.make('snapshots/held', 8);
SELECT * FROM points;
RESET backup_service.max_snapshots;
