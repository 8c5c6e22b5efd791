-- Are backups made, shown, verified, downloaded and deleted over HTTP as the spec says?  psql -XAtq -f prints TAP.
\ir http.psql
SELECT plan(146);
-- Answers are in UTC and ISO 8601 whatever the session likes.
SET TimeZone = 'America/New_York';
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = 'sql_standard';
SET extra_float_digits = 0;

-- GET /
SELECT * FROM pg_temp.request('anna', 'root', '') \gset
SELECT is(:status, 200, 'GET /: 200');
SELECT is(:'body'::jsonb - 'endpoints', jsonb_build_object('service', 'backup_service', 'version', (SELECT extversion FROM pg_extension WHERE extname = 'backup_service')), 'service and version');
SELECT set_eq(format('SELECT * FROM json_array_elements_text(%L)', :'body'::json->'endpoints'),
	ARRAY['GET /', 'GET /health', 'GET /metrics', 'POST /backups', 'GET /backups', 'GET /backups/{id}', 'DELETE /backups/{id}', 'GET /backups/{id}/verify',
	'GET /backups/{id}/download', 'POST /restore', 'POST /restore/point-in-time', 'GET /restore/operations', 'GET /restore/operations/{id}',
	'DELETE /restore/operations/{id}'], 'and endpoints');

-- GET /health: 503 while no worker runs, the truth from bk_health(), details for those who see all resources.
SELECT * FROM pg_temp.request('anna', 'health', '') \gset
SELECT is(:status, 503, 'GET /health: 503 without a worker');
SELECT is(:'body'::json->>'status', 'failing', 'which is failing');
SELECT is((SELECT jsonb_agg(c - 'detail') FROM jsonb_array_elements(:'body'::jsonb->'checks') c),
	(SELECT jsonb_agg(jsonb_build_object('name', name, 'ok', ok, 'critical', critical)) FROM bk_health()), 'the checks are those of bk_health()');
SELECT is((SELECT string_agg(c->>'detail', ' ') FROM json_array_elements(:'body'::json->'checks') c), NULL, 'a tenant sees no details');
SELECT * FROM pg_temp.request('auditor', 'health', '') \gset
SELECT is((SELECT count(c->>'detail') FROM json_array_elements(:'body'::json->'checks') c), (SELECT count(*) FROM bk_health()), 'an auditor does');
SELECT is((SELECT pg_temp.refusal('nobody', f, '') ), '403 permission denied for schema backup_service_api', f || ' is for the three roles') FROM unnest(ARRAY['root', 'health']) f;

-- POST /backups: the spec's example.
SELECT * FROM pg_temp.request('anna', 'backups_create', $${
    "resourceId": "database-1",
    "resourceType": "postgresql",
    "type": "full",
    "data": {
      "tables": {
        "users": [{"id": 1, "name": "Alice"}],
        "products": [{"id": 1, "name": "Widget"}]
      },
      "schemas": ["public"],
      "version": "14.0"
    },
    "metadata": {
      "version": "1.0",
      "source": "automated",
      "tags": {"env": "production", "app": "ecommerce"},
      "retentionDays": 30
    },
    "encrypt": true
  }$$) \gset
SELECT b.backup_id AS id FROM bk_backups b WHERE resource_id = 'database-1' \gset
SELECT is(:status, 201, 'POST /backups: 201');
SELECT is(:'headers'::jsonb, jsonb_build_object('location', '/backups/backup-' || :id), 'with its place');
SELECT is((SELECT array_agg(k ORDER BY n) FROM json_object_keys(:'body') WITH ORDINALITY keys (k, n)
			WHERE k <> ALL ('{baseId,documentSize,compression,keyVersion,metadata,createdBy,verifiedAt}')),
	'{id,resourceId,resourceType,type,status,size,compressedSize,compressionRatio,encrypted,checksum,data,createdAt,completedAt,expiresAt}',
	'the fields are the spec''s, in its order');
SELECT is(:'body'::jsonb, jsonb_build_object('id', 'backup-' || b.backup_id, 'resourceId', 'database-1', 'resourceType', 'postgresql', 'type', 'full',
	'status', 'completed', 'baseId', NULL, 'size', b.size, 'compressedSize', b.stored_size, 'compressionRatio', b.compression_ratio, 'documentSize', b.size,
	'compression', b.compression, 'encrypted', true, 'keyVersion', b.key_version, 'checksum', b.checksum, 'data', '[REDACTED]',
	'metadata', jsonb_build_object('version', '1.0', 'source', 'automated', 'tags', '{"env": "production", "app": "ecommerce"}'::jsonb),
	'createdBy', 'regress_http_anna', 'verifiedAt', NULL)
	|| (SELECT jsonb_object_agg(name, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
		  FROM (VALUES ('createdAt', created_at), ('completedAt', completed_at), ('expiresAt', expires_at)) t(name, at)), 'and their values the backup''s')
  FROM bk_backups b WHERE backup_id = :id;
SELECT matches(:'body'::json->>'checksum', '^sha256:[0-9a-f]{64}$', 'the checksum is a SHA-256');
SELECT matches(:'body'::json->>at, '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$', at || ' is in ISO 8601, UTC') FROM unnest(ARRAY['createdAt', 'completedAt', 'expiresAt']) at;
SELECT is((:'body'::json->>'createdAt')::timestamptz, (SELECT created_at FROM bk_backups WHERE backup_id = :id), 'createdAt is when');
SELECT is(bk_read(:id), '{"tables": {"users": [{"id": 1, "name": "Alice"}], "products": [{"id": 1, "name": "Widget"}]}, "schemas": ["public"], "version": "14.0"}',
	'the document is as it was sent');

-- It expires whole days of 24 hours later, over the clock's change too.
SELECT is((r.body::json->>'expiresAt')::timestamptz - (r.body::json->>'createdAt')::timestamptz, make_interval(secs => days * 86400.0), days || ' days')
  FROM unnest(ARRAY[1, 30, 36, 150, 200, 365, 36500]) days,
	   pg_temp.request('anna', 'backups_create', format('{"resourceId": "kept", "data": 1, "metadata": {"retentionDays": %s}}', days)) r;
SELECT is(r.body::json->>'expiresAt', NULL, 'for ever: ' || sent)
  FROM unnest(ARRAY['{"resourceId": "kept", "data": 1}', '{"resourceId": "kept", "data": 1, "metadata": {"retentionDays": null}}', '{"resourceId": "kept", "data": 1, "metadata": null}']) sent,
	   pg_temp.request('anna', 'backups_create', sent) r;

-- What is left out, and what is null.
SELECT * FROM pg_temp.request('anna', 'backups_create', '{"resourceId": "least", "data": {}}') \gset
SELECT is((:'body'::jsonb)->field, value, field || ' where it is left out')
  FROM (VALUES ('resourceType', '"document"'::jsonb), ('type', '"full"'), ('encrypted', 'true'), ('metadata', '{"version": null, "source": null, "tags": {}}')) f(field, value);
SELECT is(r.status, 201, 'null is as if left out: ' || sent)
  FROM unnest(ARRAY['"type": null', '"resourceType": null', '"encrypt": null', '"compression": null', '"metadata": null', '"metadata": {"tags": null, "source": null, "version": null, "retentionDays": null}']) sent,
	   pg_temp.request('anna', 'backups_create', '{"resourceId": "least", "data": {}, ' || sent || '}') r;
SELECT is(r.status || ' ' || bk_read(substr(r.body::json->>'id', 8)::bigint)::text, '201 ' || data::jsonb::text, 'a document may be ' || left(data, 30))
  FROM unnest(ARRAY['[]', '"text"', '17', '1.50', 'false', '"\u00e9 😀 \u2028 \\ \" \b"', '[null]', '{"": {"": 0}}', '{"__proto__": 1, "constructor": 2}']) data,
	   pg_temp.request('anna', 'backups_create', format('{"resourceId": "least", "data": %s}', data)) r;

-- encrypt and compression.
SELECT is((r.body::json->>'encrypted') || ' ' || (r.body::json->>'compression'), seen, sent)
  FROM (VALUES ('"encrypt": false', 'false gzip'), ('"encrypt": true, "compression": "gzip"', 'true gzip'), ('"compression": "zstd"', 'true zstd'),
			   ('"compression": "none", "encrypt": false', 'false none')) c(sent, seen),
	   pg_temp.request('anna', 'backups_create', format('{"resourceId": "codec", "data": %s, %s}', to_json(repeat('a word ', 300)), sent)) r;
SELECT ok((r.body::json->>'compressionRatio')::int = floor(100 - 100.0 * (r.body::json->>'compressedSize')::int / (r.body::json->>'size')::int)
		  AND (r.body::json->>'compressionRatio')::int BETWEEN 80 AND 99, 'compressionRatio is per cent saved')
  FROM pg_temp.request('anna', 'backups_create', format('{"resourceId": "codec", "data": %s, "encrypt": false}', to_json(repeat('a word ', 300)))) r;

-- Types: the spec's incremental, on what it builds; what has no base is made full and says so.
SELECT pg_temp.make('anna', '{"resourceId": "chain", "data": {"v": 1, "pad": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}, "type": "incremental"}') AS full \gset
SELECT pg_temp.make('anna', '{"resourceId": "chain", "data": {"v": 2, "pad": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}, "type": "incremental"}') AS incremental \gset
SELECT pg_temp.make('anna', '{"resourceId": "chain", "data": {"v": 3, "pad": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}, "type": "differential"}') AS differential \gset
SELECT pg_temp.make('anna', '{"resourceId": "chain", "data": {"v": 4, "pad": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}, "type": "incremental"}') AS last \gset
SELECT is(concat_ws(' ', r.status, r.body::json->>'type', r.body::json->>'baseId'), seen, id || ' has its type and base')
  FROM (VALUES (:'full', '200 full'), (:'incremental', '200 incremental ' || :'full'), (:'differential', '200 differential ' || :'full'), (:'last', '200 incremental ' || :'differential')) v(id, seen),
	   pg_temp.request('anna', 'backups_get', id) r;
SELECT is(r.status || ' ' || (r.body::json->>'type'), '201 full', 'a differential without a base is full')
  FROM pg_temp.request('anna', 'backups_create', '{"resourceId": "first", "data": 1, "type": "differential"}') r;

-- Names that are hard on paths, JSON and headers.
CREATE TEMP TABLE odd (name text);
INSERT INTO odd VALUES ('it''s "quoted"'), ('a/b/../c'), ('😀 é 漢字'), ('%2F%00%'), ('a&b=c+d #e?'), ('\u0000 \n'), ('backup-1;drop table x'), ('{"$ne": null}'), (' '), ('eq.1'), (repeat('ß', 256));
SELECT is(concat_ws(' ', c.status, c.body::json->>'resourceId', g.body::json->>'resourceId', g.body::json->>'resourceType'), concat_ws(' ', '201', name, name, name), 'a resource may be called ' || left(name, 20))
  FROM odd, pg_temp.request('anna', 'backups_create', format('{"resourceId": %1$s, "resourceType": %1$s, "data": 1}', to_json(name))) c,
	   pg_temp.request('anna', 'backups_get', c.body::json->>'id') g;

-- Who sees it: the owner, her members, operators and auditors.
SELECT is((pg_temp.request(who, 'backups_get', :'full')).status, status, who || ' gets ' || status)
  FROM (VALUES ('anna', 200), ('mia', 200), ('bob', 404), ('operator', 200), ('auditor', 200), ('nobody', 403)) v(who, status);
-- What is there for nobody, and what is another's, is told in the same words.
SELECT is((SELECT array_agg(DISTINCT replace(pg_temp.refusal('bob', function, replace(argument, '{id}', id)), id, '{id}')) FROM unnest(ARRAY[:'full', 'backup-999999999']) id),
	ARRAY[E'404 there is no backup "{id}"\nGET /backups lists those that you can use.'], function || ' does not tell theirs from nothing')
  FROM (VALUES ('backups_get', '{id}'), ('backups_delete', '{id}'), ('backups_verify', '{id}'), ('backups_download', '{id}'),
			   ('restores_create', '{"backupId": "{id}"}'), ('restores_create', '{"backupId": "{id}", "async": true, "targetResourceId": "mine"}')) f(function, argument);
SELECT is(count(*), 4::bigint, 'and nothing of it was touched') FROM bk_backups WHERE resource_id = 'chain';

-- Ids that never were: 404, shown as ASCII and no longer than a message should be.
CREATE TEMP TABLE bad_id (id text);
INSERT INTO bad_id VALUES ('backup-1;drop'), ('backup-99999999999999999999'), ('backup-9223372036854775808'), ('backup-9223372036854775807'), ('backup-01'), ('backup-'), (''), (' backup-1'),
	('backup-1 '), ('backup-1' || chr(10)), ('backup-' || repeat('1', 9000)), ('backup--1'), ('backup-0'), ('backup-1e0'), ('Backup-1'), ('restore-1'), ('1'), (chr(1) || chr(127) || chr(133)),
	('backup-😀'), ('backup-١'), ('backup-1%00'), ('..'), ('"'), ('backup-' || substr(:'full', 8) || 'x');
SELECT matches(pg_temp.refusal('anna', 'backups_get', id), '^404 there is no backup "[ -~]{0,68}"\nGET /backups lists those that you can use\.$', 'no backup ' || left(to_json(id)::text, 30)) FROM bad_id;
SELECT is((SELECT array_agg(DISTINCT (pg_temp.request('anna', f, id)).status) FROM bad_id), ARRAY[404], f || ': 404 for all of these') FROM unnest(ARRAY['backups_delete', 'backups_verify', 'backups_download']) f;
SELECT is((SELECT array_agg(DISTINCT (pg_temp.request('anna', 'restores_create', format('{"backupId": %s}', to_json(id)))).status) FROM bad_id), ARRAY[404], 'in a body too');

-- GET /backups/{id}/verify
SELECT * FROM pg_temp.request('anna', 'backups_verify', :'last') \gset
SELECT is(:status, 200, 'GET /backups/{id}/verify: 200');
SELECT is(:'body'::jsonb, '{"valid": true, "errors": [], "warnings": [], "checksumValid": true, "structureValid": true, "dataIntegrity": true}', 'the spec''s validation object');
SELECT isnt((SELECT verified_at FROM bk_backups WHERE 'backup-' || backup_id = :'last'), NULL, 'that was noted');
SELECT matches(r.body::json->>'verifiedAt', '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$', 'and is shown') FROM pg_temp.request('anna', 'backups_get', :'last') r;
SELECT pg_temp.make('anna', '{"resourceId": "soon", "data": 1, "metadata": {"retentionDays": 5}}') AS soon \gset
SELECT is((pg_temp.request('anna', 'backups_verify', :'soon')).body::jsonb->'warnings', '["Backup expires in 5 days"]', 'the spec''s warning');

-- GET /backups/{id}/download: bytes that gunzip reads.
SELECT *, length(bytes) AS length, encode(bytes, 'base64') AS base64 FROM pg_temp.request('anna', 'backups_download', :'last') \gset
SELECT is(:status, 200, 'GET /backups/{id}/download: 200');
SELECT is(:'headers'::jsonb, jsonb_build_object('content-type', 'application/gzip', 'content-disposition', format('attachment; filename="%s.json.gz"', :'last')), 'with its type and name');
SELECT is(:'bytes'::bytea, bk_export(substr(:'last', 8)::bigint), 'the bytes are bk_export()''s');
\setenv DOWNLOAD :base64
\set unpacked `printf %s "$DOWNLOAD" | base64 -d | gunzip`
SELECT is(:'unpacked'::jsonb, bk_read(substr(:'last', 8)::bigint), 'gunzip makes the document of them');

-- Damage: verify says so, download refuses.
UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE 'backup-' || backup_id = :'incremental';
SELECT * FROM pg_temp.request('anna', 'backups_verify', :'incremental') \gset
SELECT is(:status, 200, 'verify of a damaged backup answers');
SELECT is((:'body'::jsonb) - 'errors' - 'warnings', '{"valid": false, "checksumValid": false, "structureValid": false, "dataIntegrity": false}', 'that it is not valid');
SELECT matches(:'body'::jsonb#>>'{errors,0}', 'backup ' || substr(:'incremental', 8), 'and which');
SELECT is((pg_temp.request('anna', 'backups_get', :'incremental')).body::json->>'status', 'corrupt', 'it is corrupt from then on');
SELECT * FROM pg_temp.request('anna', 'backups_download', :'incremental') \gset
SELECT is(:status || ' ' || (:'body'::json->>'code'), '422 XX001', 'download of a damaged backup: 422');
SELECT is(:'bytes'::bytea, ''::bytea, 'and no byte of it');
SELECT is((pg_temp.request('anna', 'backups_download', :'last')).status, 200, 'what does not build on it is sound');

-- In a read-only transaction, as on a standby: what reads answers, what writes is refused.
CREATE FUNCTION pg_temp.read_only(function text, argument text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('transaction_read_only', 'on', true), set_config('role', 'regress_http_anna', true);
	EXECUTE format('SELECT backup_service_api.%I($1%s)', function, CASE WHEN argument LIKE '{%' THEN '::bytea' ELSE '' END) USING argument;
	RAISE EXCEPTION 'answered' USING ERRCODE = 'UNDO0';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.read_only(f, a), CASE WHEN reads THEN 'UNDO0' ELSE '25006' END, f || ' in a read-only transaction')
  FROM (VALUES ('root', '', true), ('health', '', true), ('backups_list', '', true), ('backups_get', :'last', true), ('operations_list', '', true),
			   ('backups_verify', :'last', true), ('backups_download', :'last', true),
			   ('backups_delete', :'last', false), ('backups_create', '{"resourceId": "x", "data": 1}', false), ('restores_create', format('{"backupId": "%s"}', :'last'), false),
			   ('restores_create', format('{"backupId": "%s", "async": true}', :'last'), false),
			   ('restores_create_at', '{"resourceId": "chain", "timestamp": "9999-01-01"}', false),
			   ('restores_create_at', '{"resourceId": "chain", "timestamp": "9999-01-01", "async": true}', false)) c(f, a, reads);

-- DELETE /backups/{id}: dependents live on; held ones stay.
SELECT * FROM pg_temp.request('anna', 'backups_delete', :'differential') \gset
SELECT is(:status || :'headers' || :'body', '204{}', 'DELETE /backups/{id}: 204, no body');
SELECT is(pg_temp.refusal('anna', 'backups_delete', :'differential'), format(E'404 there is no backup "%s"\nGET /backups lists those that you can use.', :'differential'), 'again: 404');
SELECT is((r.body::jsonb->'baseId') || (bk_read(substr(:'last', 8)::bigint)->'v'), '[null, 4]', 'what was built on it is full now, and reads the same') FROM pg_temp.request('anna', 'backups_get', :'last') r;
SELECT bk_hold(substr(:'last', 8)::bigint, 'case 17', 'why') \g /dev/null
SELECT * FROM pg_temp.request('anna', 'backups_delete', :'last') \gset
SELECT is(:status || ' ' || (:'body'::json->>'code'), '409 55006', 'a held backup: 409');
SELECT is((pg_temp.request('mia', 'backups_delete', :'soon')).status, 204, 'a member of the owner''s may delete');

SELECT is((SELECT array_agg(problem) FROM bk_audit_verify()), NULL, 'the audit trail is whole');
SELECT * FROM finish();
