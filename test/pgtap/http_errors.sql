-- Which status does an error have?  psql -XAtq -f prints TAP.
\ir http.psql
SELECT plan(64);

-- A function of the API that fails as it is told to, in front of a namesake that does.
CREATE FUNCTION backup_service_http.raises(how text) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
	error json = how::json;
BEGIN
	IF error->>'detail' IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = error->>'code', MESSAGE = 'no';
	END IF;
	RAISE EXCEPTION USING ERRCODE = error->>'code', MESSAGE = error->>'message', DETAIL = error->>'detail', HINT = error->>'hint';
END $$;
CREATE FUNCTION backup_service_api.raises(text) RETURNS json LANGUAGE C STABLE AS '$libdir/backup_service', 'bk_http_call';
GRANT EXECUTE ON FUNCTION backup_service_api.raises TO backup_service_user;
CREATE FUNCTION pg_temp.status_of(code text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', r.status, CASE WHEN r.headers <> '{}' THEN r.headers::text END, CASE WHEN r.body::json->>'code' <> code THEN r.body END)
	  FROM pg_temp.request('anna', 'raises', json_build_object('code', code)::text) r
$$;
SELECT is(pg_temp.status_of(code), answer, code || ': ' || meaning)
  FROM (VALUES
	('22023', '400', 'a bad argument'), ('22P02', '400', 'text that is no value'), ('22003', '400', 'a number out of range'), ('22021', '400', 'bytes that are no text'), ('22030', '400', 'a key twice'), ('22P05', '400', 'a character that does not fit'),
	('22007', '400', 'no time'), ('22008', '400', 'a time out of range'), ('0A000', '400', 'not supported'), ('54001', '400', 'nested too deeply'),
	('42501', '403', 'not yours to write'), ('42704', '404', 'no such thing'), ('25006', '405', 'read only'), ('55006', '409', 'held'), ('55000', '409', 'not in the state for it'), ('23505', '409', 'there already'),
	('54000', '413', 'too large'), ('54023', '413', 'another limit'), ('XX001', '422', 'damaged'), ('XX000', '500', 'a fault of ours'), ('XX002', '500', 'a damaged index'),
	('55P03', '503', 'locked'), ('40001', '503', 'could not be serialised'), ('40P01', '503', 'deadlock'), ('40003', '503', 'unknown how it ended'),
	('53100', '503', 'disk full'), ('53200', '503', 'out of memory'), ('53300', '503', 'too many connections'), ('53400', '503', 'a configured limit'),
	('57014', '503', 'cancelled or timed out'), ('58000', '503', 'no key can be had'), ('58030', '503', 'I/O'), ('58P01', '503', 'a file is missing')) v(code, answer, meaning);

-- What an error says arrives as it was, whatever it is made of; as 404, which leaves in another form, and as 400.
CREATE TEMP TABLE odd (word text);
INSERT INTO odd VALUES ('plain'), ('it''s "quoted" \ / \u0000 \n'), (E'two\r\nlines\tand a bell\x07'), ('{"status": 200}'), ('😀 é 漢'), (repeat('long ', 2000)), ('%s %d %n %'), (E'\x7f\x1b[31m'), ('$1 {} ]');
SELECT is((r.status, r.body::jsonb)::text, (v.status, jsonb_build_object('code', code, 'message', word, 'details', 'd ' || word, 'hint', word || ' h'))::text, code || ': ' || left(to_json(word)::text, 30))
  FROM odd, (VALUES (404, '42704'), (400, '22023')) v(status, code), pg_temp.request('anna', 'raises', json_build_object('code', code, 'message', word, 'detail', 'd ' || word, 'hint', word || ' h')::text) r;
SELECT is(r.body::jsonb, jsonb_build_object('code', code, 'message', 'no', 'details', NULL, 'hint', NULL), code || ': what is not said is null')
  FROM unnest(ARRAY['42704', '22023', 'XX001']) code, pg_temp.request('anna', 'raises', json_build_object('code', code)::text) r;

-- A request that has failed has set no status and no header for the next one of its transaction, and has left nothing.
CREATE FUNCTION backup_service_http.sets(how text) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
	PERFORM backup_service_http.respond(201, '[{"Location": "/x"}]'), bk_create('sets', '1');
	RAISE EXCEPTION USING ERRCODE = how;
END $$;
CREATE FUNCTION backup_service_api.sets(text) RETURNS json LANGUAGE C AS '$libdir/backup_service', 'bk_http_call';
GRANT EXECUTE ON FUNCTION backup_service_api.sets TO backup_service_user;
SELECT is((r.status, r.headers)::text, (v.status, '{}')::text, code || ' after a status was set') FROM (VALUES (404, '42704'), (400, '22023')) v(status, code), pg_temp.request('anna', 'sets', code) r;
SELECT is(count(*), 0::bigint, 'nothing is left of them') FROM bk_backups;
SELECT is(current_setting('response.status', true) || current_setting('response.headers', true), '', 'nor of the answer');

-- The entry calls what has its name and its parameter's type, and only that.
CREATE FUNCTION backup_service_api.nothing(text) RETURNS json LANGUAGE C STABLE AS '$libdir/backup_service', 'bk_http_call';
GRANT EXECUTE ON FUNCTION backup_service_api.nothing TO backup_service_user;
SELECT is((r.status, r.body::json->>'message')::text, '(404,"function backup_service_http.nothing(text) does not exist")', 'a function without a namesake') FROM pg_temp.request('anna', 'nothing', '') r;
CREATE SCHEMA planted;
GRANT USAGE ON SCHEMA planted TO PUBLIC;
CREATE FUNCTION planted.raises(text) RETURNS json LANGUAGE sql AS $$ SELECT '"planted"'::json $$;
CREATE FUNCTION pg_temp.raises(text) RETURNS json LANGUAGE sql AS $$ SELECT '"planted"'::json $$;
SET search_path = planted, pg_temp, public, tap, pg_catalog;
SELECT is(pg_temp.status_of('42704'), '404', 'one of the name elsewhere in the path is none');
SELECT throws_ok('SELECT backup_service_api.raises(NULL)', '22004', NULL, 'a null is handed on');
SET search_path = public, tap, pg_catalog;
SELECT is(pg_temp.refusal('anna', f, NULL::bytea), answer, 'nothing at all: ' || f)
  FROM (VALUES ('backups_get', E'404 there is no backup "<NULL>"\nGET /backups lists those that you can use.'), ('backups_create', '400 resourceId is missing')) v(f, answer);
SELECT is((pg_temp.request('anna', 'backups_list', NULL::bytea)).status, 200, 'nothing at all: backups_list');
SELECT * FROM finish();
