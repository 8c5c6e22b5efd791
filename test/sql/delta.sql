-- What does bk_delta() find, and does bk_apply() take it back?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools
CREATE FUNCTION pg_temp.delta(old jsonb, new jsonb) RETURNS jsonb LANGUAGE plpgsql AS
$$
BEGIN
	IF bk_apply(old, bk_delta(old, new))::text IS DISTINCT FROM new::text THEN
		RAISE EXCEPTION 'bk_apply(%, %) is %', old, bk_delta(old, new), bk_apply(old, bk_delta(old, new));
	END IF;
	RETURN bk_delta(old, new);
END
$$;

-- The specification's example, to the letter.
SELECT bk_delta(
	'{"users": [{"id": 1, "name": "Alice"}], "settings": {"theme": "dark"}}',
	'{"users": [{"id": 1, "name": "Alice"}, {"id": 2, "name": "Bob"}], "settings": {"theme": "light"}}')
= '{
  "changes": [
    {"key": "settings", "oldValue": {"theme": "dark"}, "newValue": {"theme": "light"}}
  ],
  "additions": [
    {"key": "users[1]", "value": {"id": 2, "name": "Bob"}}
  ],
  "deletions": []
}' AS to_the_letter;
SELECT jsonb_pretty(pg_temp.delta(
	'{"users": [{"id": 1, "name": "Alice"}], "settings": {"theme": "dark"}}',
	'{"users": [{"id": 1, "name": "Alice"}, {"id": 2, "name": "Bob"}], "settings": {"theme": "light"}}'));

-- Nothing changed.
SELECT pg_temp.delta('{"a": [1, {"b": null}]}', '{"a": [1, {"b": null}]}');
SELECT pg_temp.delta('{}', '{}'), pg_temp.delta('[]', '[]');
SELECT pg_temp.delta('null', 'null');

-- Members: changed, added, deleted.
SELECT pg_temp.delta('{"a": 1, "b": 2, "c": 3}', '{"a": 1, "b": 4, "d": 5}');
SELECT pg_temp.delta('{"a": 1}', '{"a": 1, "b": null, "c": {}, "d": []}');
SELECT pg_temp.delta('{"a": 1, "b": null, "c": {}, "d": []}', '{"a": 1}');
SELECT pg_temp.delta('{"a": null, "b": 1}', '{"b": 1}');

-- Descent, where there is something in common; else one change for the whole value.
SELECT pg_temp.delta('{"s": {"theme": "dark", "size": 1}}', '{"s": {"theme": "light", "size": 1}}');
SELECT pg_temp.delta('{"s": {"theme": "dark"}, "k": 1}', '{"s": {"theme": "light"}, "k": 1}');
SELECT pg_temp.delta('{"a": {"b": {"c": {"d": 1, "e": 2}}}}', '{"a": {"b": {"c": {"d": 1, "e": 3}}}}');

-- The root: a path of no characters.
SELECT pg_temp.delta('{"a": 1}', '{"b": 1}');
SELECT pg_temp.delta('{"a": 1}', '[1]');
SELECT pg_temp.delta('{}', '{"a": 1}'), pg_temp.delta('{"a": 1}', '{}');
SELECT pg_temp.delta('[]', '[1]'), pg_temp.delta('[1]', '[]');

-- Scalars.
SELECT pg_temp.delta('1', '2');
SELECT pg_temp.delta('"a"', '"b"');
SELECT pg_temp.delta('true', 'false');
SELECT pg_temp.delta('null', '{}');
SELECT pg_temp.delta('[1]', '1');

-- Equal means the same text.
SELECT pg_temp.delta('1.0', '1.00');
SELECT pg_temp.delta('{"a": 1.0, "k": 0}', '{"a": 1.00, "k": 0}');
SELECT pg_temp.delta('[1, 1.0, 1.00, "x"]', '[1, 1.00, 1.0, "x"]');
SELECT pg_temp.delta('{"a": "1", "k": 0}', '{"a": 1, "k": 0}');

-- Paths of odd keys.
SELECT pg_temp.delta('{"k": 0}', '{"k": 0, "a b": 1, "a.b": 2, "a[0]": 3, "a\"b": 4, "a\\b": 5, "": 6, "a-b": 7, "-a": 8, "0": 9, "_0": 10, "é": 11, "a\nb": 12, "a\u0001b": 13, "🐘": 14, "[\"x\"]": 15}')->'additions' AS additions;
SELECT pg_temp.delta('{"a b": {"c.d": {"x": 1, "y": 2}}}', '{"a b": {"c.d": {"x": 1, "y": 3}}}');
SELECT pg_temp.delta('{"a": [{"[0]": [1, 2]}, 5]}', '{"a": [{"[0]": [1, 3]}, 5]}');
SELECT pg_temp.delta('[[["x", 1]]]', '[[["x", 2]]]');

-- Arrays: aligned by what is the same.
SELECT pg_temp.delta('[1, 2, 3]', '[0, 1, 2, 3]');
SELECT pg_temp.delta('[1, 2, 3]', '[1, 2, 3, 4]');
SELECT pg_temp.delta('[1, 2, 3]', '[1, 9, 2, 3]');
SELECT pg_temp.delta('[1, 2, 3, 4]', '[2, 4]');
SELECT pg_temp.delta('[1, 2, 3]', '[3, 2, 1]');
SELECT pg_temp.delta('[1, 1, 1]', '[1, 1]');
SELECT pg_temp.delta('[1, 2, 3, 4, 5, 6]', '[1, 20, 3, 5, 50, 6, 7]');
SELECT jsonb_array_length(d->'additions') AS additions, d->'additions'->0->>'key' AS key, d->'changes' AS changes, d->'deletions' AS deletions
  FROM (SELECT pg_temp.delta(jsonb_agg(i), jsonb_build_array('new') || jsonb_agg(i)) AS d FROM generate_series(1, 10000) i) s;

-- Elements with an identity pair up.
SELECT pg_temp.delta('[{"id": 1, "n": "a"}, {"id": 2, "n": "b"}]', '[{"id": 1, "n": "a"}, {"id": 2, "n": "c"}]');
SELECT pg_temp.delta('[{"id": 1, "n": "a"}, {"id": 2, "n": "b"}]', '[{"id": 2, "n": "c"}]');
SELECT pg_temp.delta('[{"id": 1, "n": "a"}, {"id": 2, "n": "b"}]', '[{"id": 3, "n": "x"}, {"id": 2, "n": "c"}]');
SELECT pg_temp.delta('[{"uuid": "u", "n": 1}, {"name": "x", "n": 1}]', '[{"name": "x", "n": 2}]');
-- Without one, by position where they have something in common.
SELECT pg_temp.delta('[{"a": 1, "b": 1}, {"a": 2, "b": 2}]', '[{"a": 1, "b": 9}, {"a": 2, "b": 8}]');
SELECT pg_temp.delta('[{"a": 1}, 5]', '[{"b": 2}, 5]');

-- Deletions are in the old document's coordinates, additions and changes in the new one's.
SELECT pg_temp.delta('{"l": ["a", "b", "c", {"k": 1, "v": 1}], "gone": 1}', '{"l": ["c", {"k": 1, "v": 2}, "d"], "come": 1}');

-- Null in, null out.
SELECT bk_delta(NULL, '1') IS NULL, bk_delta('1', NULL) IS NULL, bk_apply(NULL, '{}') IS NULL, bk_apply('1', NULL) IS NULL;

-- A delta of another maker applies if it is of this form: lists may be left out, old values too.
SELECT bk_apply('{"a": 1}', '{}');
SELECT bk_apply('{"a": 1}', '{"additions": [{"key": "b", "value": 2}]}');
SELECT bk_apply('{"a": 1, "b": 2}', '{"deletions": [{"key": "b"}], "changes": [{"key": "a", "newValue": {"x": []}}]}');
SELECT bk_apply('{"a": 1}', '{"changes": [{"key": "[\"\\u0061\"]", "newValue": 2, "oldValue": 1}]}');
SELECT bk_apply('{"a": 1}', '{"changes": [{"key": "", "newValue": [1]}]}');
-- Additions in order: one may build on another.
SELECT bk_apply('{}', '{"additions": [{"key": "a", "value": {}}, {"key": "a.b", "value": []}, {"key": "a.b[0]", "value": 1}, {"key": "a.b[1]", "value": 2}, {"key": "a.b[0]", "value": 0}]}');
-- Deletions last one first, then additions, then changes.
SELECT bk_apply('["a", "b", "c"]', '{"deletions": [{"key": "[0]"}, {"key": "[2]"}], "additions": [{"key": "[0]", "value": "x"}], "changes": [{"key": "[1]", "newValue": "y", "oldValue": "b"}]}');

-- Both are immutable: they may serve in an index or a generated column.
CREATE TEMP TABLE edits (old jsonb, new jsonb, delta jsonb GENERATED ALWAYS AS (bk_delta(old, new)) STORED);
INSERT INTO edits VALUES ('{"a": 1, "b": 1}', '{"a": 1, "b": 2}'), ('1', NULL);
SELECT delta FROM edits;
