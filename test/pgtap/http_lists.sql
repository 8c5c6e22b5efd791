-- Do the lists over HTTP filter, page and count as they say?  psql -XAtq -f prints TAP.
\ir http.psql
SELECT plan(143);
SET TimeZone = 'Asia/Kathmandu';
SET DateStyle = 'German';
-- More than a page, of three resources, types and tags; another tenant's are among them.
SELECT pg_temp.make('anna', format('{"resourceId": "list/%s", "resourceType": "type/%s", "type": "%s", "data": {"n": %s, "pad": "%s"}, "metadata": {"tags": {"n": %s, "even": "%s", "odd key": "it''s a \"%s\" & 100%% + é 😀"}}}',
			n % 3, n % 2, (ARRAY['full', 'incremental', 'differential'])[n % 3 + 1], n, repeat('x', 90), n, (n % 2 = 0)::text, n % 3)) FROM generate_series(1, 120) n \g /dev/null
SELECT pg_temp.make('bob', format('{"resourceId": "bob/%s", "resourceType": "type/1", "data": %s, "metadata": {"tags": {"even": "true"}}}', n % 3, n)) FROM generate_series(1, 30) n \g /dev/null
-- Times apart, so that what is between two can be asked for.
SELECT count(*) = count(DISTINCT created_at) AS apart FROM bk_backups \gset
SELECT ok(:'apart', 'no two backups of this test were made in one microsecond');

-- The ids that a request lists, as numbers; and the truth, newest first.
CREATE FUNCTION pg_temp.listed(who text, query text) RETURNS bigint[] LANGUAGE sql AS $$
	SELECT CASE r.status WHEN 200 THEN coalesce((SELECT array_agg(substr(e->>'id', 8)::bigint ORDER BY n) FROM json_array_elements(r.body::json) WITH ORDINALITY l(e, n)), '{}') END
	  FROM pg_temp.request(who, 'backups_list', query) r
$$;
CREATE FUNCTION pg_temp.truth(condition text) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
	ids bigint[];
BEGIN
	EXECUTE format('SELECT coalesce(array_agg(backup_id ORDER BY created_at DESC, backup_id DESC), ''{}'') FROM bk_backups WHERE %s', condition) INTO ids;
	RETURN ids;
END $$;
CREATE FUNCTION pg_temp.total(who text, query text) RETURNS text LANGUAGE sql AS $$
	SELECT r.headers->>'x-total-count' FROM pg_temp.request(who, 'backups_list', query) r
$$;

-- Each filter alone, and together; the total is the number of rows, and of nobody else's.
SELECT backup_id AS middle, (created_at AT TIME ZONE 'UTC')::text AS middle_at FROM (SELECT *, row_number() OVER (ORDER BY backup_id) FROM bk_backups) b WHERE row_number = 60 \gset
SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, to_char(created_at AT TIME ZONE 'UTC' + interval '5:45', 'YYYY-MM-DD"T"HH24:MI:SS.US"%2B05:45"') AS at_there,
	   to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS at_bare FROM bk_backups WHERE backup_id = :middle \gset
CREATE TEMP TABLE filter (query text, condition text);
INSERT INTO filter VALUES
('', 'true'), ('resourceId=list/1', $$resource_id = 'list/1'$$), ('resourceId=list%2F1', $$resource_id = 'list/1'$$), ('resourceId=list', 'false'), ('resourceId=bob/1', $$resource_id = 'bob/1'$$),
('resourceType=type/1', $$resource_type = 'type/1'$$), ('type=full', $$type = 'full'$$), ('type=incremental', $$type = 'incremental'$$), ('type=differential', $$type = 'differential'$$),
('resourceId=list/1&type=incremental', $$resource_id = 'list/1' AND type = 'incremental'$$), ('resourceId=list/0&type=incremental', 'false'),
('tag=even:true', $$tags @> '{"even": "true"}'$$), ('tag=even:true&tag=odd+key:it%27s%20a+%221%22+%26+100%25+%2B+%C3%A9%20%F0%9F%98%80', $$tags @> '{"even": "true", "odd key": "it''s a \"1\" & 100% + é 😀"}'$$),
('tag=even:true&tag=none:such', 'false'), ('tag=n:5', 'false'), ('from=' || :'at', 'backup_id >= ' || :middle), ('to=' || :'at', 'backup_id < ' || :middle),
('from=' || :'at_there', 'backup_id >= ' || :middle), ('from=' || :'at_bare', 'backup_id >= ' || :middle),
('from=' || :'at' || '&to=' || :'at', 'false'), ('to=2999-01-01&from=' || :'at_there', 'backup_id >= ' || :middle), ('to=2000-01-01', 'false'), ('from=2000-01-01T00:00:00Z', 'true'), ('from=9999-12-31', 'false'), ('to=9999-12-31', 'true'),
('from=' || :'at' || '&type=full&tag=even:false&resourceType=type/1&resourceId=list/0', format($$backup_id >= %s AND type = 'full' AND tags @> '{"even": "false"}' AND resource_id = 'list/0'$$, :middle)),
('type=&resourceId=&cursor=&limit=&tag=&from=', 'true'), ('&&type=full&', $$type = 'full'$$);
SELECT is(pg_temp.listed('anna', query || '&limit=1000'), pg_temp.truth(format($$(%s) AND resource_id LIKE 'list/%%'$$, condition)), 'anna lists ' || query) FROM filter;
SELECT is(pg_temp.total('anna', query || '&limit=1'), cardinality(pg_temp.truth(format($$(%s) AND resource_id LIKE 'list/%%'$$, condition)))::text, 'and counts ' || query) FROM filter;
SELECT is_empty($$ SELECT query FROM filter WHERE condition <> 'false' AND pg_temp.listed('anna', query) = '{}' AND query <> 'resourceId=bob/1' $$, 'each filter that should finds something');
SELECT is(pg_temp.listed(who, 'limit=1000') || pg_temp.total(who, '')::bigint, pg_temp.truth(condition) || cardinality(pg_temp.truth(condition))::bigint, who || ' lists and counts his own')
  FROM (VALUES ('mia', $$resource_id LIKE 'list/%'$$), ('bob', $$resource_id LIKE 'bob/%'$$), ('operator', 'true'), ('auditor', 'true')) v(who, condition);
SELECT is(pg_temp.total('bob', 'resourceId=list/1') || pg_temp.total('bob', 'tag=n:1') || pg_temp.total('bob', 'from=2000-01-01&type=incremental'), '000', 'nothing tells bob how many anna has');
SELECT is(r.body::jsonb, (SELECT jsonb_agg(g.body::jsonb ORDER BY n) FROM unnest(pg_temp.listed('anna', 'type=full')) WITH ORDINALITY l(id, n), pg_temp.request('anna', 'backups_get', 'backup-' || id) g), 'the list''s objects are those of GET /backups/{id}')
  FROM pg_temp.request('anna', 'backups_list', 'type=full') r;
SELECT is(r.status || r.body || r.headers, '200[]{"x-total-count": "0"}', 'an empty list') FROM pg_temp.request('anna', 'backups_list', 'resourceId=none') r;

-- limit, and the page without one.
SELECT is(cardinality(pg_temp.listed('anna', 'limit=' || n)), least(n, 120), 'limit=' || n) FROM unnest(ARRAY[1, 7, 119, 120, 121, 1000]) n;
SELECT is(cardinality(pg_temp.listed('anna', '')), 100, 'a page has 100');
SELECT is((pg_temp.request('anna', 'backups_list', 'limit=' || n)).headers ? 'link', n < 120, 'limit=' || n || ' has a next page, or has none') FROM unnest(ARRAY[119, 120, 121]) n;
SELECT is(pg_temp.refusal('anna', 'backups_list', 'limit=' || n), format(E'400 limit must be a number from 1 to 1000\nIt is "%s".', n), 'limit=' || n)
  FROM unnest(ARRAY['0', '-1', '1001', '99999', 'x', '1.0', '1e2', 'NaN']) n;

-- What is no parameter, or none that can be understood: 400, naming it.
SELECT is(pg_temp.refusal('anna', 'backups_list', query), answer, query)
  FROM (VALUES
	('foo=1', E'400 unknown query parameter "foo"\nKnown are resourceId, resourceType, type, tag, from, to, limit, cursor.'),
	('RESOURCEID=a', E'400 unknown query parameter "RESOURCEID"\nKnown are resourceId, resourceType, type, tag, from, to, limit, cursor.'),
	('%22%0D%0ASet-Cookie:x=1', E'400 unknown query parameter ""??Set-Cookie:x"\nKnown are resourceId, resourceType, type, tag, from, to, limit, cursor.'),
	('type=full&type=full', '400 query parameter "type" is there more than once'),
	('type=eq.full', E'400 unknown backup type "eq.full"\nUse ''full'', ''incremental'' or ''differential''.'),
	('tag=even', E'400 query parameter "tag" must be a key and a value, each key once\nWrite tag=env:production; several tags must all be there.'),
	('tag=a:1&tag=a:2', E'400 query parameter "tag" must be a key and a value, each key once\nWrite tag=env:production; several tags must all be there.'),
	('from=yesterday', E'400 from is not a time\nIt is "yesterday".\nWrite times as ISO 8601, such as 2025-01-01T12:30:00Z.'),
	('to=2025-13-01', E'400 to is not a time\nIt is "2025-13-01".\nWrite times as ISO 8601, such as 2025-01-01T12:30:00Z.'),
	('to=infinity', E'400 to is not a time\nIt is "infinity".\nWrite times as ISO 8601, such as 2025-01-01T12:30:00Z.'),
	('from=01.02.2025', E'400 from is not a time\nIt is "01.02.2025".\nWrite times as ISO 8601, such as 2025-01-01T12:30:00Z.'),
	('cursor=abc', E'400 cursor is none that was given out\nFollow the header Link of the page before.'),
	('cursor=2025-01-01T00:00:00.000000Z', E'400 cursor is none that was given out\nFollow the header Link of the page before.')) v(query, answer);
SELECT is((pg_temp.request('anna', 'backups_list', query)).status, 400, query) FROM unnest(ARRAY['resourceId=%FF', 'resourceId=a%00b', '%C3%28=1', 'cursor=2025-99-01T00:00:00.000000Z~1', 'from=99999-01-01T99:00:00Z']) query;
SELECT is(pg_temp.listed('anna', 'resourceId=' || query), '{}', 'nothing is called ' || query) FROM unnest(ARRAY['eq.list/1', 'list/1%', 'list/1;drop', 'not.is.null', 'in.(list/1)', '*']) query;

-- Pages by the header Link, while rows come and go in other transactions: nothing twice, and nothing lost that stayed.
SELECT pg_temp.make('anna', format('{"resourceId": "pages \"/%%+&=é😀;#\\", "type": "%s", "data": %s, "metadata": {"tags": {"a b:c": "d&e=%%+\"é😀"}}}', CASE n % 10 WHEN 0 THEN 'full' ELSE 'incremental' END, n)) FROM generate_series(1, 250) n \g /dev/null
CREATE TEMP TABLE page (n int, ids bigint[], total int, link text);
CREATE TEMP TABLE gone (id bigint);
CREATE TEMP TABLE there AS SELECT backup_id AS id FROM bk_backups WHERE resource_id LIKE 'pages%';
CREATE FUNCTION pg_temp.query_of(link text) RETURNS text LANGUAGE sql AS $$ SELECT substring(link FROM '^</backups\?([!-~]*)>; rel="next"$') $$;
CREATE PROCEDURE pg_temp.walk(query text) LANGUAGE plpgsql AS $$
DECLARE
	r record;
	id bigint;
BEGIN
	FOR page_number IN 1 .. 100 LOOP
		SELECT * INTO r FROM pg_temp.request('anna', 'backups_list', query);
		COMMIT;
		INSERT INTO page SELECT page_number, array_agg(substr(e->>'id', 8)::bigint ORDER BY n), (r.headers->>'x-total-count')::int, r.headers->>'link'
		  FROM json_array_elements(r.body::json) WITH ORDINALITY l(e, n);
		EXIT WHEN r.headers->>'link' IS NULL;
		query := pg_temp.query_of(r.headers->>'link');
		-- A row before the page, the page's last one (at which the cursor stands), and one that is still to come.
		PERFORM pg_temp.make('anna', '{"resourceId": "pages \"/%+&=é😀;#\\", "data": 0, "metadata": {"tags": {"a b:c": "d&e=%+\"é😀"}}}');
		FOR id IN (SELECT t.id FROM there t WHERE t.id = (SELECT ids[cardinality(ids)] FROM page WHERE n = page_number))
				  UNION (SELECT t.id FROM there t WHERE t.id < (SELECT ids[cardinality(ids)] FROM page WHERE n = page_number) ORDER BY t.id DESC OFFSET 3 LIMIT 1) LOOP
			PERFORM pg_temp.request('anna', 'backups_delete', 'backup-' || id);
			INSERT INTO gone VALUES (id);
		END LOOP;
		COMMIT;
	END LOOP;
END $$;
CALL pg_temp.walk('resourceId=pages%20%22%2F%25%2B%26%3D%C3%A9%F0%9F%98%80%3B%23%5C&tag=a+b%3Ac:d%26e%3D%25%2B%22%C3%A9%F0%9F%98%80&limit=24');
SELECT is(count(*), 0::bigint, 'a tag''s key ends at the first colon: this one is another') FROM page WHERE ids IS NOT NULL;
TRUNCATE page;
CALL pg_temp.walk('resourceId=pages%20%22%2F%25%2B%26%3D%C3%A9%F0%9F%98%80%3B%23%5C&limit=24&from=2000-01-01&type=incremental');
SELECT cmp_ok((SELECT count(*) FROM page), '>=', 9::bigint, 'there were many pages');
SELECT is((SELECT count(*) FROM gone), 2 * ((SELECT count(*) FROM page) - 1), 'rows went between them');
SELECT is((SELECT count(*) FROM page, unnest(ids)), (SELECT count(DISTINCT id) FROM page, unnest(ids) id), 'no row was there twice');
SELECT is((SELECT array_agg(id ORDER BY n, o) FROM page, unnest(ids) WITH ORDINALITY i(id, o)), (SELECT array_agg(id ORDER BY id DESC) FROM page, unnest(ids) id), 'they are newest first over all pages');
SELECT is_empty($$ SELECT id FROM there JOIN bk_backups ON backup_id = id WHERE type = 'incremental' AND id NOT IN (SELECT id FROM gone) EXCEPT SELECT id FROM page, unnest(ids) id $$, 'what stayed was listed');
SELECT is((SELECT array_agg(cardinality(ids)) FILTER (WHERE link IS NOT NULL) FROM page), (SELECT array_agg(24) FROM page WHERE link IS NOT NULL), 'each page but the last is full');
SELECT is((SELECT pg_temp.query_of(link) ~ '^cursor=[^&]+&from=2000-01-01&limit=24&resourceId=pages%20%22%2F%25%2B%26%3D%C3%A9%F0%9F%98%80%3B%23%5C&type=incremental$' FROM page WHERE n = 1), true, 'a link has all filters, encoded');
-- Odd values through Link: it asks for what was asked.
SELECT pg_temp.make('bob', json_build_object('resourceId', name, 'resourceType', name, 'data', n, 'metadata', json_build_object('tags', json_build_object('t', name)))::text)
  FROM unnest(ARRAY['it''s "a" <b>; rel="prev", </x', 'a&b=c%20+d', '😀 é 漢', ' ', '%', '\ / ? #', 'a:b:c']) name, generate_series(1, 2) n \g /dev/null
CREATE FUNCTION pg_temp.encoded(value text) RETURNS text LANGUAGE sql AS $$ SELECT regexp_replace(encode(convert_to(value, 'UTF8'), 'hex'), '(..)', '%\1', 'g') $$;
SELECT is(pg_temp.listed('bob', pg_temp.query_of(r.headers->>'link')),
	(SELECT array_agg(min) FROM (SELECT min(backup_id) FROM bk_backups WHERE resource_id = name) m), 'the link of ' || name || ' leads to its other row')
  FROM (SELECT DISTINCT resource_id FROM bk_backups WHERE tags ? 't') n(name), pg_temp.encoded(name) e,
	   pg_temp.request('bob', 'backups_list', format('resourceId=%1$s&resourceType=%1$s&tag=t:%1$s&limit=1', e)) r;
SELECT is(pg_temp.listed('bob', pg_temp.query_of((pg_temp.request('anna', 'backups_list', 'limit=5')).headers->>'link')) <@ pg_temp.truth($$created_by = 'regress_http_bob'$$), true,
	'another''s cursor is a place in time, and shows nothing of theirs');

-- Operations.
SELECT 'backup-' || backup_id AS one FROM bk_backups WHERE resource_id = 'list/1' ORDER BY backup_id LIMIT 1 \gset
SELECT 'backup-' || backup_id AS two FROM bk_backups WHERE resource_id = 'list/2' ORDER BY backup_id LIMIT 1 \gset
SELECT 'backup-' || backup_id AS his FROM bk_backups WHERE resource_id = 'bob/1' ORDER BY backup_id LIMIT 1 \gset
SELECT r.body::json#>>'{operation,id}' FROM generate_series(1, 12) n, pg_temp.request('anna', 'restores_create', format('{"backupId": "%s", "targetResourceId": "to/%s & co", "async": %s}', CASE n % 2 WHEN 0 THEN :'one' ELSE :'two' END, n % 4, (n > 8)::text)) r \g /dev/null
SELECT r.status FROM pg_temp.request('bob', 'restores_create', format('{"backupId": "%s", "targetResourceId": "to/1 & co"}', :'his')) r \g /dev/null
SELECT 'restore-' || min(operation_id) AS first_queued FROM bk_operations WHERE status = 'queued' \gset
SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS queued_at FROM bk_operations WHERE 'restore-' || operation_id = :'first_queued' \gset
SELECT r.status FROM pg_temp.request('anna', 'operations_cancel', :'first_queued') r \g /dev/null
CREATE FUNCTION pg_temp.operations(who text, query text) RETURNS text LANGUAGE sql AS $$
	SELECT r.headers->>'x-total-count' || coalesce((SELECT array_agg(substr(e->>'id', 9)::bigint ORDER BY n) FROM json_array_elements(r.body::json) WITH ORDINALITY l(e, n)), '{}')::text
	  FROM pg_temp.request(who, 'operations_list', query) r
$$;
SELECT is(pg_temp.operations(who, query), (SELECT count(*) || coalesce(array_agg(operation_id ORDER BY created_at DESC, operation_id DESC), '{}')::text FROM bk_operations
			WHERE (who IN ('auditor', 'operator') OR (role = 'regress_http_bob') = (who = 'bob'))
			  AND CASE condition WHEN '' THEN true ELSE concat_ws(' ', status, resource_id, target_resource_id, CASE WHEN operation_id >= substr(:'first_queued', 9)::bigint THEN 'late' END) ~ condition END),
	who || ' lists operations ' || query)
  FROM (VALUES ('anna', '', ''), ('mia', '', ''), ('bob', '', ''), ('operator', '', ''), ('auditor', '', ''), ('anna', 'status=completed', '^completed'), ('anna', 'status=queued', '^queued'),
			   ('anna', 'status=cancelled', '^cancelled'), ('anna', 'status=running', '^running'), ('anna', 'status=failed', '^failed'), ('anna', 'resourceId=list/1', 'list/1'), ('anna', 'targetResourceId=to/1%20%26+co', 'to/1'),
			   ('anna', 'targetResourceId=to/1%20%26+co&status=queued&resourceId=list/2', '^queued list/2 to/1'), ('bob', 'resourceId=list/1', 'list/1'), ('bob', 'status=queued', '^queued'), ('anna', 'from=' || :'queued_at', 'late'), ('anna', 'to=2000-01-01', 'never')) v(who, query, condition);
CREATE FUNCTION pg_temp.next_operations(query text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.operations('anna', substring(r.headers->>'link' FROM '^</restore/operations\?([!-~]*)>; rel="next"$')) FROM pg_temp.request('anna', 'operations_list', query) r
$$;
SELECT is(pg_temp.next_operations('limit=5&status=completed'), (SELECT 8 || array_agg(operation_id ORDER BY operation_id DESC)::text FROM (SELECT operation_id FROM bk_operations WHERE status = 'completed' AND role = 'regress_http_anna' ORDER BY 1 LIMIT 3) o),
	'their second page');
SELECT is(pg_temp.refusal('anna', 'operations_list', query), answer, query)
  FROM (VALUES ('status=done', E'400 unknown status "done"\nUse ''queued'', ''running'', ''completed'', ''failed'' or ''cancelled''.'),
			   ('type=full', E'400 unknown query parameter "type"\nKnown are resourceId, targetResourceId, status, from, to, limit, cursor.')) v(query, answer);
SELECT * FROM finish();
