-- Which backups does bk_list() list, and in which order?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

DO $$
BEGIN
	FOR i IN 1..12 LOOP
		PERFORM FROM bk_create('list/' || (ARRAY['a', 'b', 'c'])[1 + i % 3], jsonb_build_object('n', i, 'k', 0),
							   CASE WHEN i <= 3 THEN 'full' WHEN i % 2 = 0 THEN 'incremental' ELSE 'differential' END,
							   'list-' || (ARRAY['x', 'y'])[1 + i % 2],
							   tags => CASE WHEN i % 4 > 0 THEN jsonb_build_object('env', CASE i % 4 WHEN 1 THEN 'test' ELSE 'production' END, 'n', i) ELSE '{}' END,
							   version => i::text);
	END LOOP;
END
$$;
SELECT min(created_at) FILTER (WHERE version = '1') AS t1, min(created_at) FILTER (WHERE version = '4') AS t4,
	   min(created_at) FILTER (WHERE version = '8') AS t8
  FROM bk_backups WHERE resource_id LIKE 'list/%' \gset
CREATE FUNCTION pg_temp.shown(b bk_backups) RETURNS text LANGUAGE sql AS
$$ SELECT b.version || ' ' || b.resource_id || ' ' || b.resource_type || ' ' || b.type || ' ' || b.tags::text $$;

-- The newest first; each filter alone.
SELECT pg_temp.shown(b) FROM bk_list(since => :'t1') b;
SELECT string_agg(version, ' ') FROM bk_list('list/a');
SELECT string_agg(version, ' ') FROM bk_list(resource_type => 'list-y');
SELECT string_agg(version, ' ') FROM bk_list(type => 'full', since => :'t1');
SELECT string_agg(version, ' ') FROM bk_list(type => 'incremental', since => :'t1');
SELECT string_agg(version, ' ') FROM bk_list(type => 'differential', since => :'t1');

-- Tags: those that contain what is asked for.
SELECT string_agg(version, ' ') FROM bk_list(tags => '{"env": "production"}', since => :'t1');
SELECT string_agg(version, ' ') FROM bk_list(tags => '{"env": "production", "n": 7}', since => :'t1');
SELECT string_agg(version, ' ') FROM bk_list(tags => '{"env": "none"}', since => :'t1');
SELECT string_agg(version, ' ') FROM bk_list(tags => '{}', since => :'t1');

-- From since on, before until.
SELECT string_agg(version, ' ') FROM bk_list(since => :'t4', until => :'t8');
SELECT string_agg(version, ' ') FROM bk_list(since => :'t4', until => :'t4');
SELECT string_agg(version, ' ') FROM bk_list(since => :'t1', until => 'infinity');
SELECT count(*) FROM bk_list(since => 'infinity');
SELECT count(*) FROM bk_list(until => '-infinity');

-- Several at once.
SELECT string_agg(version, ' ') FROM bk_list('list/b', 'list-x', 'incremental', '{}', :'t1', :'t8');
SELECT string_agg(version, ' ') FROM bk_list('list/none');

-- Paging by key: each page continues after the last row of the one before, whatever is made meanwhile.
DO $$
DECLARE
	page record;
	last_time timestamptz;
	last_id bigint;
	pages text := '';
	first_time timestamptz := (SELECT min(created_at) FROM bk_backups WHERE resource_id LIKE 'list/%');
BEGIN
	LOOP
		SELECT string_agg(version, ' ') AS versions, (array_agg(created_at))[count(*)] AS created_at, (array_agg(backup_id))[count(*)] AS backup_id
		  INTO page FROM bk_list(since => first_time, before => last_time, before_id => last_id, max_rows => 5);
		EXIT WHEN page.versions IS NULL;
		pages := pages || '[' || page.versions || ']';
		last_time := page.created_at;
		last_id := page.backup_id;
		PERFORM FROM bk_create('list/later', '1', version => 'later');
	END LOOP;
	RAISE INFO '%', pages;
END
$$;
-- Two backups of one time are told apart by their ids.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE backup_service.backup SET created_at = :'t8' WHERE resource_id LIKE 'list/_' AND version IN ('7', '8', '9');
SELECT string_agg(b.version, ' ') FROM backup_service.backup o, bk_list(since => :'t1', before => :'t8', before_id => o.backup_id) b
 WHERE o.version = '9' AND o.resource_id LIKE 'list/_';
SELECT string_agg(b.version, ' ') FROM backup_service.backup o, bk_list(since => :'t1', before => :'t8', before_id => o.backup_id) b
 WHERE o.version = '8' AND o.resource_id LIKE 'list/_';
-- Without an id, all of that time are left out.
SELECT string_agg(version, ' ') FROM bk_list(since => :'t1', before => :'t8');
ROLLBACK;

-- A hundred rows unless told.
DO $$ BEGIN FOR i IN 1..150 LOOP PERFORM FROM bk_create('list/many', to_jsonb(i)); END LOOP; END $$;
SELECT count(*) FROM bk_list('list/many');
SELECT count(*) FROM bk_list('list/many', max_rows => 1000000);
SELECT count(*) FROM bk_list('list/many', max_rows => 1);

-- In a read-only transaction.
BEGIN READ ONLY;
SELECT count(*) FROM bk_list('list/many', max_rows => 7);
COMMIT;
