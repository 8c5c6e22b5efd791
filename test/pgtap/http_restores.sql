-- Are restores made, queued, listed and cancelled over HTTP as the spec says, and what becomes of damage?  psql -XAtq -f prints TAP.
\ir http.psql
SELECT plan(117);
SET TimeZone = 'Australia/Lord_Howe';
SET DateStyle = 'SQL, MDY';
SELECT pg_temp.make('anna', '{"resourceId": "db", "type": "full", "data": {"v": 1, "users": [{"id": 1, "name": "Alice"}]}}') AS one \gset
SELECT pg_temp.make('anna', '{"resourceId": "db", "type": "incremental", "data": {"v": 2, "users": [{"id": 1, "name": "Alice"}, {"id": 2, "name": "Bob \u00e9 😀"}], "n": 1.50}}') AS two \gset
SELECT pg_temp.make('anna', '{"resourceId": "db", "type": "full", "data": {"v": 3}}') AS three \gset
SELECT (SELECT created_at FROM bk_backups WHERE 'backup-' || backup_id = :'one') AS at_one, (SELECT created_at FROM bk_backups WHERE 'backup-' || backup_id = :'two') AS at_two,
	   (SELECT created_at FROM bk_backups WHERE 'backup-' || backup_id = :'three') AS at_three \gset
CREATE FUNCTION pg_temp.iso(at timestamptz) RETURNS text LANGUAGE sql AS $$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;
SELECT substr(:'one', 8) AS one_id, substr(:'two', 8) AS two_id, substr(:'three', 8) AS three_id \gset

-- POST /restore: the spec's example.
SELECT * FROM pg_temp.request('anna', 'restores_create', format('{"backupId": "%s", "targetResourceId": "database-1-restored", "createdBy": "admin", "validate": true}', :'two')) \gset
SELECT * FROM bk_operations \gset made_
SELECT is(:status || :'headers', '200{}', 'POST /restore: 200');
SELECT is((SELECT array_agg(k) FROM json_object_keys(:'body') k), '{operation,data}', 'operation and data');
SELECT is((:'body'::jsonb->'operation') - '{createdAt,startedAt,completedAt}'::text[], jsonb_build_object('id', 'restore-' || :made_operation_id, 'resourceId', 'db', 'backupId', :'two',
	'targetResourceId', 'database-1-restored', 'restoredBackupId', NULL, 'type', 'incremental', 'status', 'completed', 'validated', true, 'validationErrors', '[]'::jsonb,
	'progress', 100, 'attempts', 0, 'error', NULL, 'createdBy', 'admin'), 'the operation has the spec''s fields, and what else there is to say');
SELECT is(:'body'::json#>>ARRAY['operation', field], pg_temp.iso(at), field) FROM (VALUES ('createdAt', :'made_created_at'::timestamptz), ('completedAt', :'made_completed_at')) t(field, at);
SELECT is(:'body'::jsonb->'data', bk_read(:two_id), 'data is the document');
SELECT is(:'body'::json->>'data', bk_read(:two_id)::text, 'to the letter');
SELECT is(r.body::jsonb, :'body'::jsonb->'operation', 'GET /restore/operations/{id} shows the same') FROM pg_temp.request('anna', 'operations_get', 'restore-' || :made_operation_id) r;
SELECT is(r.body::jsonb->0, :'body'::jsonb->'operation', 'and so does the list') FROM pg_temp.request('anna', 'operations_list', '') r;
SELECT is(r.body::jsonb->'operation'->field, value, field || ' where it is left out')
  FROM (VALUES ('targetResourceId', 'null'::jsonb), ('createdBy', '"regress_http_anna"'), ('validated', 'true')) f(field, value), pg_temp.request('anna', 'restores_create', format('{"backupId": "%s"}', :'one')) r;
SELECT is((r.body::jsonb->'operation'->'validated') || (r.body::jsonb->'data'->'v'), '[false, 1]', '"validate": false') FROM pg_temp.request('anna', 'restores_create', format('{"backupId": "%s", "validate": false}', :'one')) r;
SELECT is(r.body::json->'operation'->>'createdBy', 'regress_http_mia', 'a member restores, and it is hers') FROM pg_temp.request('mia', 'restores_create', format('{"backupId": "%s", "createdBy": null}', :'one')) r;
SELECT is(count(*), 4::bigint, 'each was recorded') FROM bk_operations;
SELECT is(count(*), 4::bigint, 'and is in the audit trail') FROM bk_audit WHERE action = 'restore' AND outcome = 'done';

-- POST /restore/point-in-time
CREATE FUNCTION pg_temp.at(who text, moment text, more text = '') RETURNS text LANGUAGE sql AS $$
	SELECT coalesce('v' || (r.body::json#>>'{data,v}'), concat_ws(E'\n', r.status || ' ' || (r.body::json->>'message'), r.body::json->>'details', r.body::json->>'hint'))
	  FROM pg_temp.request(who, 'restores_create_at', format('{"resourceId": "db", "timestamp": "%s"%s}', moment, more)) r
$$;
SELECT is(pg_temp.at('anna', moment), seen, 'the state of ' || what)
  FROM (VALUES ('one', pg_temp.iso(:'at_one'), 'v1'), ('just before two', pg_temp.iso(:'at_two'::timestamptz - interval '1 microsecond'), 'v1'), ('two', pg_temp.iso(:'at_two'), 'v2'), ('the future', '9999-12-31T23:59:59Z', 'v3'),
			   ('two, elsewhere', to_char(:'at_two'::timestamptz AT TIME ZONE 'UTC' - interval '8 hours', 'YYYY-MM-DD"T"HH24:MI:SS.US"-08:00"'), 'v2'),
			   ('two, with a comma', to_char(:'at_two'::timestamptz AT TIME ZONE 'UTC' + interval '2 hours', 'YYYY-MM-DD"T"HH24:MI:SS,US"+0200"'), 'v2'),
			   ('two, in UTC where it names no zone', trim('Z' FROM pg_temp.iso(:'at_two')), 'v2'), ('a day that is to come', '9999-12-31', 'v3')) v(what, moment, seen);
SELECT is((r.body::jsonb->'operation') - '{id,createdAt,completedAt}'::text[], '{"resourceId": "db", "targetResourceId": "database-1-pit", "restoredBackupId": null, "type": "incremental", "status": "completed", "validated": true,
	"validationErrors": [], "progress": 100, "attempts": 0, "error": null, "createdBy": "admin", "startedAt": null}'::jsonb || jsonb_build_object('backupId', :'two'), 'the spec''s example')
  FROM pg_temp.request('anna', 'restores_create_at', format('{"resourceId": "db", "timestamp": "%s", "targetResourceId": "database-1-pit", "createdBy": "admin"}', pg_temp.iso(:'at_two'))) r;
-- Before the timeline there is nothing.
SELECT matches(pg_temp.at('anna', moment, more), '^404 resource "db" has no state of .*\nThe time lies before the resource''s timeline\.\nNearest earlier: none; nearest later: backup ' || :one_id || ' ', 'before: ' || moment || more)
  FROM (VALUES ('2000-01-01', ''), ('2000-01-01', ', "nearest": true'), (pg_temp.iso(:'at_one'::timestamptz - interval '1 microsecond'), '')) v(moment, more);
-- At what was deleted: never silently another state.
SELECT r.status FROM pg_temp.request('anna', 'backups_delete', :'two') r \g /dev/null
SELECT matches(pg_temp.at('anna', pg_temp.iso(:'at_two'), more), '^404 resource "db" has no state of .*\nThe backup that held it was deleted, has expired, or has left the timeline\.\nNearest earlier: backup ' || :one_id || ' .*; nearest later: backup ' || :three_id || ' ', 'a tombstone' || more)
  FROM unnest(ARRAY['', ', "nearest": false', ', "nearest": null']) more;
SELECT is(pg_temp.at('anna', pg_temp.iso(:'at_two'), ', "nearest": true'), 'v1', 'where asked for, the nearest earlier one');
SELECT is(count(*), 0::bigint, 'refusals leave no operation') FROM bk_operations WHERE status = 'failed';
-- Another's resource, and none.
SELECT is(replace(pg_temp.refusal('bob', 'restores_create_at', format('{"resourceId": "%s", "timestamp": "%s"}', resource, moment)), resource, 'X'), replace(pg_temp.refusal('bob', 'restores_create_at', format('{"resourceId": "none", "timestamp": "%s"}', moment)), 'none', 'X'),
	'theirs is told like nothing: ' || moment) FROM unnest(ARRAY['db']) resource, unnest(ARRAY['2000-01-01', '9999-01-01', pg_temp.iso(:'at_two')]) moment;
SELECT is(pg_temp.refusal('anna', 'restores_create_at', '{"resourceId": "none", "timestamp": "9999-01-01"}'), E'404 resource "none" does not exist\nSELECT * FROM bk_resources shows the resources that you can use.', 'no such resource: 404');
SELECT is(pg_temp.refusal('anna', 'restores_create_at', format('{"resourceId": "db", "timestamp": %s}', to_json(moment))), format(E'400 timestamp is not a time\nIt is "%s".\nWrite times as ISO 8601, such as 2025-01-01T12:30:00Z.', shown), 'no time: ' || shown)
  FROM (VALUES ('now', 'now'), ('', ''), ('infinity', 'infinity'), ('2025-02-30', '2025-02-30'), ('2025-01-01T25:00:00Z', '2025-01-01T25:00:00Z'), ('2025-01-01T12:30:00Europe/Berlin', '2025-01-01T12:30:00Europe/Berlin'),
			   ('2025-01-01 12:30:00', '2025-01-01 12:30:00'), ('1735734600', '1735734600'), ('01/02/2025', '01/02/2025'), ('2025-01-01T12:30:00+99:00', '2025-01-01T12:30:00+99:00'), (E'2025-01-01\n', '2025-01-01?'),
			   (repeat('9', 5000), repeat('9', 64) || '...'), ('0000-01-01', '0000-01-01')) v(moment, shown);

-- Asynchronous ones: 202, and a row for the worker (none runs here).
SELECT * FROM pg_temp.request('anna', 'restores_create', format('{"backupId": "%s", "targetResourceId": "copy", "createdBy": "night", "async": true}', :'one')) \gset
SELECT * FROM bk_operations ORDER BY operation_id DESC LIMIT 1 \gset made_
SELECT is(:status || :'headers', format('202{"location": "/restore/operations/restore-%s"}', :made_operation_id), '"async": true: 202, and where to look');
SELECT is((:'body'::jsonb->'operation') - 'createdAt', jsonb_build_object('id', 'restore-' || :made_operation_id, 'resourceId', 'db', 'backupId', :'one', 'targetResourceId', 'copy', 'restoredBackupId', NULL, 'type', 'full', 'status', 'queued',
	'validated', false, 'validationErrors', '[]'::jsonb, 'progress', 0, 'attempts', 0, 'error', NULL, 'createdBy', 'night', 'startedAt', NULL, 'completedAt', NULL), 'the operation is queued');
SELECT is((SELECT array_agg(k) FROM json_object_keys(:'body') k), '{operation}', 'and there is no data');
SELECT is(count(*), 0::bigint, 'nothing is restored yet') FROM bk_backups WHERE resource_id = 'copy';
SELECT is(r.status || ' ' || (r.body::json#>>'{operation,backupId}'), '202 ' || :'three', 'a point in time too')
  FROM pg_temp.request('anna', 'restores_create_at', '{"resourceId": "db", "timestamp": "9999-01-01", "targetResourceId": "copy", "async": true}') r;
SELECT is((pg_temp.request('anna', 'restores_create_at', format('{"resourceId": "db", "timestamp": "%s", "async": true}', pg_temp.iso(:'at_two')))).status, 404, 'not of a state that is gone');
SELECT is(r.status || ' ' || (r.body::json#>>'{operation,targetResourceId}'), '202 db', 'without a target: a revert of the resource itself') FROM pg_temp.request('anna', 'restores_create', format('{"backupId": "%s", "async": true}', :'one')) r;
SELECT pg_temp.make('bob', '{"resourceId": "bobs", "data": 0}') AS bobs \gset
SELECT is((r.status, r.body::json->>'code')::text, '(403,42501)', 'not onto what is another''s') FROM pg_temp.request('anna', 'restores_create', format('{"backupId": "%s", "targetResourceId": "bobs", "async": true}', :'one')) r;

-- DELETE /restore/operations/{id}
SELECT 'restore-' || :made_operation_id AS queued \gset
SELECT is(pg_temp.refusal('bob', function, :'queued'), format(E'404 there is no operation "%s"\nGET /restore/operations lists those that you can use.', :'queued'), 'bob: ' || function) FROM unnest(ARRAY['operations_get', 'operations_cancel']) function;
SELECT is((pg_temp.request('auditor', 'operations_cancel', :'queued')).status, 403, 'an auditor cancels nothing');
SELECT is(r.status || r.headers::text || r.body, '204{}', 'cancel: 204, no body') FROM pg_temp.request('anna', 'operations_cancel', :'queued') r;
SELECT is((r.body::json->>'status') || (r.body::json->>'completedAt' IS NOT NULL), 'cancelledtrue', 'it is cancelled') FROM pg_temp.request('anna', 'operations_get', :'queued') r;
SELECT is((r.status, r.body::json->>'code')::text, '(409,55000)', 'again: 409') FROM pg_temp.request('anna', 'operations_cancel', :'queued') r;
SELECT is((r.status, r.body::json->>'code')::text, '(409,55000)', 'one that is completed: 409') FROM pg_temp.request('anna', 'operations_cancel', 'restore-1') r;
SELECT is(pg_temp.refusal('anna', function, id), format(E'404 there is no operation "%s"\nGET /restore/operations lists those that you can use.', shown), function || ': ' || shown)
  FROM (VALUES ('restore-01', 'restore-01'), ('restore-99999999999999999999', 'restore-99999999999999999999'), ('backup-1', 'backup-1'), ('restore-1;drop', 'restore-1;drop'), (E'restore-1\r\n', 'restore-1??'), (repeat('é', 5000), repeat('?', 64) || '...')) v(id, shown),
	   unnest(ARRAY['operations_get', 'operations_cancel']) function;

-- Damage: the answer is 422, and the operation is there for whoever looks afterwards.
SELECT pg_temp.make('anna', '{"resourceId": "spoilt", "data": {"v": 1}, "compression": "none"}') AS spoilt \gset
UPDATE backup_service.chunk SET data = set_byte(data, 3, get_byte(data, 3) # 16) WHERE 'backup-' || backup_id = :'spoilt';
SELECT count(*) AS operations FROM bk_operations \gset
SELECT * FROM pg_temp.request('anna', 'restores_create', format('{"backupId": "%s", "targetResourceId": "elsewhere", "createdBy": "me"}', :'spoilt')) \gset
SELECT * FROM bk_operations ORDER BY operation_id DESC LIMIT 1 \gset made_
SELECT is(:status || :'headers', '422{}', 'a restore of a damaged backup: 422');
SELECT is(:'body'::jsonb - '{operation,details}'::text[], jsonb_build_object('code', 'XX001', 'message', :'spoilt' || ' has failed its validation', 'hint', format('GET /backups/%s/verify says more.', :'spoilt'), 'data', NULL), 'in the form of an error, without data');
SELECT matches(:'body'::json->>'details', substr(:'spoilt', 8), 'that says what is wrong');
SELECT is((:'body'::jsonb->'operation') - '{createdAt,completedAt,validationErrors,error}'::text[], jsonb_build_object('id', 'restore-' || :made_operation_id, 'resourceId', 'spoilt', 'backupId', :'spoilt', 'targetResourceId', 'elsewhere',
	'restoredBackupId', NULL, 'type', 'full', 'status', 'failed', 'validated', false, 'progress', 0, 'attempts', 0, 'createdBy', 'me', 'startedAt', NULL), 'the operation has failed');
SELECT is(:'body'::jsonb#>'{operation,validationErrors}', jsonb_build_array(:'body'::jsonb->'details'), 'for this reason');
SELECT is(:'body'::json#>>'{operation,error}', :'body'::json->>'details', 'which is its error');
SELECT is(count(*), :operations + 1::bigint, 'it is recorded') FROM bk_operations;
SELECT is(r.body::jsonb, :'body'::jsonb->'operation', 'and is there for the next request') FROM pg_temp.request('anna', 'operations_get', 'restore-' || :made_operation_id) r;
SELECT is(jsonb_array_length(r.body::jsonb), 1, 'also under status=failed') FROM pg_temp.request('anna', 'operations_list', 'status=failed') r;
SELECT is(count(*), 1::bigint, 'the audit trail has the failure') FROM bk_audit WHERE action = 'restore' AND outcome <> 'done' AND 'backup-' || backup_id = :'spoilt' AND (detail->>'operation_id')::bigint = :made_operation_id;
SELECT is((r.status, r.body::json#>>'{operation,status}')::text, '(422,failed)', 'a point in time: the same') FROM pg_temp.request('anna', 'restores_create_at', '{"resourceId": "spoilt", "timestamp": "9999-01-01", "validate": false}') r;
SELECT is((r.status, r.body::json#>>'{operation,status}')::text, '(202,queued)', 'asked for asynchronously, it is found out later') FROM pg_temp.request('anna', 'restores_create', format('{"backupId": "%s", "async": true}', :'spoilt')) r;
-- A point that was moved behind the catalog's back has no operation, for it has no backup: an error.
SELECT pg_temp.make('anna', '{"resourceId": "moved", "data": 1}') AS moved \gset
UPDATE backup_service.snapshot SET created_at = created_at - interval '1 hour' WHERE resource_id = 'moved';
SELECT is((r.status, r.body::json->>'code', r.body::json->'operation')::text, '(422,XX001,)', 'a damaged timeline: 422') FROM pg_temp.request('anna', 'restores_create_at', '{"resourceId": "moved", "timestamp": "9999-01-01"}') r;

-- Bodies: every field is asked for by name, and by type.
SELECT is(pg_temp.refusal('anna', f, body), answer, f || ' ' || body)
  FROM (VALUES
	('restores_create', '{}', '400 backupId is missing'),
	('restores_create', '{"backupId": null}', '400 backupId is missing'),
	('restores_create', '{"backupId": 1}', E'400 backupId must be of type string\nIt is of type number.'),
	('restores_create', '{"backupId": "backup-1", "targetResourceId": 1}', E'400 targetResourceId must be of type string\nIt is of type number.'),
	('restores_create', '{"backupId": "backup-1", "targetResourceId": ""}', '400 targetResourceId must not be empty'),
	('restores_create', '{"backupId": "backup-1", "createdBy": []}', E'400 createdBy must be of type string\nIt is of type array.'),
	('restores_create', '{"backupId": "backup-1", "createdBy": "\u0001"}', E'400 createdBy contains a control character\nIt is at byte 1.'),
	('restores_create', '{"backupId": "backup-1", "validate": "no"}', E'400 validate must be of type boolean\nIt is of type string.'),
	('restores_create', '{"backupId": "backup-999999", "async": 1}', E'400 async must be of type boolean\nIt is of type number.'),
	('restores_create', '{"backupId": "backup-1", "async": 1}', E'400 async must be of type boolean\nIt is of type number.'),
	('restores_create', '{"backupId": "backup-1", "nearest": true}', E'400 unknown field "nearest"\nKnown are backupId, targetResourceId, createdBy, validate, async.'),
	('restores_create', '{"backupId": "backup-1", "backupid": "backup-2"}', E'400 unknown field "backupid"\nKnown are backupId, targetResourceId, createdBy, validate, async.'),
	('restores_create', '{"backupId": "backup-1", "backupId": "backup-2"}', E'400 the body has a key twice in one object\nThe key is "backupId".\nSend each key once; only one of the values could be kept.'),
	('restores_create', '', E'400 the request has no body\nSend a JSON object.'),
	('restores_create', '"backup-1"', '400 the body must be a JSON object'),
	('restores_create_at', '{"timestamp": "9999-01-01"}', '400 resourceId is missing'),
	('restores_create_at', '{"resourceId": "db"}', '400 timestamp is missing'),
	('restores_create_at', '{"resourceId": true, "timestamp": "9999-01-01"}', E'400 resourceId must be of type string\nIt is of type boolean.'),
	('restores_create_at', '{"resourceId": "db", "timestamp": 1735734600}', E'400 timestamp must be of type string\nIt is of type number.'),
	('restores_create_at', '{"resourceId": "db", "timestamp": "9999-01-01", "nearest": 1}', E'400 nearest must be of type boolean\nIt is of type number.'),
	('restores_create_at', '{"resourceId": "db", "timestamp": "9999-01-01", "backupId": "backup-1"}', E'400 unknown field "backupId"\nKnown are resourceId, timestamp, targetResourceId, createdBy, validate, nearest, async.'),
	('restores_create_at', '{"resourceId": "db", "timestamp": "9999-01-01", "validate": {}}', E'400 validate must be of type boolean\nIt is of type object.'),
	('restores_create_at', '{"resourceId": "db", "timestamp": "9999-01-01", "targetResourceId": "a\u0085b"}', E'400 targetResourceId contains a control character\nIt is at byte 2.')) v(f, body, answer);

-- With a worker the service is well, and what was queued is done.
SELECT bk_worker_start() AS worker \gset
CREATE PROCEDURE pg_temp.wait_until_done() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 300 LOOP
		EXIT WHEN NOT EXISTS (SELECT FROM bk_operations WHERE status IN ('queued', 'running')) AND (SELECT ok FROM bk_health() WHERE name = 'worker');
		COMMIT;
		PERFORM pg_sleep(0.1);
	END LOOP;
END $$;
CALL pg_temp.wait_until_done();
SELECT bk_key_copied(version) FROM bk_keys \g /dev/null
-- It notes what it finds where nobody is at the resource; the worker may be, to seal its events.
CREATE PROCEDURE pg_temp.verify_until_noted(id text) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 300 LOOP
		PERFORM pg_temp.request('anna', 'backups_verify', id);
		COMMIT;
		EXIT WHEN EXISTS (SELECT FROM bk_backups WHERE status = 'corrupt');
		PERFORM pg_sleep(0.1);
	END LOOP;
END $$;
CALL pg_temp.verify_until_noted(:'spoilt');
SELECT is((pg_temp.request('anna', 'health', '')).status, 200, 'GET /health: 200 while a worker runs');
SELECT is((r.body::json->>'status') || (SELECT string_agg(c->>'name', ' ') FROM json_array_elements(r.body::json->'checks') c WHERE c->>'ok' = 'false'), 'degradedcorrupt_backups', 'and says what is not as it should be') FROM pg_temp.request('anna', 'health', '') r;
SELECT is((SELECT string_agg(concat_ws(' ', o->>'status', o->>'targetResourceId', o->>'progress'), ', ' ORDER BY o->>'targetResourceId', o->>'id') FROM json_array_elements(r.body::json) o WHERE o->>'startedAt' IS NOT NULL),
	'completed copy 100, completed db 100, failed spoilt 0', 'what was queued has ended') FROM pg_temp.request('anna', 'operations_list', '') r;
SELECT is(g.body::json->>'resourceId' || (g.body::json#>>'{metadata,source}'), 'copyrestore', 'an operation leads to the backup that it made')
  FROM json_array_elements((pg_temp.request('anna', 'operations_list', 'targetResourceId=copy&status=completed')).body::json) o, pg_temp.request('anna', 'backups_get', o->>'restoredBackupId') g;
SELECT pg_terminate_backend(:worker, 60000) \g /dev/null
SELECT * FROM finish();
