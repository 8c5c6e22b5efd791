-- Do random documents survive deltas and chains?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools
SET client_min_messages = warning;
SELECT setseed(0.25);

-- A random scalar, from a small alphabet so that equal ones turn up.
CREATE FUNCTION pg_temp.random_scalar() RETURNS jsonb LANGUAGE plpgsql AS
$$
BEGIN
	RETURN (ARRAY['null', 'true', 'false', '0', '1', '1.0', '1.00', '-3', '1e30', '""', '"a"', '"b"', '"\n"', '"\"\\"', '"é🐘"', '"a longer string than the others"'])
		[1 + floor(random() * 16)]::jsonb;
END
$$;
CREATE FUNCTION pg_temp.random_key() RETURNS text LANGUAGE plpgsql AS
$$
BEGIN
	RETURN (ARRAY['a', 'b', 'c', 'd', 'id', 'name', 'key', '', 'a.b', '[0]', '"', '\', 'odd key', 'é', E'\n', '0'])[1 + floor(random() * 16)];
END
$$;
CREATE FUNCTION pg_temp.random_json(depth int) RETURNS jsonb LANGUAGE plpgsql AS
$$
DECLARE
	dice double precision := random();
	result jsonb;
BEGIN
	IF depth = 0 OR dice < 0.25 THEN
		RETURN pg_temp.random_scalar();
	ELSIF dice < 0.6 THEN
		result := '{}';
		FOR i IN 1..floor(random() * 6) LOOP
			result := result || jsonb_build_object(pg_temp.random_key(), pg_temp.random_json(depth - 1));
		END LOOP;
	ELSE
		result := '[]';
		FOR i IN 1..floor(random() * 7) LOOP
			result := result || jsonb_build_array(CASE WHEN random() < 0.3 THEN jsonb_build_object('id', floor(random() * 4), 'v', pg_temp.random_json(depth - 1))
													   ELSE pg_temp.random_json(depth - 1) END);
		END LOOP;
	END IF;
	RETURN result;
END
$$;
-- The same document after a random edit: something changed, added, dropped, moved, doubled or wrapped, at any depth.
CREATE FUNCTION pg_temp.edited(document jsonb, depth int) RETURNS jsonb LANGUAGE plpgsql AS
$$
DECLARE
	dice double precision := random();
	result jsonb;
	at int;
	member text;
BEGIN
	IF jsonb_typeof(document) = 'array' AND document <> '[]' THEN
		at := floor(random() * jsonb_array_length(document));
		IF dice < 0.2 THEN
			RETURN document - at;
		ELSIF dice < 0.4 THEN
			RETURN jsonb_insert(document, ARRAY[at::text], pg_temp.random_json(1));
		ELSIF dice < 0.5 THEN
			RETURN (SELECT jsonb_agg(e ORDER BY random()) FROM jsonb_array_elements(document) e);
		ELSIF dice < 0.55 THEN
			RETURN document || document;
		ELSE
			RETURN jsonb_set(document, ARRAY[at::text], pg_temp.edited(document->at, depth + 1));
		END IF;
	ELSIF jsonb_typeof(document) = 'object' AND document <> '{}' THEN
		SELECT k INTO member FROM jsonb_object_keys(document) k ORDER BY random() LIMIT 1;
		IF dice < 0.2 THEN
			RETURN document - member;
		ELSIF dice < 0.4 THEN
			RETURN document || jsonb_build_object(pg_temp.random_key(), pg_temp.random_json(1));
		ELSIF dice < 0.45 THEN
			RETURN jsonb_build_object(pg_temp.random_key(), document);
		ELSE
			RETURN document || jsonb_build_object(member, pg_temp.edited(document->member, depth + 1));
		END IF;
	END IF;
	RETURN pg_temp.random_json(CASE WHEN depth = 0 THEN 3 ELSE 1 END);
END
$$;

-- bk_apply(a, bk_delta(a, b)) is b, to the byte; and what is the same has an empty delta.
DO $$
DECLARE
	a jsonb := pg_temp.random_json(4);
	b jsonb;
	delta jsonb;
	entries int := 0;
BEGIN
	FOR i IN 1..600 LOOP
		IF i % 3 = 0 THEN
			b := pg_temp.random_json(4);
		ELSE
			b := pg_temp.edited(pg_temp.edited(a, 0), 0);
		END IF;
		delta := bk_delta(a, b);
		IF bk_apply(a, delta)::text IS DISTINCT FROM b::text THEN
			RAISE EXCEPTION 'document %: bk_apply(%, bk_delta(_, %)) is %', i, a, b, bk_apply(a, delta);
		END IF;
		IF bk_delta(a, a) <> '{"changes": [], "additions": [], "deletions": []}' OR bk_delta(b, b)::text <> bk_delta(a, a)::text THEN
			RAISE EXCEPTION 'document %: what is the same differs', i;
		END IF;
		IF (a::text = b::text) <> (delta = '{"changes": [], "additions": [], "deletions": []}') THEN
			RAISE EXCEPTION 'document %: what differs is the same', i;
		END IF;
		entries := entries + jsonb_array_length(delta->'changes') + jsonb_array_length(delta->'additions') + jsonb_array_length(delta->'deletions');
		a := b;
	END LOOP;
	RAISE WARNING 'all applied, several entries each: %', entries > 1200;
END
$$;

-- A random chain of a random document, with random settings: every backup of it is restored as it was made,
-- by id and by time, in any order.
CREATE TEMP TABLE made (resource_id text, backup_id bigint, created_at timestamptz, type text, text text);
DO $$
DECLARE
	document jsonb;
BEGIN
	FOR r IN 1..12 LOOP
		document := pg_temp.random_json(4);
		FOR i IN 1..25 LOOP
			INSERT INTO made SELECT b.resource_id, b.backup_id, b.created_at, b.type, document::text
			  FROM bk_create('property/' || r, document, (ARRAY['full', 'incremental', 'incremental', 'incremental', 'incremental', 'differential'])[1 + floor(random() * 6)],
							 encrypt => random() < 0.5, compression => (ARRAY['gzip', 'zstd', 'none'])[1 + floor(random() * 3)]) b;
			document := CASE WHEN random() < 0.05 THEN pg_temp.random_json(4) WHEN random() < 0.05 THEN document ELSE pg_temp.edited(document, 0) END;
		END LOOP;
	END LOOP;
END
$$;
SELECT count(*) AS backups, count(*) FILTER (WHERE type = 'incremental') > 100 AS incrementals,
	   count(*) FILTER (WHERE type = 'differential') > 25 AS differentials
  FROM made;
SELECT count(*) AS wrong_by_id FROM made WHERE bk_read(backup_id)::text IS DISTINCT FROM text;
-- The jsonb that is built, from a text or from the tree of a chain, is to the byte the one that jsonb_in makes.
SELECT count(*) AS wrong_images FROM made WHERE record_image_ne(ROW(bk_read(backup_id)), ROW(text::jsonb));
SELECT count(*) AS wrong_by_time FROM made WHERE bk_restore_at(resource_id, created_at)::text IS DISTINCT FROM text;
SELECT count(*) AS wrong_in_history
  FROM made m JOIN LATERAL (SELECT value FROM bk_history(m.resource_id, '') h WHERE h.created_at <= m.created_at ORDER BY h.created_at DESC LIMIT 1) h ON true
 WHERE h.value::text IS DISTINCT FROM m.text;
SELECT count(*) AS wrong_diffs
  FROM made a JOIN made b ON b.resource_id = a.resource_id AND b.backup_id = a.backup_id + 7
 WHERE bk_apply(a.text::jsonb, bk_diff(a.backup_id, b.backup_id))::text IS DISTINCT FROM b.text;

-- The same after random backups were consolidated and deleted.
SELECT count(*) AS consolidated FROM made m, bk_consolidate(m.backup_id) WHERE m.backup_id % 5 = 0 AND m.type <> 'full' HAVING count(*) = 0;
DO $$
DECLARE
	victim bigint;
BEGIN
	FOR victim IN SELECT backup_id FROM made ORDER BY random() LIMIT 100 LOOP
		PERFORM bk_delete(victim);
		DELETE FROM made WHERE backup_id = victim;
	END LOOP;
END
$$;
SELECT count(*) AS left_over FROM made;
SELECT count(*) AS wrong_by_id FROM made WHERE bk_read(backup_id)::text IS DISTINCT FROM text;
SELECT count(*) AS invalid FROM made WHERE NOT (bk_verify(backup_id)->>'valid')::boolean;
