-- What are the functions of the HTTP surface made of?  (The surface itself: test/pgtap/http_*.sql.)
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools
SET search_path = backup_service_http, public, pg_catalog;
\pset null '(null)'

-- A body: what is JSON to PostgreSQL, and has no key twice.
SELECT json_of('{"b": [1, {"c": null}], "a": "\\u00e9\\ud83d\\ude00\\n"}'::bytea);
SELECT json_of(convert_to(E'\n\t {}\r\n ', 'UTF8'));
SELECT n, json_of(convert_to(format('{"data": %s}', body), 'UTF8')) -> 'data' = body::jsonb AS same
  FROM unnest(ARRAY['1.00', '-0', '1e5', '[[],{},""]', '"\u0001\u001f\u007f\u0080\u2028"', '{"a":{"a":{"a":{}}}}', '"\\u0000"']) WITH ORDINALITY b(body, n);
CALL pg_temp.attempt($$SELECT json_of(''::bytea)$$);
CALL pg_temp.attempt($$SELECT json_of('[{"a": 1, "b": {"a": 1}}, {"a": 2}]'::bytea)$$);
CALL pg_temp.attempt($$SELECT json_of('[{"a": 1}, {"a": 2, "a": 2}]'::bytea)$$);
CALL pg_temp.attempt($$SELECT json_of('{"a": 1, "b": {"c": [{"d": 1, "e": 2, "\\u0064": 3}]}, "a": 2}'::bytea)$$);
CALL pg_temp.attempt($$SELECT json_of('{"a": 1'::bytea)$$);
CALL pg_temp.attempt($$SELECT json_of('{"a": 1}}'::bytea)$$);
CALL pg_temp.attempt($$SELECT json_of('\xc3'::bytea)$$);
CALL pg_temp.attempt($$SELECT json_of('"a"'::bytea)$$);
-- Where a text ends too soon, that is the place.
CREATE FUNCTION pg_temp.place_of(body text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM json_of(convert_to(body, 'UTF8'));
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END
$$;
SELECT count(*) FROM generate_series(1, 300) n WHERE pg_temp.place_of('{"é":' || repeat('1', n)) = format('line 1, character %s: The input string ended unexpectedly.', n + 6);
SELECT pg_temp.place_of(E'{\n\n  "é😀" :  \n\t'), pg_temp.place_of(E'\n'), pg_temp.place_of(E' ');
SELECT json_of(NULL::bytea) IS NULL AS nothing;
-- The last of many keys is the first again; and where keys are many, sorting them takes no time.
SELECT count(*) FROM jsonb_object_keys(json_of(convert_to((SELECT json_object_agg('key' || i, i)::text FROM generate_series(1, 100000) i), 'UTF8')));
CALL pg_temp.attempt($$SELECT json_of(convert_to((SELECT json_object_agg('key' || i % 100000, i)::text FROM generate_series(1, 100001) i), 'UTF8'))$$);

-- A query string.
SELECT encoded, decode(encoded) FROM unnest(ARRAY['', 'a', 'a+b', 'a%20b', 'a%2Bb', '%', '%4', '%4g', '%zz%', '100%25', '%e2%82%ac', '%E2%82%AC', '€', '%2525', '%41%42', 'a%0Ab']) encoded;
CALL pg_temp.attempt($$SELECT decode('%00')$$);
CALL pg_temp.attempt($$SELECT decode('%ff')$$);
CALL pg_temp.attempt($$SELECT decode('%ed%a0%80')$$);
SELECT value, encode(value) FROM unnest(ARRAY['', 'aZ09-._~', ' ', 'a+b', '%', '"<>&=;#', '€', '😀', 'é', E'\x7f', E'\r\n']) value;
-- Random text comes back, and takes nothing that means something in a query string or in a header.
SELECT setseed(0.5) \g /dev/null
CREATE TEMP TABLE word AS
SELECT n, (SELECT string_agg(CASE (random() * 3)::int WHEN 0 THEN chr(1 + (random() * 126)::int) WHEN 1 THEN substr('%+&=;#"<>/\ ', 1 + (random() * 11)::int, 1)
								 WHEN 2 THEN chr(160 + (random() * 2000)::int) ELSE chr(128512 + (random() * 60)::int) END, '')
			 FROM generate_series(1, 1 + n % 40)) AS word
  FROM generate_series(1, 1000) n;
SELECT count(*) FILTER (WHERE decode(encode(word)) = word) AS back, count(*) FILTER (WHERE encode(word) ~ '^([A-Za-z0-9._~-]|%[0-9A-F]{2})+$') AS plain, count(DISTINCT word) > 950 AS words FROM word;
SELECT count(*) AS parsed FROM word w JOIN word v ON v.n = w.n % 1000 + 1
 WHERE parameters(format('a=%s&tag=%s&tag=%s', encode(w.word), encode(v.word), encode(w.word)), '{a,tag}') = jsonb_build_object('a', ARRAY[w.word], 'tag', ARRAY[v.word, w.word]);

SELECT query, parameters(query, '{a,b,tag}') FROM unnest(ARRAY[NULL, '', '&', 'a=', '=', '=1', 'a', 'a=1', 'a=1&b=2', '&&a=1&', 'a==', 'a=b=c', 'a=1&a=', 'tag=1&tag=2&tag=1', '%61=%31', 'a=%26b=2', 'a= ']) query;
CALL pg_temp.attempt($$SELECT parameters('a=1&a=1', '{a}')$$);
CALL pg_temp.attempt($$SELECT parameters('a=1&%61=1', '{a}')$$);
CALL pg_temp.attempt($$SELECT parameters('A=1', '{a,b}')$$);
CALL pg_temp.attempt($$SELECT parameters('z=1&y=1&a=1', '{a}')$$);
CALL pg_temp.attempt($$SELECT parameters('a%0D%0Ab=1', '{a}')$$);
SELECT p, tags(p) FROM unnest(ARRAY['{}', '{"tag": ["a:b"]}', '{"tag": ["a:b:c", "b:"]}', '{"tag": [":x"]}']::jsonb[]) p;
CALL pg_temp.attempt($$SELECT tags('{"tag": ["a"]}')$$);
CALL pg_temp.attempt($$SELECT tags('{"tag": ["a:1", "a:1"]}')$$);

-- A time.
SET timezone = 'America/St_Johns';
SET datestyle = 'Postgres, MDY';
SELECT value, moment(value, 'at') AT TIME ZONE 'UTC' = utc::timestamp AS same, iso(moment(value, 'at'))
  FROM (VALUES ('2025-01-31', '2025-01-31'), ('2025-01-31T12:30Z', '2025-01-31 12:30'), ('2025-01-31T12:30:15', '2025-01-31 12:30:15'), ('2025-01-31T12:30:15.123456789Z', '2025-01-31 12:30:15.123457'),
			   ('2025-01-31T12:30:15,5+01', '2025-01-31 11:30:15.5'), ('2025-01-31T12:30:15-02:30', '2025-01-31 15:00:15'), ('2025-01-31T12:30:15+0545', '2025-01-31 06:45:15'), ('2024-02-29T23:59:60Z', '2024-03-01'),
			   ('10000-01-01T00:00:00Z', '10000-01-01'), ('99999-12-31', '99999-12-31'), ('0001-01-01', '0001-01-01')) t(value, utc);
DO $$
DECLARE
	value text;
BEGIN
	FOREACH value IN ARRAY ARRAY['', 'now', 'infinity', '-infinity', 'epoch', '2025-1-1', '2025-01-32', '2025-02-29', '0000-01-01', '2025-01-01 12:00', '2025-01-01T12', '2025-01-01T24:00:01Z', '2025-01-01T12:00z', '2025-01-01T12:00:00 Z',
		'2025-01-01T12:00:00UTC', '2025-01-01T12:00:00+16:00', '2025-01-01T12:00:00.1234567890Z', '2025-001', '2025-W01-1', '20250101', '01.02.2025', '294277-01-01', E'2025-01-01\n', '٢٠٢٥-٠١-٠١', '2025-01-01T12:00:00Z; DROP TABLE x'] LOOP
		BEGIN
			RAISE INFO '% is a time: %', value, moment(value, 'at');
		EXCEPTION WHEN invalid_datetime_format THEN
			NULL;
		END;
	END LOOP;
END
$$;
CALL pg_temp.attempt($$SELECT moment('soon', 'metadata.at')$$);
SELECT moment(NULL, 'at'), iso(NULL);
SELECT iso('2025-06-01 00:00:00+00'), iso('0044-03-15 12:00+00 BC'), iso('294276-12-31 23:59:59.999999+00');

-- An id.
SELECT id, number_of(id, 'backup') FROM unnest(ARRAY['backup-1', 'backup-9223372036854775807', 'backup-9223372036854775808', 'backup-9999999999999999999', 'backup-10000000000000000000', 'backup-0', 'backup-01', 'backup--1', 'backup-+1',
	'backup- 1', ' backup-1', 'backup-1 ', E'backup-1\n', E'x\nbackup-1', 'restore-1', 'BACKUP-1', 'backup-', 'backup', '1', '', 'backup-1.0', 'backup-1e1', 'backup-0x1', 'backup-１']) id;
SELECT number_of('restore-7', 'restore'), number_of('backup-7', 'restore');

-- Fields.
SELECT check_known('{"a": 1, "b": 2}', '{a,b,c}'), check_known('{}', '{a}'), check_known(NULL, '{a}') IS NULL AS nothing;
CALL pg_temp.attempt($$SELECT check_known('{"a": 1, "B": 2, "z": 3}', '{a,b}')$$);
CALL pg_temp.attempt($$SELECT check_known('{"a\"\n\u00e9": 1}', '{a,b}', 'metadata.')$$);
CALL pg_temp.attempt($$SELECT check_known('{"": 1}', '{a}')$$);
SELECT field('{"a": {"b": [1]}, "n": null}', 'a.b', 'array'), field('{"a": {"b": [1]}, "n": null}', 'n', 'array'), field('{}', 'a.b', 'any'), field('{"a": "x"}', 'a.b', 'any'), field(NULL, 'a', 'any');
CALL pg_temp.attempt($$SELECT field('{"a": 1}', 'a', 'object')$$);
CALL pg_temp.attempt($$SELECT field('{"a": null}', 'a', 'any', true)$$);
SELECT shown('plain'), shown(E'a\nb\tc\x7f'), shown('é😀'), shown(repeat('x', 64)), length(shown(repeat('x', 65))), shown(''), shown(repeat('é', 32) || 'y') = repeat('?', 64) || '...' AS cut;
SELECT check_name('a b', 'f'), check_label('', 'f'), check_label(NULL, 'f') IS NULL AS nothing;
CALL pg_temp.attempt($$SELECT check_name('', 'metadata.x')$$);
CALL pg_temp.attempt($$SELECT check_label(repeat('x', 513), 'metadata.x')$$);
CALL pg_temp.attempt($$SELECT check_label(chr(127), 'metadata.x')$$);

-- A page.
SELECT p, page_size(p) FROM unnest(ARRAY['{}', '{"limit": ["1"]}', '{"limit": ["0001"]}', '{"limit": ["1000"]}']::jsonb[]) p;
CALL pg_temp.attempt($$SELECT page_size('{"limit": ["1001"]}')$$);
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SELECT cursor('{"cursor": ["2025-01-31T12:30:15.123456Z~42"]}'), cursor('{}');
CALL pg_temp.attempt($$SELECT cursor('{"cursor": ["2025-01-31T12:30:15.123456Z~42~"]}')$$);
CALL pg_temp.attempt($$SELECT cursor('{"cursor": ["2025-99-31T12:30:15.123456Z~42"]}')$$);
CALL pg_temp.attempt($$SELECT cursor('{"cursor": ["2025-01-31T12:30:15.123456Z~9999999999999999999"]}')$$);
SELECT page_headers('/x', '{"b": ["1&2"], "tag": ["t:1", "é"], "cursor": ["old"], "limit": ["5"]}', 17, '2025-01-31T12:30:15.123456Z~42');
SELECT page_headers('/x', '{"b": ["1"]}', 0, NULL);
