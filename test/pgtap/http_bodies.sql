-- What becomes of bodies of POST /backups that are no good?  psql -XAtq -f prints TAP.
\ir http.psql
SELECT plan(107);
SET TimeZone = 'UTC';

-- Not an object in JSON.  Bytes are written as PostgreSQL writes them.
SELECT is(pg_temp.refusal('anna', 'backups_create', body::bytea), answer, name)
  FROM (VALUES
	('empty', '', E'400 the request has no body\nSend a JSON object.'),
	('a form', 'resourceId=a', E'400 the body is not valid JSON\nline 1, character 1: Token "resourceId" is invalid.'),
	('cut short', '{"resourceId": "a", "data": {', E'400 the body is not valid JSON\nline 1, character 30: The input string ended unexpectedly.'),
	('cut in a string', '{"resourceId": "a', E'400 the body is not valid JSON\nline 1, character 16: Token ""a" is invalid.'),
	('something after it', '{"resourceId": "a", "data": 1} x', E'400 the body is not valid JSON\nline 1, character 32: Token "x" is invalid.'),
	('two objects', '{"resourceId": "a", "data": 1}{}', E'400 the body is not valid JSON\nline 1, character 31: Expected end of input, but found "{".'),
	('in the third line', E'{\n "resourceId": "é😀",\n "é": x}', E'400 the body is not valid JSON\nline 3, character 7: Token "x" is invalid.'),
	('a comma too many', '{"resourceId": "a",}', E'400 the body is not valid JSON\nline 1, character 20: Expected string, but found "}".'),
	('single quotes', '{''a'': 1}', E'400 the body is not valid JSON\nline 1, character 2: Token "''" is invalid.'),
	('NaN', '{"data": NaN}', E'400 the body is not valid JSON\nline 1, character 10: Token "NaN" is invalid.'),
	('a comment', '{} // x', E'400 the body is not valid JSON\nline 1, character 4: Token "/" is invalid.'),
	('a byte order mark', '\xefbbbf7b7d', E'400 the body is not valid JSON\nline 1, character 1: Token "???" is invalid.'),
	('a zero byte within', '\x7b2261223a220022', '400 invalid byte sequence for encoding "UTF8": 0x00'),
	('a zero byte after it', '\x7b7d00', '400 invalid byte sequence for encoding "UTF8": 0x00'),
	('a byte that is not UTF-8', '\x7b2261223a22ff227d', '400 invalid byte sequence for encoding "UTF8": 0xff'),
	('a surrogate in UTF-8', '\x7b2261223a22eda080227d', '400 invalid byte sequence for encoding "UTF8": 0xed 0xa0 0x80'),
	('an overlong slash', '\x7b2261223a22c0af227d', '400 invalid byte sequence for encoding "UTF8": 0xc0 0xaf'),
	('UTF-16', '\xff7b007d00', '400 invalid byte sequence for encoding "UTF8": 0xff'),
	('gzip', '\x1f8b0800', '400 invalid byte sequence for encoding "UTF8": 0x8b'),
	('a number', '5', '400 the body must be a JSON object'), ('a string', '"a"', '400 the body must be a JSON object'), ('an array', '[{"resourceId": "a"}]', '400 the body must be a JSON object'),
	('null', 'null', '400 the body must be a JSON object'), ('true', 'true', '400 the body must be a JSON object'),
	('\u0000', '{"data": "a\\u0000b"}', E'400 the body is not valid JSON\nline 1, character 10: \\u0000 cannot be converted to text.'),
	('a high surrogate alone', '{"data": "\\ud800"}', E'400 the body is not valid JSON\nline 1, character 10: Unicode low surrogate must follow a high surrogate.'),
	('a low surrogate alone', '{"data": "\\udc00"}', E'400 the body is not valid JSON\nline 1, character 10: Unicode low surrogate must follow a high surrogate.'),
	('two high surrogates', '{"data": "\\ud83d\\ud83d"}', E'400 the body is not valid JSON\nline 1, character 10: Unicode high surrogate must not follow a high surrogate.'),
	('a bare tab in a string', E'{"data": "\t"}', E'400 the body is not valid JSON\nline 1, character 10: Character with value 0x09 must be escaped.'),
	('a strange escape', '{"data": "\\x41"}', E'400 the body is not valid JSON\nline 1, character 12: Escape sequence "\\x" is invalid.')) v(name, body, answer);
SELECT matches(pg_temp.refusal('anna', 'backups_create', E'  \r\n'), '^400 the body is not valid JSON\nline 2, character 1: The input string ended unexpectedly\.$', 'blanks alone');

-- Too large, too deep.
SELECT is(pg_temp.refusal('anna', 'backups_create', format('{"resourceId": "a", "data": [%s]}', number)), '400 value overflows numeric format', number) FROM unnest(ARRAY['1e400000', '-1e999999999999']) number;
SELECT matches(pg_temp.refusal('anna', 'backups_create', format('{"resourceId": "a", "data": %s1%s}', repeat(opening, n), repeat(closing, n))), '^400 stack depth limit exceeded', format('%s deep: %s', n, opening))
  FROM (VALUES (100000, '[', ']'), (1000000, '[', ']'), (100000, '{"a":', '}'), (1000000, '{"a":', '')) v(n, opening, closing);
SELECT is(r.status || ' ' || (bk_read(substr(r.body::json->>'id', 8)::bigint) = document::jsonb), '201 true', format('what is %s deep comes back', n))
  FROM unnest(ARRAY[100, 1000, 6000]) n, format('%s1%s', repeat('[', n), repeat(']', n)) document, pg_temp.request('anna', 'backups_create', format('{"resourceId": "fine", "data": %s}', document)) r;
SELECT is(r.status || ' ' || (bk_read(substr(r.body::json->>'id', 8)::bigint) = document::jsonb), '201 true', 'and keys of many bytes')
  FROM format('{"%s": 1, "%s": 2}', repeat('k', 70000), repeat('k', 69999)) document, pg_temp.request('anna', 'backups_create', format('{"resourceId": "fine", "data": %s}', document)) r;

-- A key twice, wherever, however it is written; and what only looks like it.
CREATE FUNCTION pg_temp.twice(key text) RETURNS text LANGUAGE sql AS $$
	SELECT format(E'400 the body has a key twice in one object\nThe key is "%s".\nSend each key once; only one of the values could be kept.', key)
$$;
SELECT is(pg_temp.refusal('anna', 'backups_create', body), pg_temp.twice(key), body)
  FROM (VALUES
	('{"resourceId": "a", "resourceId": "b", "data": 1}', 'resourceId'),
	('{"resourceId": "a", "data": 1, "data": 1}', 'data'),
	('{"resourceId": "a", "data": {"x": 1, "y": 2, "x": 3}}', 'x'),
	('{"resourceId": "a", "data": [{"x": [{"deep": 1, "deep": 1}]}]}', 'deep'),
	('{"resourceId": "a", "data": 1, "metadata": {"source": "a", "source": "b"}}', 'source'),
	('{"resourceId": "a", "data": 1, "metadata": {"tags": {"t": 1, "t": 1}}}', 't'),
	('{"resourceId": "a", "data": {"a": 1, "\u0061": 2}}', 'a'),
	('{"resourceId": "a", "data": {"\/": 1, "/": 2}}', '/'),
	('{"resourceId": "a", "data": {"": 1, "": 2}}', ''),
	('{"resourceId": "a", "data": {"😀": 1, "\ud83d\ude00": 2}}', '????'),
	('{"a": 1, "a": 2}', 'a')) v(body, key);
SELECT is(pg_temp.refusal('anna', 'backups_create', format('{"resourceId": "a", "data": {"%1$s": 1, "%1$s": 2}}', repeat('k', 70000))), pg_temp.twice(repeat('k', 64) || '...'), 'a long key is shown in part');
SELECT is((pg_temp.request('anna', 'backups_create', format('{"resourceId": "fine", "data": %s}', data))).status, 201, 'no key twice: ' || data)
  FROM unnest(ARRAY['{"a": {"a": {"a": 1}}, "b": {"a": 1}}', '[{"a": 1}, {"a": 1}]', '{"a": 1, "A": 2, "á": 3, "\u0041\u0301": 4}', '{"a": "a", "b": "a"}']) data;

-- Fields by name and type.
SELECT is(pg_temp.refusal('anna', 'backups_create', format('{%s}', fields)), '400 ' || answer, fields)
  FROM (VALUES
	('', 'resourceId is missing'), ('"data": 1', 'resourceId is missing'), ('"resourceId": null, "data": 1', 'resourceId is missing'),
	('"resourceId": "a"', 'data is missing'), ('"resourceId": "a", "data": null', 'data is missing'),
	('"resourceId": 5, "data": 1', E'resourceId must be of type string\nIt is of type number.'), ('"resourceId": {}, "data": 1', E'resourceId must be of type string\nIt is of type object.'),
	('"resourceId": "", "data": 1', 'resourceId must not be empty'), ('"resourceId": "a\u000ab", "data": 1', E'resourceId contains a control character\nIt is at byte 2.'),
	('"resourceId": "a", "resourceType": 1, "data": 1', E'resourceType must be of type string\nIt is of type number.'), ('"resourceId": "a", "resourceType": "", "data": 1', 'resourceType must not be empty'),
	('"resourceId": "a", "resourceType": "\u007f", "data": 1', E'resourceType contains a control character\nIt is at byte 1.'),
	('"resourceId": "a", "type": true, "data": 1', E'type must be of type string\nIt is of type boolean.'), ('"resourceId": "a", "type": "FULL", "data": 1', E'unknown backup type "FULL"\nUse ''full'', ''incremental'' or ''differential''.'),
	('"resourceId": "a", "type": "", "data": 1', E'unknown backup type ""\nUse ''full'', ''incremental'' or ''differential''.'),
	('"resourceId": "a", "encrypt": "false", "data": 1', E'encrypt must be of type boolean\nIt is of type string.'), ('"resourceId": "a", "encrypt": 0, "data": 1', E'encrypt must be of type boolean\nIt is of type number.'),
	('"resourceId": "a", "compression": [], "data": 1', E'compression must be of type string\nIt is of type array.'), ('"resourceId": "a", "compression": "brotli", "data": 1', E'unknown compression "brotli"\nUse ''gzip'', ''zstd'' or ''none''.'),
	('"resourceId": "a", "metadata": "x", "data": 1', E'metadata must be of type object\nIt is of type string.'), ('"resourceId": "a", "metadata": [], "data": 1', E'metadata must be of type object\nIt is of type array.'),
	('"resourceId": "a", "metadata": {"version": 1.0}, "data": 1', E'metadata.version must be of type string\nIt is of type number.'), ('"resourceId": "a", "metadata": {"version": "\u0007"}, "data": 1', E'metadata.version contains a control character\nIt is at byte 1.'),
	('"resourceId": "a", "metadata": {"source": {}}, "data": 1', E'metadata.source must be of type string\nIt is of type object.'), ('"resourceId": "a", "metadata": {"source": "\u0085"}, "data": 1', E'metadata.source contains a control character\nIt is at byte 1.'),
	('"resourceId": "a", "metadata": {"tags": ["x"]}, "data": 1', E'metadata.tags must be of type object\nIt is of type array.'),
	('"resourceId": "a", "metadata": {"retentionDays": "30"}, "data": 1', E'metadata.retentionDays must be of type number\nIt is of type string.'),
	('"resourceID": "a", "data": 1', E'unknown field "resourceID"\nKnown are resourceId, resourceType, type, data, metadata, encrypt, compression.'),
	('"resourceId": "a", "data": 1, "z": 1, "bogus": 1', E'unknown field "bogus"\nKnown are resourceId, resourceType, type, data, metadata, encrypt, compression.'),
	('"resourceId": "a", "data": 1, "": 1', E'unknown field ""\nKnown are resourceId, resourceType, type, data, metadata, encrypt, compression.'),
	('"resourceId": "a", "data": 1, "é\"\u000a": 1', E'unknown field "??"?"\nKnown are resourceId, resourceType, type, data, metadata, encrypt, compression.'),
	('"resourceId": "a", "data": 1, "retentionDays": 30', E'unknown field "retentionDays"\nKnown are resourceId, resourceType, type, data, metadata, encrypt, compression.'),
	('"resourceId": "a", "data": 1, "metadata.source": "x"', E'unknown field "metadata.source"\nKnown are resourceId, resourceType, type, data, metadata, encrypt, compression.'),
	('"resourceId": "a", "data": 1, "metadata": {"retentiondays": 1}', E'unknown field "metadata.retentiondays"\nKnown are metadata.version, metadata.source, metadata.tags, metadata.retentionDays.')) v(fields, answer);
SELECT is(pg_temp.refusal('anna', 'backups_create', format('{"resourceId": "a", "data": 1, "metadata": {"retentionDays": %s}}', days)),
	format(E'400 metadata.retentionDays must be a whole number from 1 to 36500\nIt is %s.\nLeave it out for a backup that does not expire by itself.', shown), 'retentionDays: ' || days)
  FROM (VALUES ('0', '0'), ('-1', '-1'), ('0.5', '0.5'), ('30.000001', '30.000001'), ('36501', '36501'), ('2147483648', '2147483648'), ('1e50', '1' || repeat('0', 50)), ('1e1000', '1' || repeat('0', 63) || '...'), ('-0.0', '0.0')) v(days, shown);
SELECT is(pg_temp.refusal('anna', 'backups_create', format('{%s, "resourceId": "%s", "data": 1}', field, resource)), format(E'400 %s is too long\nIt has 513 bytes; at most 512 are allowed.', name), name || ' of 513 bytes')
  FROM (VALUES ('"type": "full"', 'x' || repeat('é', 256), 'resourceId'), (format('"resourceType": "%s"', repeat('x', 513)), 'a', 'resourceType'),
			   (format('"metadata": {"version": "%s"}', repeat('x', 513)), 'a', 'metadata.version'), (format('"metadata": {"source": "%s"}', repeat('x', 513)), 'a', 'metadata.source')) v(field, resource, name);
SELECT matches(pg_temp.refusal('anna', 'backups_create', format('{"resourceId": "a", "data": 1, "%s": 1}', repeat('k', 70000))), '^400 unknown field "k{64}\.\.\."\nKnown are ', 'a long field is shown in part');

-- Nothing of all that was made.
SELECT is(count(*), 0::bigint, 'refusals leave nothing') FROM bk_backups WHERE resource_id <> 'fine';

-- What is another's: 403.
SELECT pg_temp.make('bob', '{"resourceId": "bobs", "data": 0}') \g /dev/null
SELECT is(pg_temp.refusal('anna', 'backups_create', '{"resourceId": "bobs", "data": 1}'), E'403 permission denied for resource "bobs"\nThe resource belongs to another role.\nChoose another resource_id, or ask to be made a member of the role that owns this one.', 'a name that is taken: 403');
SELECT * FROM finish();
