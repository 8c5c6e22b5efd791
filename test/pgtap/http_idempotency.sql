-- Does a request that is sent again with its Idempotency-Key get its first answer?  psql -XAtq -f prints TAP.
-- (Those that come at once are in test/specs/http_idempotency.spec.)
\ir http.psql
SELECT plan(72);
CREATE FUNCTION pg_temp.create_with(who text, key text, body text, OUT status int, OUT id text, OUT again boolean, OUT body text) LANGUAGE sql AS $$
	SELECT r.status, r.body::json->>'id', r.headers->>'idempotency-replayed' IS NOT DISTINCT FROM 'true', r.body
	  FROM pg_temp.request(who, 'backups_create', create_with.body, jsonb_build_object('idempotency-key', key)) r
$$;
CREATE FUNCTION pg_temp.seen(who text, key text, body text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', status, coalesce(id, create_with.body::json->>'message'), CASE WHEN again THEN 'again' END) FROM pg_temp.create_with(who, key, body)
$$;
CREATE FUNCTION pg_temp.made() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM bk_backups $$;

-- The first answer, to the letter; nothing is made.
SELECT * FROM pg_temp.request('anna', 'backups_create', '{"resourceId": "r", "data": {"pin": "canary-4711"}}', '{"idempotency-key": "k1", "user-agent": "curl"}') \gset first_
SELECT is(:first_status || :'first_headers', format('201{"location": "/backups/%s"}', :'first_body'::json->>'id'), 'the first request: 201');
SELECT * FROM pg_temp.request('anna', 'backups_create', '{"resourceId": "r", "data": {"pin": "canary-4711"}}', '{"user-agent": "other", "idempotency-key": "k1"}') \gset again_
SELECT is(:again_status || :'again_headers', format('201{"location": "/backups/%s", "idempotency-replayed": "true"}', :'first_body'::json->>'id'), 'again: 201, the same place, and that it is the same');
SELECT is(:'again_body'::text, :'first_body', 'the same answer');
SELECT is(pg_temp.made(), 1::bigint, 'one backup');
SELECT is(pg_temp.seen('anna', 'k1', '{"resourceId": "r", "data": {"pin": "canary-4711"}}'), format('201 %s again', :'first_body'::json->>'id'), 'and again');
SELECT is(count(*), 1::bigint, 'and one event in the audit trail') FROM bk_audit WHERE action = 'create';

-- Another body under the key: 422, whether it would be a good one or not.
SELECT is(pg_temp.refusal('anna', 'backups_create', body, '{"idempotency-key": "k1"}'), E'422 the idempotency key was used for another request\nSend a new key with a new request.', 'another body: ' || body)
  FROM unnest(ARRAY['{"resourceId": "r", "data": {"pin": "canary-4712"}}', '{"resourceId":"r","data":{"pin":"canary-4711"}}', '{"resourceId": "r", "data": {"pin": "canary-4711"}} ', '', '{']) body;
SELECT is(pg_temp.made(), 1::bigint, 'nothing is made');

-- Keys are a role's own.
SELECT is(pg_temp.seen('mia', 'k1', '{"resourceId": "r", "data": {"pin": "canary-4711"}}'), format('201 backup-%s', substr(:'first_body'::json->>'id', 8)::int + 1), 'a member of the owner''s has her own keys');
SELECT is(pg_temp.seen('bob', 'k1', '{"resourceId": "r", "data": {"pin": "canary-4711"}}'), '403 permission denied for resource "r"', 'another tenant sees nothing of the answer');
SELECT matches(pg_temp.seen('bob', 'k1', '{"resourceId": "b", "data": 1}'), '^201 backup-\d+$', 'and has the key for himself');
SELECT matches(pg_temp.seen('bob', 'k1', '{"resourceId": "b", "data": 1}'), '^201 backup-\d+ again$', 'as often as he likes');
SELECT is(pg_temp.made(), 3::bigint, 'three backups now');
-- Other keys, and none, are other requests.
SELECT matches(pg_temp.seen('anna', key, '{"resourceId": "r", "data": {"pin": "canary-4711"}}'), '^201 backup-\d+$', 'another key: ' || coalesce(key, 'none')) FROM unnest(ARRAY['k2', 'K1', 'k1.', NULL]) key;
SELECT is(count(*), 6::bigint, 'what has no key is not kept') FROM backup_service.answer;

-- A request that fails leaves nothing, and may be corrected or tried again.
SELECT matches(pg_temp.seen('anna', 'f1', body), '^40[03] ', 'fails: ' || body) FROM unnest(ARRAY['{"resourceId": "f"}', 'x', '{"resourceId": "b", "data": 1}', '{"resourceId": "f"}']) body;
SELECT is(count(*), 0::bigint, 'nothing is kept of them') FROM backup_service.answer WHERE idempotency_key = 'f1';
SELECT matches(pg_temp.seen('anna', 'f1', '{"resourceId": "f", "data": 1}'), '^201 backup-\d+$', 'the key is free');

-- Keys that are none.
SELECT is(pg_temp.refusal('anna', 'backups_create', '{"resourceId": "bad", "data": 1}', jsonb_build_object('idempotency-key', key)), '400 the header Idempotency-Key must be 1 to 255 printable ASCII characters without blanks', 'a bad key: ' || left(to_json(key)::text, 20))
  FROM unnest(ARRAY['', ' ', 'a b', E'a\tb', E'a\r\nb', 'a' || chr(10), 'é', chr(127), repeat('x', 256), '😀']) key;
SELECT is(pg_temp.made(), 8::bigint, 'make nothing');
SELECT matches(pg_temp.seen('anna', key, '{"resourceId": "good", "data": 1}'), '^201 backup-\d+$', 'a good key: ' || left(key, 20)) FROM unnest(ARRAY['x', repeat('y', 255), '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '8e03978e-40d5-43e8-bc93-6894a57f9324']) key;

-- What is kept: no document, and no hash by which one could be guessed.
SELECT is_empty($$ SELECT answer FROM backup_service.answer a WHERE a::text LIKE '%canary%' OR encode(digest || wrapped_key, 'escape') LIKE '%canary%' $$, 'the table holds no document');
CREATE FUNCTION pg_temp.hmac(key bytea, message bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	inner_pad bytea = decode(repeat('36', 64), 'hex');
	outer_pad bytea = decode(repeat('5c', 64), 'hex');
BEGIN
	IF length(key) > 64 THEN
		key := sha256(key);
	END IF;
	FOR i IN 0 .. length(key) - 1 LOOP
		inner_pad := set_byte(inner_pad, i, get_byte(inner_pad, i) # get_byte(key, i));
		outer_pad := set_byte(outer_pad, i, get_byte(outer_pad, i) # get_byte(key, i));
	END LOOP;
	RETURN sha256(outer_pad || sha256(inner_pad || message));
END $$;
SELECT is(encode(pg_temp.hmac('Jefe', 'what do ya want for nothing?'), 'hex'), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843', '(the test knows HMAC-SHA-256: RFC 4231, case 2)');
CREATE TEMP TABLE guess AS SELECT convert_to(body, 'UTF8') AS body FROM unnest(ARRAY['{"resourceId": "r", "data": {"pin": "canary-4711"}}', '{"data": {"pin": "canary-4711"}, "resourceId": "r"}', '{"pin": "canary-4711"}']) body;
SELECT is_empty($$ SELECT FROM backup_service.answer a, guess WHERE digest IN (sha256(body), sha256(sha256(body)))
	OR digest IN (SELECT pg_temp.hmac(key, body) FROM unnest(ARRAY['', convert_to(a.idempotency_key, 'UTF8'), convert_to(a.role, 'UTF8'), wrapped_key, substr(wrapped_key, 1, 32), convert_to(answer, 'UTF8')]::bytea[]) key) $$,
	'the digest is none that the row''s thief could make of a guess');
SELECT is(count(DISTINCT digest), 4::bigint, 'the same body has another digest each time') FROM backup_service.answer WHERE idempotency_key IN ('k1', 'k2', 'K1', 'k1.') AND role = 'regress_http_anna';
SELECT is(count(DISTINCT wrapped_key), count(*), 'and another key') FROM backup_service.answer;

-- Whatever becomes of the backup and of the master key.
SELECT r.status FROM pg_temp.request('anna', 'backups_delete', :'first_body'::json->>'id') r \g /dev/null
SELECT is((pg_temp.request('anna', 'backups_create', '{"resourceId": "r", "data": {"pin": "canary-4711"}}', '{"idempotency-key": "k1"}')).body, :'first_body', 'a backup that was deleted is not made again');
SELECT key_version AS old_version FROM backup_service.answer LIMIT 1 \gset
SELECT bk_key_rotate() \g /dev/null
SELECT is((pg_temp.request('anna', 'backups_create', '{"resourceId": "r", "data": {"pin": "canary-4711"}}', '{"idempotency-key": "k1"}')).body, :'first_body', 'after a rotation');
SELECT bk_rekey() \g /dev/null
SELECT bk_key_retire(:old_version) \g /dev/null
SELECT is((pg_temp.request('anna', 'backups_create', '{"resourceId": "r", "data": {"pin": "canary-4711"}}', '{"idempotency-key": "k1"}')).body, :'first_body', 'after the old key version was retired');
SELECT is(pg_temp.seen('anna', 'k1', '{}'), '422 the idempotency key was used for another request', 'another body is still another');

-- 24 hours.
UPDATE backup_service.answer SET created_at = now() - interval '24 hours' + interval '30 seconds' WHERE idempotency_key = 'k2';
SELECT matches(pg_temp.seen('anna', 'k2', '{"resourceId": "r", "data": {"pin": "canary-4711"}}'), '^201 backup-\d+ again$', 'not quite 24 hours');
UPDATE backup_service.answer SET created_at = now() - interval '24 hours' - interval '1 second' WHERE idempotency_key = 'k2';
SELECT matches(pg_temp.seen('anna', 'k2', '{"resourceId": "r", "data": 2}'), '^201 backup-\d+$', 'after 24 hours the key is new, for any body');
SELECT matches(pg_temp.seen('anna', 'k2', '{"resourceId": "r", "data": 2}'), '^201 backup-\d+ again$', 'and is kept anew');
-- Each request with a key clears away ten old ones, whosever they are; one's own at once, even where others are older.
INSERT INTO backup_service.answer SELECT 'regress_http_mia', 'old-' || n, now() - interval '3 days' - n * interval '1 hour', a.digest, a.wrapped_key, a.key_version, a.answer FROM backup_service.answer a, generate_series(1, 25) n WHERE idempotency_key = 'k1' AND role = 'regress_http_anna';
UPDATE backup_service.answer SET created_at = now() - interval '24 hours' - interval '1 second' WHERE idempotency_key = 'k2';
CREATE FUNCTION pg_temp.old() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM backup_service.answer WHERE created_at < now() - interval '24 hours' $$;
SELECT matches(pg_temp.seen('anna', 'k2', '{"resourceId": "r", "data": 3}'), '^201 backup-\d+$', 'an old key of one''s own is free though older ones are there');
SELECT is(pg_temp.old(), 15::bigint, 'which went before, ten');
SELECT is((pg_temp.request('bob', 'backups_create', '{"resourceId": "b", "data": 1}', '{"idempotency-key": "t1"}')).status || ' ' || pg_temp.old(), '201 5', 'ten more');
SELECT is((pg_temp.request('bob', 'backups_create', '{"resourceId": "b", "data": 1}', '{"idempotency-key": "t1"}')).status || ' ' || pg_temp.old(), '201 0', 'and the rest');
SELECT is((SELECT array_agg(idempotency_key::text ORDER BY idempotency_key) FROM backup_service.answer WHERE role = 'regress_http_bob'), '{k1,t1}', 'what is not old stays');

-- The other requests take no notice of the header.
SELECT is(count(DISTINCT r.body::json#>>'{operation,id}'), 2::bigint, 'two restores are two')
  FROM generate_series(1, 2) n, pg_temp.request('anna', 'restores_create', format('{"backupId": "%s"%s}', (SELECT 'backup-' || max(backup_id) FROM bk_backups WHERE resource_id = 'good'), repeat(' ', n - n)), jsonb_build_object('idempotency-key', 'k' || n - n)) r;

-- A row that somebody has changed is no answer.
SELECT pg_temp.seen('anna', 'spoilt', '{"resourceId": "r", "data": 9}') \g /dev/null
CREATE FUNCTION pg_temp.spoilt(change text, body text = '{"resourceId": "r", "data": 9}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('UPDATE backup_service.answer SET %s WHERE idempotency_key = ''spoilt''', change);
	SELECT concat_ws(' ', r.status, r.body::json->>'code', r.body::json->>'message') INTO result FROM pg_temp.request('anna', 'backups_create', body, '{"idempotency-key": "spoilt"}') r;
	RAISE SQLSTATE 'UNDO0';
EXCEPTION WHEN SQLSTATE 'UNDO0' THEN
	RETURN result;
END $$;
SELECT matches(pg_temp.spoilt(change), answer, change)
  FROM (VALUES ('digest = sha256(''x'')', '^422 22023 the idempotency key was used for another request$'),
			   ('digest = substr(digest, 1, 31)', '^422 XX001 the answer that was kept for an idempotency key is damaged$'),
			   ('wrapped_key = set_byte(wrapped_key, 8, get_byte(wrapped_key, 8) # 1)', '^422 XX001 the answer that was kept for an idempotency key is damaged$'),
			   ('answer = ''{"id": "backup-1"}''', '^422 XX001 the answer that was kept for an idempotency key is damaged$'),
			   ('answer = answer || '' ''', '^422 XX001 the answer that was kept for an idempotency key is damaged$'),
			   ('answer_digest = NULL', '^422 XX001 the answer that was kept for an idempotency key is damaged$'),
			   ('(answer, answer_digest, digest, wrapped_key, key_version) = (SELECT answer, answer_digest, digest, wrapped_key, key_version FROM backup_service.answer WHERE idempotency_key = ''t1'')',
				'^422 XX001 the answer that was kept for an idempotency key is damaged$'),
			   ('wrapped_key = ''''', '^422 XX001 the answer that was kept for an idempotency key is damaged$'),
			   ('key_version = 4711', '^422 XX001 the answer that was kept for an idempotency key is damaged$'),
			   ('key_version = ' || :old_version, '^422 XX001 the answer that was kept for an idempotency key is damaged$')) v(change, answer);
SELECT matches(pg_temp.seen('anna', 'spoilt', '{"resourceId": "r", "data": 9}'), '^201 backup-\d+ again$', 'and as it was it is one');
SELECT * FROM finish();
