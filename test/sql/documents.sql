-- Does every jsonb come back with the same text, whatever the type of its backup?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools
SET client_min_messages = warning;

CREATE TEMP TABLE document (name text PRIMARY KEY, doc jsonb NOT NULL);

-- Empty and scalar.
INSERT INTO document VALUES
	('empty object', '{}'), ('empty array', '[]'), ('null', 'null'), ('true', 'true'), ('false', 'false'),
	('empty string', '""'), ('zero', '0'), ('array of empties', '[{}, [], "", null, [[]], [{}], {"": {}}]'),
	('object of empties', '{"a": {}, "b": [], "c": "", "d": null, "": ""}');

-- Numbers keep their spelling as far as jsonb does.
INSERT INTO document SELECT 'number ' || left(n, 20) || ' ' || md5(n), n::jsonb
  FROM unnest(ARRAY['1', '-1', '1.0', '1.00', '0.10', '-0.0', '0.000', '1e400', '-1e400', '1e-400', '1.5e300', '123456789012345678901234567890',
					'0.1234567890123456789012345678901234567890', '1e131071', '1e-16383', '9223372036854775808', '1E+2', '1.10e1',
					'-' || repeat('9', 1000) || '.' || repeat('0', 1000)]) n;
INSERT INTO document SELECT 'numbers', jsonb_agg(doc) FROM document WHERE name LIKE 'number %';

-- Strings: every escape, every control character, quotes, slashes, all lengths of UTF-8, what looks like something else.
INSERT INTO document VALUES
	('escapes', '"\" \\ \/ \b \f \n \r \t"'),
	('solidus', '["/", "\/", "</script>"]'),
	('unicode', '["é", "€", "資源", "🐘", "\u00e9", "\ud83d\udc18", "\u2028\u2029", "\ufeff", "\ufffd", "\uffff", "\u007f", "\u0080", "e\u0301", "𝄞\udbff\udfff"]'),
	('surrogate-like text', '["\\ud83d", "\\u0000", "\\\\u0041"]'),
	('looks like json', '["{\"a\": 1}", "[1, 2]", "null", "1.0", "\"", "\\", "\\\"", ", ", ": ", "{", "}", "[", "]"]');
INSERT INTO document SELECT 'control characters', jsonb_agg(chr(i)) || jsonb_build_object(string_agg(chr(i), ''), string_agg('x' || chr(i), ''))
  FROM generate_series(1, 159) i;
INSERT INTO document SELECT 'all of the first planes', jsonb_agg(chr(i)) FROM generate_series(1, 131071, 97) i WHERE i NOT BETWEEN 55296 AND 57343;
INSERT INTO document SELECT 'string of ' || n || ' ' || c, to_jsonb(repeat(c, n))
  FROM unnest(ARRAY[7, 8, 9, 15, 16, 17, 63, 64, 65, 127, 128, 255, 256, 1000, 65535, 65536, 262143, 262144]) n, unnest(ARRAY['x', 'é', E'\n']) c;

-- Keys: odd ones, ordered by length and then by bytes, which is neither alphabetical nor by characters.
INSERT INTO document VALUES
	('odd keys', '{"": 1, " ": 2, ".": 3, "a.b": 4, "[0]": 5, "[": 6, "]": 7, "\"": 8, "\\": 9, "\\\"": 10, "\n": 11, "\u0001": 12, "é": 13, "資": 14, "🐘": 15, "0": 16, "-1": 17, "a[0].b": 18, "[\"x\"]": 19, "key": 20, "oldValue": 21, "\u007f": 22, "a b": 23, "changes": 24}'),
	('key order', '{"z": 1, "aa": 2, "é": 3, "b": 4, "ab": 5, "B": 6, "zz": 7, "a": 8, "\n": 9, "aaa": 10, "\\": 11, "": 12}'),
	('doubled keys', '{"a": 1, "b": 2, "a": {"c": 3, "c": [4]}}'),
	('a delta', '{"changes": [{"key": "a", "newValue": 1, "oldValue": 2}], "additions": [], "deletions": [{"key": ""}]}');
INSERT INTO document SELECT 'many keys', jsonb_object_agg(md5(i::text), i) FROM generate_series(1, 3000) i;
INSERT INTO document SELECT 'long keys', jsonb_object_agg(repeat(chr(64 + i), 1000 * i), i) FROM generate_series(1, 20) i;
INSERT INTO document SELECT 'keys with each escape', jsonb_object_agg('a' || chr(i) || 'b', i) FROM generate_series(1, 300) i;

-- Arrays around the sizes at which jsonb and the payload change their ways; wide and deep ones.
INSERT INTO document SELECT 'array of ' || n, jsonb_agg(i) FROM unnest(ARRAY[1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000]) n, generate_series(1, n) i GROUP BY n;
INSERT INTO document SELECT 'array of mixed', jsonb_agg(CASE i % 7 WHEN 0 THEN 'null' WHEN 1 THEN to_jsonb(i) WHEN 2 THEN to_jsonb(md5(i::text)) WHEN 3 THEN '{}'
	WHEN 4 THEN jsonb_build_object('id', i, 'list', jsonb_build_array(i, 'x')) WHEN 5 THEN 'true' ELSE to_jsonb(i / 7.0) END) FROM generate_series(1, 2000) i;
INSERT INTO document SELECT 'equal elements', jsonb_agg('{"a": [1, 1]}'::jsonb) FROM generate_series(1, 500) i;
INSERT INTO document SELECT 'nested ' || n || ' arrays', (repeat('[', n) || repeat(']', n))::jsonb FROM unnest(ARRAY[2, 100, 1000, 6000]) n;
INSERT INTO document SELECT 'nested ' || n || ' objects', (repeat('{"a": ', n) || '1' || repeat('}', n))::jsonb FROM unnest(ARRAY[2, 100, 1000, 6000]) n;
INSERT INTO document SELECT 'nested both', (repeat('[1, {"a": {}, "b": ', 3000) || '"x"' || repeat(', "c": []}, 2]', 3000))::jsonb;

-- Larger than a chunk, than zlib's window, than what is sampled; some of it cannot be compressed.
INSERT INTO document SELECT 'large', jsonb_agg(jsonb_build_object('id', i, 'name', md5(i::text), 'tags', jsonb_build_array('a', i % 10))) FROM generate_series(1, 10000) i;
INSERT INTO document SELECT 'from the catalog', jsonb_agg(to_jsonb(p) - 'oid' ORDER BY p.oid) FROM (SELECT * FROM pg_proc ORDER BY oid LIMIT 300) p;

SELECT count(*) FROM document;

-- Back up every document in every way: by itself; as an incremental and as a differential after each of three
-- others; in every compression, encrypted or not.  Whatever does not come back is shown.
CREATE TEMP TABLE wrong (name text, way text, got text);
DO $$
DECLARE
	d record;
	made record;
	way text;
	resource text;
	before jsonb := '{"a": 1, "list": [1, {"b": 2}]}';
	deltas int := 0;
BEGIN
	FOR d IN SELECT name, doc, doc::text AS text, row_number() OVER (ORDER BY name COLLATE "C") AS n FROM document ORDER BY n LOOP
		resource := 'documents/' || d.n;
		FOR made IN
			SELECT b.*, 'full ' || c || ' ' || e AS way FROM unnest(ARRAY['gzip', 'zstd', 'none']) c, unnest(ARRAY[true, false]) e,
				   bk_create(resource, d.doc, compression => c, encrypt => e) b
		LOOP
			IF bk_read(made.backup_id)::text <> d.text THEN
				INSERT INTO wrong VALUES (d.name, made.way);
			END IF;
		END LOOP;
		-- From another document to this one, and from this one to another.
		FOR way IN SELECT unnest(ARRAY['incremental', 'differential']) LOOP
			PERFORM FROM bk_create(resource, before);
			SELECT * INTO made FROM bk_create(resource, d.doc, way);
			deltas := deltas + (made.type <> 'full')::int;
			IF bk_read(made.backup_id)::text <> d.text THEN
				INSERT INTO wrong VALUES (d.name, way || ' of ' || made.type);
			END IF;
			SELECT * INTO made FROM bk_create(resource, jsonb_build_object('doc', d.doc, 'a', 1), way);
			IF bk_read(made.backup_id)::text <> jsonb_build_object('doc', d.doc, 'a', 1)::text THEN
				INSERT INTO wrong VALUES (d.name, way || ' with it inside');
			END IF;
			SELECT * INTO made FROM bk_create(resource, jsonb_build_array(0, jsonb_build_object('doc', d.doc, 'a', 1)), way);
			SELECT * INTO made FROM bk_create(resource, jsonb_build_array(jsonb_build_object('doc', d.doc, 'a', 2), d.doc), way);
			deltas := deltas + (made.type <> 'full')::int;
			IF bk_read(made.backup_id)::text <> jsonb_build_array(jsonb_build_object('doc', d.doc, 'a', 2), d.doc)::text THEN
				INSERT INTO wrong VALUES (d.name, way || ' with it twice');
			END IF;
		END LOOP;
		IF bk_apply(before, bk_delta(before, d.doc))::text <> d.text OR bk_apply(d.doc, bk_delta(d.doc, before))::text <> before::text THEN
			INSERT INTO wrong VALUES (d.name, 'bk_delta()');
		END IF;
		before := d.doc;
	END LOOP;
	RAISE INFO 'most of them deltas: %', deltas > 300;
END
$$;
SELECT * FROM wrong;

-- Equal as jsonb is not enough where a number's spelling differs.
SELECT bk_read(backup_id)::text FROM bk_create('documents/spelling', '[1.0, 1.00, -0.0, 1e2]');
SELECT length(bk_read(backup_id)::text) FROM bk_create('documents/spelling', '1e131071', 'incremental');

-- Numbers of few digits are written and read as the server stores them, without asking it: every sign, length before and
-- behind the point, and zeros at either end.  The text, the bytes that it takes and what calculates with it are the same.
CREATE TEMP TABLE number AS SELECT jsonb_build_array(n::jsonb, '{}', n::jsonb) AS doc FROM (
	SELECT DISTINCT sign || whole || decimals FROM unnest('{"",-}'::text[]) sign,
		unnest('{0,1,9,10,100,9999,10000,10001,99999999,100000000,120000000,123456789012345678,1234567890123456789012345678901234567,12345678901234567890123456789012345678901}'::text[]) whole,
		unnest('{"",.0,.1,.00,.0001,.00001,.1000,.12345,.00000000,.00010000,.000000001,.99999999999999999999,.00000000000000000000000000000000001}'::text[]) decimals
	UNION SELECT i::text FROM generate_series(-20000, 20000, 7) i
	UNION SELECT '1.50e' || i FROM generate_series(-80, 80) i) x(n);
SELECT count(*) > 3000 AS many, count(*) FILTER (WHERE made::text IS DISTINCT FROM doc::text) AS other_text,
	   count(*) FILTER (WHERE pg_column_size(made || '{}') IS DISTINCT FROM pg_column_size(doc || '{}')) AS other_size,
	   count(*) FILTER (WHERE made <> doc OR jsonb_hash_extended(made, 1) <> jsonb_hash_extended(doc, 1)) AS other_value,
	   count(*) FILTER (WHERE ((made ->> 0)::numeric + 1)::text <> ((made -> 0)::numeric + 1)::text) AS other_sum
  FROM number, LATERAL (SELECT bk_apply('null', bk_delta('null', doc)) AS made) m;

-- Nesting to the depth that PostgreSQL allows here: where its parser gives up, the value cannot be made at all.
DO $$
DECLARE
	deep jsonb;
BEGIN
	FOR i IN REVERSE 20000..1000 BY 1000 LOOP
		BEGIN
			deep := (repeat('[', i) || repeat(']', i))::jsonb;
			EXIT;
		EXCEPTION WHEN statement_too_complex THEN
			NULL;
		END;
	END LOOP;
	RAISE INFO 'same text: %', bk_read((SELECT backup_id FROM bk_create('documents/deep', deep)))::text = deep::text;
	RAISE INFO 'same text: %', bk_read((SELECT backup_id FROM bk_create('documents/deep', jsonb_build_array(1, deep), 'incremental')))::text = jsonb_build_array(1, deep)::text;
	RAISE INFO 'same text: %', bk_apply('[]', bk_delta('[]', deep))::text = deep::text;
	RAISE INFO 'deep: %', jsonb_array_length(deep) < 2 AND length(deep::text) >= 12000;
END
$$;
