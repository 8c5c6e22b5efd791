-- Which deltas does bk_apply() refuse?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools
CREATE PROCEDURE pg_temp.apply(document jsonb, delta jsonb) LANGUAGE plpgsql AS
$$ BEGIN CALL pg_temp.attempt(format('SELECT bk_apply(%L, %L)', document, delta)); END $$;

-- What is not of the form.
CALL pg_temp.apply('{}', '[]');
CALL pg_temp.apply('{}', '1');
CALL pg_temp.apply('{}', '{"other": []}');
CALL pg_temp.apply('{}', '{"changes": {}}');
CALL pg_temp.apply('{}', '{"changes": null}');
CALL pg_temp.apply('{}', '{"additions": [1]}');
CALL pg_temp.apply('{}', '{"additions": [{"value": 1}]}');
CALL pg_temp.apply('{}', '{"additions": [{"key": 1, "value": 1}]}');
CALL pg_temp.apply('{}', '{"additions": [{"key": "a"}]}');
CALL pg_temp.apply('{}', '{"additions": [{"key": "a", "value": 1, "oldValue": 1}]}');
CALL pg_temp.apply('{"a": 1}', '{"changes": [{"key": "a"}]}');
CALL pg_temp.apply('{"a": 1}', '{"changes": [{"key": "a", "value": 1}]}');
CALL pg_temp.apply('{"a": 1}', '{"deletions": [{"key": "a", "newValue": 1}]}');

-- What does not fit the document.
CALL pg_temp.apply('{"a": 1}', '{"changes": [{"key": "b", "newValue": 1}]}');
CALL pg_temp.apply('{"a": 1}', '{"changes": [{"key": "a", "newValue": 1, "oldValue": 2}]}');
CALL pg_temp.apply('{"a": 1.0}', '{"changes": [{"key": "a", "newValue": 1, "oldValue": 1.00}]}');
CALL pg_temp.apply('{"a": {"b": 1}}', '{"changes": [{"key": "a", "newValue": 1, "oldValue": {"b": 2}}]}');
CALL pg_temp.apply('1', '{"changes": [{"key": "", "newValue": 1, "oldValue": 2}]}');
CALL pg_temp.apply('{"a": 1}', '{"additions": [{"key": "a", "value": 1}]}');
CALL pg_temp.apply('{"a": 1}', '{"additions": [{"key": "", "value": 1}]}');
CALL pg_temp.apply('[1]', '{"additions": [{"key": "[2]", "value": 1}]}');
CALL pg_temp.apply('{"a": 1}', '{"deletions": [{"key": "b"}]}');
CALL pg_temp.apply('{"a": 1}', '{"deletions": [{"key": "a", "value": 2}]}');
CALL pg_temp.apply('{"a": 1}', '{"deletions": [{"key": ""}]}');
CALL pg_temp.apply('[1]', '{"deletions": [{"key": "[1]"}]}');
CALL pg_temp.apply('[1]', '{"deletions": [{"key": "[0]"}, {"key": "[0]"}]}');
CALL pg_temp.apply('[1]', '{"deletions": [{"key": "[4294967296]"}]}');
CALL pg_temp.apply('[1]', '{"deletions": [{"key": "[18446744073709551616]"}]}');

-- Steps that lead nowhere.
CALL pg_temp.apply('{"a": 1}', '{"changes": [{"key": "b.c", "newValue": 1}]}');
CALL pg_temp.apply('{"a": 1}', '{"changes": [{"key": "a.b", "newValue": 1}]}');
CALL pg_temp.apply('{"a": 1}', '{"changes": [{"key": "a[0]", "newValue": 1}]}');
CALL pg_temp.apply('{"a": [1]}', '{"changes": [{"key": "a.b", "newValue": 1}]}');
CALL pg_temp.apply('{"a": {}}', '{"changes": [{"key": "a[0]", "newValue": 1}]}');
CALL pg_temp.apply('1', '{"additions": [{"key": "a", "value": 1}]}');

-- Malformed paths.
CALL pg_temp.apply('{}', '{"additions": [{"key": "a.", "value": 1}]}');
CALL pg_temp.apply('{}', '{"additions": [{"key": ".a", "value": 1}]}');
CALL pg_temp.apply('{}', '{"additions": [{"key": "a b", "value": 1}]}');
CALL pg_temp.apply('{}', '{"additions": [{"key": "0", "value": 1}]}');
CALL pg_temp.apply('{}', '{"additions": [{"key": "é", "value": 1}]}');
CALL pg_temp.apply('[]', '{"additions": [{"key": "[", "value": 1}]}');
CALL pg_temp.apply('[]', '{"additions": [{"key": "[]", "value": 1}]}');
CALL pg_temp.apply('[]', '{"additions": [{"key": "[0", "value": 1}]}');
CALL pg_temp.apply('[]', '{"additions": [{"key": "[00]", "value": 1}]}');
CALL pg_temp.apply('[]', '{"additions": [{"key": "[-1]", "value": 1}]}');
CALL pg_temp.apply('{}', '{"additions": [{"key": "[\"a", "value": 1}]}');
CALL pg_temp.apply('{}', '{"additions": [{"key": "[\"a\"", "value": 1}]}');
CALL pg_temp.apply('{}', '{"additions": [{"key": "[\"\\x\"]", "value": 1}]}');
CALL pg_temp.apply('{}', '{"additions": [{"key": "[\"\\ud800\"]", "value": 1}]}');
CALL pg_temp.apply('{}', '{"additions": [{"key": "[\"\\u0000\"]", "value": 1}]}');
CALL pg_temp.apply('{}', '{"additions": [{"key": "[\"a\nb\"]", "value": 1}]}');

-- The entry is named by its list and its number there, deletions too; a long path is cut.
CALL pg_temp.apply('{"a": 1, "b": 2}', '{"changes": [{"key": "a", "newValue": 1}, {"key": "b", "newValue": 1}, {"key": "c", "newValue": 1}]}');
CALL pg_temp.apply('{"a": 1, "b": 2}', '{"deletions": [{"key": "c"}, {"key": "b"}, {"key": "a"}]}');
CALL pg_temp.apply('{}', jsonb_build_object('changes', jsonb_build_array(jsonb_build_object('key', repeat('ab', 1000), 'newValue', 1))));
