-- Does deleting a backup leave all others restorable?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

-- A chain with a branch:  1 full <- 2 <- 3 <- 4 incremental;  1 <- 5 differential <- 6 incremental;  7 full <- 8 incremental.
CREATE PROCEDURE pg_temp.make_chain(resource text) LANGUAGE plpgsql AS
$$
DECLARE
	types text[] := '{full,incremental,incremental,incremental,differential,incremental,full,incremental}';
BEGIN
	FOR i IN 1..8 LOOP
		PERFORM FROM bk_create(resource, jsonb_build_object('state', i, 'same', true), types[i], version => i::text);
	END LOOP;
END
$$;
-- The states that are left: by version, since ids go up over all resources.
CREATE FUNCTION pg_temp.chain(resource text, OUT version text, OUT type text, OUT base text, OUT state jsonb)
RETURNS SETOF record LANGUAGE sql AS
$$
	SELECT b.version, b.type, o.version, bk_restore(b.backup_id)
	  FROM bk_backups b LEFT JOIN bk_backups o ON o.backup_id = b.base_id
	 WHERE b.resource_id = resource ORDER BY b.created_at
$$;
CREATE FUNCTION pg_temp.id(resource text, wanted text) RETURNS bigint LANGUAGE sql AS
$$ SELECT backup_id FROM bk_backups WHERE resource_id = resource AND version = wanted $$;

-- By default what builds on a deleted backup becomes full: a full backup with two dependents, one a differential.
CALL pg_temp.make_chain('delete/base');
SELECT version, type, base FROM pg_temp.chain('delete/base');
SELECT bk_delete(pg_temp.id('delete/base', '1'));
SELECT * FROM pg_temp.chain('delete/base');
-- The middle of a chain.
SELECT bk_delete(pg_temp.id('delete/base', '3'), 'consolidate');
SELECT * FROM pg_temp.chain('delete/base');
-- The differential that an incremental builds on.
SELECT bk_delete(pg_temp.id('delete/base', '5'));
-- The newest, and the newest full one.
SELECT bk_delete(pg_temp.id('delete/base', '8'), 'consolidate', 'delete/base');
SELECT bk_delete(pg_temp.id('delete/base', '7'));
SELECT * FROM pg_temp.chain('delete/base');
-- What comes next builds on what is left.
SELECT type FROM bk_create('delete/base', '{"state": 9, "same": true}', 'incremental', version => '9');
SELECT * FROM pg_temp.chain('delete/base');
-- The rest, one by one; the resource and its timeline stay.
SELECT bk_delete(backup_id) FROM (SELECT backup_id FROM bk_backups WHERE resource_id = 'delete/base' ORDER BY created_at) b;
SELECT * FROM pg_temp.chain('delete/base');
SELECT backups, stored_size, first_backup_at, last_backup_at, backups_made FROM bk_resources WHERE resource_id = 'delete/base';
SELECT count(*), count(removed_at) AS tombstones FROM bk_snapshots WHERE resource_id = 'delete/base';
SELECT count(*) AS chunks FROM backup_service.chunk WHERE resource_id = 'delete/base';

-- Cascade: all that builds on it goes too, however far away; the answer is how many went.
CALL pg_temp.make_chain('delete/cascade');
SELECT bk_delete(pg_temp.id('delete/cascade', '2'), 'cascade');
SELECT * FROM pg_temp.chain('delete/cascade');
SELECT bk_delete(pg_temp.id('delete/cascade', '6'), dependents => 'cascade');
SELECT bk_delete(pg_temp.id('delete/cascade', '1'), 'cascade');
SELECT * FROM pg_temp.chain('delete/cascade');
SELECT pg_temp.n(backup_id) - pg_temp.n(first_value(backup_id) OVER w) + 1 AS version, removed_at IS NOT NULL AS removed
  FROM bk_snapshots WHERE resource_id = 'delete/cascade' WINDOW w AS (ORDER BY created_at) ORDER BY created_at;

-- Restrict: refused where anything builds on it.
CALL pg_temp.make_chain('delete/restrict');
SELECT set_config('test.ids_before', (pg_temp.id('delete/restrict', '1') - 1)::text, false) IS NOT NULL AS counted_anew;
CALL pg_temp.attempt(format('SELECT bk_delete(%s, ''restrict'')', pg_temp.id('delete/restrict', '1')));
CALL pg_temp.attempt(format('SELECT bk_delete(%s, ''restrict'')', pg_temp.id('delete/restrict', '2')));
CALL pg_temp.attempt(format('SELECT bk_delete(%s, ''restrict'')', pg_temp.id('delete/restrict', '5')));
SELECT count(*) FROM bk_backups WHERE resource_id = 'delete/restrict';
SELECT bk_delete(pg_temp.id('delete/restrict', '4'), 'restrict');
SELECT bk_delete(pg_temp.id('delete/restrict', '6'), 'restrict');
SELECT bk_delete(pg_temp.id('delete/restrict', '5'), 'restrict');
SELECT * FROM pg_temp.chain('delete/restrict');

-- A damaged backup can go, if nothing needs to be read from it.
UPDATE backup_service.chunk SET data = '\x00' WHERE backup_id = pg_temp.id('delete/restrict', '7');
CALL pg_temp.attempt(format('SELECT bk_delete(%s)', pg_temp.id('delete/restrict', '7')));
SELECT count(*) FROM bk_backups WHERE resource_id = 'delete/restrict';
SELECT bk_delete(pg_temp.id('delete/restrict', '7'), 'cascade');
UPDATE backup_service.chunk SET data = '\x00' WHERE backup_id = pg_temp.id('delete/restrict', '3');
SELECT bk_delete(pg_temp.id('delete/restrict', '3'));
SELECT * FROM pg_temp.chain('delete/restrict');

-- Twice, and what was never there.
SELECT pg_temp.id('delete/restrict', '2') AS two \gset
SELECT bk_delete(:two);
CALL pg_temp.attempt(format('SELECT bk_delete(%s)', :two));
CALL pg_temp.attempt('SELECT bk_delete(-1)');
CALL pg_temp.attempt(format('SELECT bk_delete(%s, resource_id => ''delete/none'')', pg_temp.id('delete/restrict', '1')));

-- A random sequence of deletions against a model: whatever is left is restored as it was made.
SELECT setseed(0.5);
DO $$
DECLARE
	types text[] := '{full,incremental,incremental,incremental,differential}';
	ways text[] := '{consolidate,consolidate,consolidate,cascade,restrict}';
	victim record;
	doomed bigint[];
	kept int;
BEGIN
	CREATE TEMP TABLE model (backup_id bigint PRIMARY KEY, state jsonb);
	FOR i IN 1..120 LOOP
		IF random() < 0.6 THEN
			INSERT INTO model SELECT b.backup_id, s.state
			  FROM (SELECT jsonb_build_object('n', i, 'k', i / 10, 'l', jsonb_build_array(i % 3, i % 5)) AS state OFFSET 0) s,
				   bk_create('delete/random', s.state, CASE WHEN i = 1 THEN 'full' ELSE types[1 + floor(random() * 5)] END) b;
		ELSE
			SELECT backup_id, ways[1 + floor(random() * 5)] AS way INTO victim
			  FROM bk_backups WHERE resource_id = 'delete/random' ORDER BY random() LIMIT 1;
			CONTINUE WHEN victim IS NULL;
			WITH RECURSIVE tree AS (
				SELECT victim.backup_id UNION ALL
				SELECT b.backup_id FROM tree JOIN bk_backups b ON b.base_id = tree.backup_id)
			SELECT array_agg(backup_id) INTO doomed FROM tree WHERE backup_id = victim.backup_id OR victim.way = 'cascade';
			BEGIN
				PERFORM bk_delete(victim.backup_id, victim.way);
				DELETE FROM model WHERE backup_id = ANY (doomed);
			EXCEPTION WHEN object_in_use THEN
				IF victim.way <> 'restrict' OR NOT EXISTS (SELECT FROM bk_backups WHERE base_id = victim.backup_id) THEN
					RAISE;
				END IF;
			END;
		END IF;
		IF EXISTS (SELECT FROM model m WHERE bk_read(m.backup_id)::text <> m.state::text)
			OR (SELECT count(*) FROM model) <> (SELECT count(*) FROM bk_backups WHERE resource_id = 'delete/random') THEN
			RAISE EXCEPTION 'the model and the catalog differ after step %', i;
		END IF;
	END LOOP;
	SELECT count(*) INTO kept FROM model;
	IF kept < 10 THEN
		RAISE EXCEPTION 'only % backups are left', kept;
	END IF;
END
$$;
SELECT bool_and((bk_verify(backup_id)->>'valid')::boolean) AS valid FROM bk_backups WHERE resource_id = 'delete/random';
