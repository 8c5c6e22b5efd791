-- Does the trail have everything that was done, by whom, in chains that show every tampering?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\set digests :abs_srcdir /sql/audit.psql
\set ECHO none
\i :tools
-- A database of its own: trimming is for all chains, and what other tests do stays out of the picture.  Here is the
-- first key version made for good, before the rotation there.
SELECT FROM bk_create('audit/key', '{}');
SET client_min_messages = error;
DROP DATABASE IF EXISTS regress_bk_audit;
SELECT current_database() AS home \gset
CREATE DATABASE regress_bk_audit TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
\c regress_bk_audit
CREATE EXTENSION backup_service;
\i :tools
SELECT setval('backup_service.backup_backup_id_seq', 1, false) AS hidden \gset
SET test.ids_before = 0;
SET application_name = 'regress';
\i :digests
\set ECHO all
CREATE ROLE regress_bk_a_alice IN ROLE backup_service_user;
CREATE ROLE regress_bk_a_bob IN ROLE backup_service_user;
CREATE ROLE regress_bk_a_team IN ROLE backup_service_user;
CREATE ROLE regress_bk_a_operator IN ROLE backup_service_operator;
CREATE ROLE regress_bk_a_auditor IN ROLE backup_service_auditor;
CREATE ROLE regress_bk_a_nobody;
GRANT regress_bk_a_team TO regress_bk_a_alice;
CREATE FUNCTION trail(chain text, OUT number bigint, OUT action text, OUT outcome text, OUT backup_id bigint, OUT detail jsonb) RETURNS SETOF record LANGUAGE sql AS
$$ SELECT number, action, outcome, backup_id, detail FROM bk_audit WHERE resource_id = chain ORDER BY number, at, backup_id $$;
CREATE FUNCTION who(chain text, OUT number bigint, OUT action text, OUT session_role text, OUT role text, OUT application text, OUT client text) RETURNS SETOF record LANGUAGE sql AS
$$ SELECT number, action, session_role, role, application, client FROM bk_audit WHERE resource_id = chain ORDER BY number, at, backup_id $$;

-- Each action.
SET SESSION AUTHORIZATION regress_bk_a_alice;
SET application_name = 'shop';
SELECT backup_id FROM bk_create('audit/a', '{"a": 1}', tags => '{"n": 1.50}', version => 'v1', source => 's', retention => '1 year');
SELECT backup_id, type FROM bk_create('audit/a', '{"a": 2}', 'incremental');
SELECT backup_id, type FROM bk_create('audit/a', '{"a": 3}', 'incremental');
SELECT backup_id, type FROM bk_create('audit/a', '{"a": 4}', 'differential');
SELECT backup_id, type FROM bk_create('audit/a', '{"a": 5}', 'incremental');
SELECT bk_restore(2);
SELECT bk_restore(2, 'somewhere else', false, 'the night shift');
SELECT bk_restore_at('audit/a', 'infinity');
SELECT bk_read(3);
SELECT octet_length(bk_export(1)) > 0 AS exported;
SELECT bk_diff(1, 3);
SELECT count(*) FROM bk_history('audit/a', 'a');
SELECT count(*) FROM bk_history('audit/a', repeat('long.', 300) || 'path');
SELECT type FROM bk_consolidate(3);
SELECT bk_delete(2, 'restrict');
SELECT bk_delete(4, 'cascade');
SELECT bk_delete(1);
SELECT number, action, outcome, backup_id, CASE WHEN length(detail::text) > 200 THEN to_jsonb(length(detail ->> 'path')) ELSE detail END AS detail FROM trail('audit/a');
-- What is looked at without a document coming back is no event.
SELECT bk_verify(3) ->> 'valid' AS valid, (SELECT count(*) FROM bk_list('audit/a')) AS listed;
SELECT count(*) FROM bk_audit WHERE resource_id = 'audit/a';
RESET SESSION AUTHORIZATION;
SELECT bk_delete(3);
SELECT number, action, backup_id, detail FROM trail('audit/a') WHERE number >= 10;
SELECT * FROM bk_audit_verify();

-- An incremental whose base is deleted is consolidated first, and says why.
SELECT FROM bk_create('audit/c', '{"a": 1}');
SELECT FROM bk_create('audit/c', '{"a": 2}', 'incremental');
SELECT FROM bk_create('audit/c', '{"a": 3}', 'incremental');
SELECT bk_delete(6);
SELECT * FROM trail('audit/c');

-- Keys have a chain of their own.
SELECT max(version) AS first FROM bk_keys \gset
SET client_min_messages = error;
SELECT bk_key_rotate() AS second \gset
RESET client_min_messages;
SELECT bk_rekey();
SELECT bk_rekey();
SELECT bk_key_retire(:first);
SELECT bk_key_copied(:second);
SELECT number, action, outcome, backup_id, detail - 'version' AS detail, (detail ->> 'version')::int - :first + 1 AS version FROM trail('');
SELECT * FROM who('') WHERE number = 1;

-- Who: the role that is acted as, and the one that logged in.
SET SESSION AUTHORIZATION regress_bk_a_alice;
SET ROLE regress_bk_a_team;
SET application_name = E'new\nline \\ "quoted" \u00e9';
SELECT FROM bk_create('audit/who', '{}');
RESET ROLE;
SELECT FROM bk_create('audit/who', '{"a": 1}', 'incremental');
RESET SESSION AUTHORIZATION;
CREATE FUNCTION as_operator(id bigint) RETURNS jsonb LANGUAGE sql SECURITY DEFINER AS $$ SELECT public.bk_read(id) $$;
GRANT CREATE ON SCHEMA public TO regress_bk_a_operator;
ALTER FUNCTION as_operator OWNER TO regress_bk_a_operator;
SET SESSION AUTHORIZATION regress_bk_a_bob;
SET application_name = '';
SELECT as_operator(9);
RESET SESSION AUTHORIZATION;
SELECT number, action, session_role, role, application ~ '^new.*\\ "quoted" ' AS shown, application !~ '\n' AS in_one_line, application = '' AS none, client FROM who('audit/who');
SET application_name = 'regress';

-- Owners: the event says from whom to whom.
SELECT FROM bk_create('audit/owner', '{}');
SELECT bk_owner_set('audit/owner', 'regress_bk_a_alice');
SELECT owner FROM bk_resources WHERE resource_id = 'audit/owner';
SET SESSION AUTHORIZATION regress_bk_a_alice;
CALL pg_temp.attempt($$ SELECT bk_owner_set('audit/owner', 'regress_bk_a_bob') $$);
SELECT bk_owner_set('audit/owner', 'regress_bk_a_team');
SET SESSION AUTHORIZATION regress_bk_a_bob;
CALL pg_temp.attempt($$ SELECT bk_owner_set('audit/owner', 'regress_bk_a_bob') $$);
CALL pg_temp.attempt($$ SELECT bk_owner_set('audit/none', 'regress_bk_a_bob') $$);
SET SESSION AUTHORIZATION regress_bk_a_operator;
SELECT bk_owner_set('audit/owner', 'regress_bk_a_bob');
CALL pg_temp.attempt($$ SELECT bk_owner_set('audit/owner', 'regress_bk_a_missing') $$);
CALL pg_temp.attempt($$ SELECT bk_owner_set(NULL, 'regress_bk_a_bob') $$);
CALL pg_temp.attempt($$ SELECT bk_owner_set('audit/owner', NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_owner_set('', 'regress_bk_a_bob') $$);
SET SESSION AUTHORIZATION regress_bk_a_bob;
SELECT bk_read(11), type FROM bk_create('audit/owner', '{"bobs": 1}', 'incremental');
SET SESSION AUTHORIZATION regress_bk_a_alice;
CALL pg_temp.attempt('SELECT bk_read(11)');
CALL pg_temp.attempt($$ SELECT FROM bk_create('audit/owner', '{}') $$);
SET SESSION AUTHORIZATION regress_bk_a_nobody;
CALL pg_temp.attempt($$ SELECT bk_owner_set('audit/owner', 'regress_bk_a_nobody') $$);
RESET SESSION AUTHORIZATION;
SELECT number, action, role, detail FROM bk_audit WHERE resource_id = 'audit/owner' ORDER BY number;
SELECT * FROM bk_audit_verify();

-- Numbers count from 1 in each chain, and every hash is what docs/format.md says.
SELECT bk_audit_seal() > 0 AS sealed;
SELECT resource_id, count(*), min(number), max(number),
	   bool_and(hash = encode(pg_temp.event_hash(e, previous), 'hex')) AS hashes,
	   bool_and(state_is_right) AS states
  FROM (SELECT e, e.resource_id, e.number, encode(e.hash, 'hex') AS hash,
			   lag(e.hash, 1, decode(repeat('00', 32), 'hex')) OVER (PARTITION BY e.resource_id ORDER BY e.number) AS previous,
			   e.number < max(e.number) FILTER (WHERE e.state IS NOT NULL) OVER (PARTITION BY e.resource_id, e.backup_id)
			   OR coalesce((SELECT pg_temp.state(b) FROM backup_service.backup b WHERE b.resource_id = e.resource_id AND b.backup_id = e.backup_id), '')
				  = coalesce(e.state, '') OR e.state IS NULL AS state_is_right
		  FROM backup_service.audit_event e) s
 GROUP BY 1 ORDER BY 1;
SELECT r.resource_id, r.audit_number = e.number AND r.audit_hash = e.hash AS ends_there
  FROM backup_service.resource r JOIN (SELECT DISTINCT ON (resource_id) * FROM backup_service.audit_event ORDER BY resource_id, number DESC) e USING (resource_id) ORDER BY 1;
SELECT length(hash), count(*) FROM bk_audit GROUP BY 1;
SELECT count(*) AS bytes_in_utf8 FROM bk_create('audit/é €', '{"é": "€"}', tags => '{"é": 1.0, "e": null}'), bk_history('audit/é €', '["é"]');
SELECT bk_audit_seal();
SELECT number, action, detail, (SELECT e.hash = pg_temp.event_hash(e, decode(a.previous, 'hex')) FROM backup_service.audit_event e WHERE e.resource_id = a.resource_id AND e.number = a.number) AS hashed
  FROM (SELECT *, lag(hash, 1, repeat('00', 32)) OVER (ORDER BY number) AS previous FROM bk_audit WHERE resource_id = 'audit/é €') a;

-- Sealing: what was read, in order, at most as many as asked for, each once.
SELECT s.backup_id AS s, t.backup_id AS t FROM bk_create('audit/s', '{"s": 1}') s, bk_create('audit/t', '{"t": 1}') t \gset
SELECT bk_read(:s) FROM generate_series(1, 3);
SELECT bk_read(:t) FROM generate_series(1, 2);
SELECT bk_export(:s) IS NULL AS nothing;
SELECT resource_id, number, action FROM bk_audit WHERE resource_id IN ('audit/s', 'audit/t') ORDER BY resource_id, number, at;
SELECT bk_audit_seal(1);
SELECT bk_audit_seal(2);
SELECT resource_id, number, action, hash IS NULL AS unsealed FROM bk_audit WHERE resource_id IN ('audit/s', 'audit/t') ORDER BY resource_id, number, at;
SELECT bk_audit_seal(2);
SELECT bk_audit_seal();
SELECT bk_audit_seal();
SELECT resource_id, number, action, at >= lag(at) OVER (PARTITION BY resource_id ORDER BY number) AS in_order FROM bk_audit WHERE resource_id IN ('audit/s', 'audit/t') ORDER BY resource_id, number;
SELECT count(*) FROM backup_service.audit_unsealed;
-- more than one batch of one resource
SELECT count(bk_read(:s)) FROM generate_series(1, 1100);
SELECT bk_audit_seal(1050), bk_audit_seal(1050), bk_audit_seal(1050);
SELECT count(*), max(number) FROM bk_audit WHERE resource_id = 'audit/s';
SELECT * FROM bk_audit_verify();
CALL pg_temp.attempt('SELECT bk_audit_seal(0)');
CALL pg_temp.attempt('SELECT bk_audit_seal(-1)');
CALL pg_temp.attempt('SELECT bk_audit_seal(NULL)');
-- a row that was put there for a resource that is none is left alone, and hinders nobody
BEGIN;
INSERT INTO backup_service.audit_unsealed (resource_id, at, action, outcome, session_role, role, application) VALUES ('audit/none', now(), 'read', 'done', 'x', 'x', 'x'), ('', now(), 'read', 'done', 'x', 'x', 'x');
SELECT bk_read(:s);
SELECT bk_audit_seal();
ROLLBACK;

-- nor does a row that says more than a read become a link
BEGIN;
INSERT INTO backup_service.audit_unsealed (resource_id, at, action, outcome, session_role, role, application, detail)
SELECT 'audit/s', now(), action, 'done', 'x', 'x', 'x', '{"to": "regress_bk_a_bob", "checkpoint": "00"}' FROM unnest(ARRAY['owner_set', 'trim', 'create', 'delete', '']) action;
SELECT bk_read(:s);
SELECT bk_audit_seal();
SELECT bk_audit_seal();
SELECT * FROM bk_audit_verify();
ROLLBACK;

-- Who sees what: owners the events of their resources, operators and auditors all, also of keys.
CREATE FUNCTION pg_temp.seen(OUT chains bigint, OUT keys boolean, OUT owner boolean, OUT who boolean, OUT a boolean) LANGUAGE sql AS
$$ SELECT count(DISTINCT resource_id), bool_or(resource_id = ''), bool_or(resource_id = 'audit/owner'), bool_or(resource_id = 'audit/who'), bool_or(resource_id = 'audit/a') FROM bk_audit $$;
CREATE PROCEDURE pg_temp.seen_by(role name) LANGUAGE plpgsql AS $$
DECLARE seen record;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	SELECT * INTO seen FROM pg_temp.seen();
	RESET ROLE;
	RAISE INFO '%: % chains, keys %, owner %, who %, a %', role, seen.chains, seen.keys, seen.owner, seen.who, seen.a;
EXCEPTION WHEN insufficient_privilege THEN
	RAISE INFO '%: %', role, SQLERRM;
END $$;
CALL pg_temp.seen_by('postgres');
CALL pg_temp.seen_by('regress_bk_a_alice');
CALL pg_temp.seen_by('regress_bk_a_bob');
CALL pg_temp.seen_by('regress_bk_a_team');
CALL pg_temp.seen_by('regress_bk_a_operator');
CALL pg_temp.seen_by('regress_bk_a_auditor');
CALL pg_temp.seen_by('regress_bk_a_nobody');
-- an operator's reads are in the trail that the owner sees
SET SESSION AUTHORIZATION regress_bk_a_operator;
SELECT bk_read(11);
SET SESSION AUTHORIZATION regress_bk_a_bob;
SELECT number, action, role FROM bk_audit WHERE resource_id = 'audit/owner' AND role <> 'regress_bk_a_bob' ORDER BY number;
RESET SESSION AUTHORIZATION;
-- a resource whose owner is gone is shown to operators and auditors
BEGIN;
UPDATE backup_service.resource SET owner = 'regress_bk_a_gone' WHERE resource_id = 'audit/owner';
CALL pg_temp.seen_by('regress_bk_a_bob');
CALL pg_temp.seen_by('regress_bk_a_auditor');
ROLLBACK;
-- who may verify, seal and trim
CREATE PROCEDURE pg_temp.attempt_as(role name, statement text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement;
	RESET ROLE;
	RAISE INFO '% may', role;
EXCEPTION WHEN insufficient_privilege THEN
	RAISE INFO '%: % %', role, SQLSTATE, SQLERRM;
END $$;
SELECT format('CALL pg_temp.attempt_as(%L, %L)', role, statement)
  FROM unnest(ARRAY['regress_bk_a_alice', 'regress_bk_a_operator', 'regress_bk_a_auditor', 'regress_bk_a_nobody']) WITH ORDINALITY r(role, i),
	   unnest(ARRAY['SELECT FROM bk_audit_verify()', 'SELECT bk_audit_seal()', 'SELECT bk_audit_trim(''-infinity'')']) WITH ORDINALITY s(statement, j)
 ORDER BY i, j \gexec

-- Nobody but the owner of the tables has any privilege on them, nor on their sequences.
SELECT relname, acl.* FROM pg_class, LATERAL aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, relowner))) acl
 WHERE relnamespace = 'backup_service'::regnamespace AND acl.grantee <> relowner;
CALL pg_temp.attempt_as('regress_bk_a_operator', 'UPDATE backup_service.audit_event SET action = ''read''');
CALL pg_temp.attempt_as('regress_bk_a_operator', 'INSERT INTO backup_service.audit_unsealed (resource_id, at) VALUES (''x'', now())');
CALL pg_temp.attempt_as('regress_bk_a_operator', 'TRUNCATE backup_service.audit_event');
CALL pg_temp.attempt_as('regress_bk_a_auditor', 'SELECT FROM backup_service.audit_event');

-- What is rolled back leaves no event and no gap.
SELECT bk_audit_seal() AS rest;
SELECT count(*) AS before FROM bk_audit \gset
BEGIN;
SELECT FROM bk_create('audit/c', '{"a": 4}', 'incremental');
SELECT bk_read(8);
ROLLBACK;
SELECT count(*) - :before AS more FROM bk_audit;
BEGIN;
SELECT FROM bk_create('audit/c', '{"a": 5}', 'incremental');
SAVEPOINT s;
SELECT FROM bk_create('audit/c', '{"a": 6}', 'incremental');
SELECT bk_read(8);
ROLLBACK TO s;
SELECT FROM bk_create('audit/c', '{"a": 7}', 'incremental');
SELECT bk_audit_seal() AS sealed;
SAVEPOINT t;
SELECT bk_owner_set('audit/c', 'regress_bk_a_bob');
ROLLBACK TO t;
SAVEPOINT u;
SELECT bk_key_copied(:second);
ROLLBACK TO u;
SELECT bk_key_copied(:second);
COMMIT;
SELECT number, action, backup_id FROM bk_audit WHERE resource_id = 'audit/c' ORDER BY number DESC LIMIT 3;
SELECT number, action FROM bk_audit WHERE resource_id = '' ORDER BY number DESC LIMIT 2;
-- a failed call, caught
DO $$ BEGIN PERFORM FROM bk_create('audit/c', '{}', retention => '-1 day'); EXCEPTION WHEN invalid_parameter_value THEN NULL; END $$;
SELECT FROM bk_create('audit/c', '{"a": 8}', 'incremental');
SELECT * FROM bk_audit_verify();

-- A read-only transaction: reads and verification work, and add no row; what writes says so.
SELECT count(*) AS before FROM bk_audit \gset
BEGIN READ ONLY;
SELECT bk_read(8);
SELECT bk_diff(7, 8);
SELECT count(*) FROM bk_history('audit/c', 'a');
SELECT * FROM bk_audit_verify();
SELECT count(*) - :before AS more FROM bk_audit;
CALL pg_temp.attempt('SELECT bk_audit_seal()');
CALL pg_temp.attempt('SELECT bk_audit_trim(now())');
CALL pg_temp.attempt($$ SELECT bk_owner_set('audit/c', 'regress_bk_a_bob') $$);
CALL pg_temp.attempt('SELECT bk_restore(8)');
COMMIT;
SELECT count(*) - :before AS more FROM bk_audit;

-- Tampering, one kind after the other: what is done, then what is found; then it is undone.
CREATE FUNCTION pg_temp.tampered(VARIADIC statements text[]) RETURNS SETOF text LANGUAGE plpgsql AS
$$
DECLARE
	found text[] := '{}';
	statement text;
	rows bigint;
BEGIN
	BEGIN
		FOREACH statement IN ARRAY statements LOOP
			EXECUTE statement;
			GET DIAGNOSTICS rows = ROW_COUNT;
			IF rows = 0 THEN
				found := found || ('changed nothing: ' || statement);
			END IF;
		END LOOP;
		SELECT found || coalesce(array_agg(format('%s: %s', concat_ws(', ', nullif(chain, ''), 'event ' || number, 'backup ' || backup_id), problem)), '{NOTHING FOUND}')
		  INTO found FROM bk_audit_verify();
		RAISE EXCEPTION USING ERRCODE = 'RB000';
	EXCEPTION WHEN SQLSTATE 'RB000' THEN
		NULL;
	END;
	RETURN QUERY SELECT unnest(found);
END
$$;
SELECT setval('backup_service.backup_backup_id_seq', 101, false) AS hidden \gset
SELECT FROM bk_create('audit/x', '{"x": 1}', tags => '{"n": 1.0}', version => 'v', source => 's', retention => '1 year');
SELECT FROM bk_create('audit/x', '{"x": 2}', 'incremental');
SELECT bk_read(101);
SELECT bk_audit_seal();
SELECT bk_owner_set('audit/x', 'regress_bk_a_alice');
SELECT FROM bk_consolidate(102);
SELECT FROM bk_create('audit/x', '{"x": 3}', 'incremental');
SELECT FROM bk_create('audit/y', '{"y": 1}');
SELECT * FROM trail('audit/x');
-- each column of an event, the harmless-looking ones too
SELECT what, pg_temp.tampered(format('UPDATE backup_service.audit_event SET %s WHERE resource_id = ''audit/x'' AND number = 3', what))
  FROM unnest(ARRAY['resource_id = ''audit/y'', number = 2', 'number = 33', 'at = at + interval ''1 microsecond''', 'at = ''infinity''', 'at = ''-infinity''',
	'action = ''export''', 'action = ''''', 'outcome = ''''', 'session_role = ''''', 'role = ''''', 'application = ''''', 'client = ''''',
	'client = ''127.0.0.1''', 'backup_id = 102', 'backup_id = NULL', 'state = ''''', 'state = ''\x00''', 'state = hash', 'detail = ''null''', 'detail = ''{}''',
	'hash = sha256(hash)', 'hash = ''''']) what;
SELECT what, pg_temp.tampered(format('UPDATE backup_service.audit_event SET %s WHERE resource_id = ''audit/x'' AND number = 4', what))
  FROM unnest(ARRAY['detail = NULL', 'detail = detail || ''{"to": "regress_bk_a_bob"}''', 'detail = detail || ''{"x": 1}''', 'detail = ''[]''', 'backup_id = 0', 'action = ''trim''']) what;
SELECT what, pg_temp.tampered(format('UPDATE backup_service.audit_event SET %s WHERE resource_id = ''audit/x'' AND number = 5', what))
  FROM unnest(ARRAY['state = NULL', 'state = ''''', 'state = sha256(state)', 'state = substr(state, 2)']) what;
-- removed: first, middle, end, all
SELECT n, pg_temp.tampered(format('DELETE FROM backup_service.audit_event WHERE resource_id = ''audit/x'' AND number IN (%s)', n)) FROM unnest(ARRAY['1', '3', '6', '5, 6', '1, 2, 3, 4, 5, 6']) n;
-- inserted: at the end with the right hash, before the beginning, far behind; and a chain for nobody
SELECT n, pg_temp.tampered(format($$ INSERT INTO backup_service.audit_event SELECT resource_id, %s, at, action, outcome, session_role, role, application, client, backup_id, NULL, detail, hash FROM backup_service.audit_event WHERE resource_id = 'audit/x' AND number = 3 $$, n))
  FROM unnest(ARRAY['0', '-1', '-9223372036854775808', '7', '8', '9223372036854775807']) n;
SELECT pg_temp.tampered($$ INSERT INTO backup_service.audit_event SELECT 'audit/x', 7, at, action, outcome, session_role, role, application, client, backup_id, NULL, detail, hash FROM backup_service.audit_event WHERE resource_id = 'audit/x' AND number = 3 $$,
	$$ UPDATE backup_service.audit_event e SET hash = pg_temp.event_hash(e, p.hash) FROM backup_service.audit_event p WHERE e.resource_id = 'audit/x' AND e.number = 7 AND p.resource_id = 'audit/x' AND p.number = 6 $$);
SELECT pg_temp.tampered($$ INSERT INTO backup_service.audit_event SELECT 'audit/new', 1, at, action, outcome, session_role, role, application, client, NULL, NULL, detail, hash FROM backup_service.audit_event WHERE resource_id = 'audit/x' AND number = 3 $$,
	$$ UPDATE backup_service.audit_event e SET hash = pg_temp.event_hash(e, decode(repeat('00', 32), 'hex')) WHERE e.resource_id = 'audit/new' $$);
-- two swapped
SELECT pg_temp.tampered($$ UPDATE backup_service.audit_event SET number = -number WHERE resource_id = 'audit/x' AND number IN (3, 4) $$,
	$$ UPDATE backup_service.audit_event SET number = 7 + number WHERE resource_id = 'audit/x' AND number IN (-3, -4) $$);
-- changed, and its own hash computed anew
SELECT n, pg_temp.tampered(format($$ UPDATE backup_service.audit_event SET role = 'regress_bk_a_bob' WHERE resource_id = 'audit/x' AND number = %s $$, n),
	format($$ UPDATE backup_service.audit_event e SET hash = pg_temp.event_hash(e, p.hash) FROM backup_service.audit_event p WHERE e.resource_id = 'audit/x' AND e.number = %s AND p.resource_id = 'audit/x' AND p.number = e.number - 1 $$, n))
  FROM unnest(ARRAY[3, 6]) n;
-- the keys' chain
SELECT what, pg_temp.tampered(format('UPDATE backup_service.audit_event SET %s WHERE resource_id = '''' AND number = 3', what)) FROM unnest(ARRAY['detail = ''{"version": 3}''', 'at = ''infinity''', 'number = 0']) what;
SELECT n, pg_temp.tampered(format('DELETE FROM backup_service.audit_event WHERE resource_id = '''' AND number = %s', n)) FROM unnest(ARRAY['1', '3']) n;
-- the end of the keys' chain is known nowhere else; docs/audit.md says what shows it
SELECT pg_temp.tampered($$ DELETE FROM backup_service.audit_event WHERE resource_id = '' AND number = (SELECT max(number) FROM backup_service.audit_event WHERE resource_id = '') $$);
-- the resource's row: an older one, another end, another owner, none; one more
CREATE TEMP TABLE older AS SELECT * FROM backup_service.resource WHERE resource_id = 'audit/x';
SELECT FROM bk_create('audit/x', '{"x": 4}', 'incremental');
SELECT pg_temp.tampered($$ UPDATE backup_service.resource r SET audit_number = o.audit_number, audit_hash = o.audit_hash FROM older o WHERE o.resource_id = r.resource_id $$);
SELECT what, pg_temp.tampered(format($$ UPDATE backup_service.resource SET %s WHERE resource_id = 'audit/x' $$, what)) FROM unnest(ARRAY['audit_number = audit_number + 1', 'audit_hash = ''''', 'audit_hash = sha256(audit_hash)', 'audit_number = 0', 'audit_number = -1', 'owner = ''regress_bk_a_bob''', 'owner = ''''']) what;
SELECT pg_temp.tampered($$ DELETE FROM backup_service.resource WHERE resource_id = 'audit/x' $$);
SELECT pg_temp.tampered($$ INSERT INTO backup_service.resource (resource_id, resource_type, owner, created_at) VALUES ('audit/new', 'x', 'regress_bk_a_bob', now()) $$);
-- a backup's row: removed, renamed, with another id, added, in two places
SELECT pg_temp.tampered($$ DELETE FROM backup_service.backup WHERE backup_id = 102 $$);
SELECT pg_temp.tampered($$ UPDATE backup_service.backup SET resource_id = 'audit/y' WHERE backup_id = 102 $$);
SELECT pg_temp.tampered($$ UPDATE backup_service.backup SET resource_id = 'audit/nowhere' WHERE backup_id = 102 $$);
SELECT n, pg_temp.tampered(format('UPDATE backup_service.backup SET backup_id = %s WHERE backup_id = 102', n)) FROM unnest(ARRAY['200', '0', '-1', '-9223372036854775808', '9223372036854775807']) n;
CREATE TEMP TABLE kept AS SELECT * FROM backup_service.backup WHERE backup_id = 102;
SELECT n, pg_temp.tampered('UPDATE kept SET backup_id = ' || n, 'INSERT INTO backup_service.backup SELECT * FROM kept') FROM unnest(ARRAY['200', '-9223372036854775808']) n;
SELECT pg_temp.tampered($$ UPDATE kept SET resource_id = 'audit/y' $$, 'INSERT INTO backup_service.backup SELECT * FROM kept', $$ UPDATE kept SET resource_id = 'audit/who' $$, 'INSERT INTO backup_service.backup SELECT * FROM kept',
	$$ DELETE FROM backup_service.backup WHERE backup_id = 102 AND resource_id = 'audit/x' $$);
-- put back from an older copy: before a consolidation, after a deletion
CREATE TEMP TABLE copy AS SELECT * FROM backup_service.backup WHERE backup_id = 103;
SELECT type FROM bk_consolidate(103);
SELECT pg_temp.tampered('DELETE FROM backup_service.backup WHERE backup_id = 103', 'INSERT INTO backup_service.backup SELECT * FROM copy');
BEGIN;
SELECT bk_delete(103);
SELECT pg_temp.tampered('INSERT INTO backup_service.backup SELECT * FROM copy');
ROLLBACK;
-- labels, and the proof of the payload
SELECT what, pg_temp.tampered(format('UPDATE backup_service.backup SET %s WHERE backup_id = 101', what))
  FROM unnest(ARRAY['resource_type = ''''', 'version = NULL', 'version = ''''', 'source = NULL', 'source = version', 'tags = ''{}''', 'tags = ''{"n": 1.00}''', 'completed_at = completed_at + interval ''1 microsecond''',
	'expires_at = NULL', 'expires_at = expires_at + interval ''1 microsecond''', 'expires_at = ''infinity''', 'expires_at = ''-infinity''', 'mac = sha256(mac)', 'mac = ''''']) what;
-- of one that never expires
SELECT what, pg_temp.tampered(format('UPDATE backup_service.backup SET %s WHERE backup_id = 102', what))
  FROM unnest(ARRAY['expires_at = ''1970-01-01 00:00:00+00''', 'expires_at = ''2000-01-01 00:00:00+00''', 'expires_at = ''infinity''', 'expires_at = ''-infinity''',
	'expires_at = timestamptz ''2000-01-01 00:00:00+00'' + interval ''1 microsecond''', 'expires_at = timestamptz ''294247-01-10 04:00:54.775807+00'' - interval ''30 years''', 'version = ''''']) what;
-- the whole resource under another name
SELECT pg_temp.tampered(VARIADIC ARRAY(SELECT format('UPDATE backup_service.%I SET resource_id = ''audit/renamed'' WHERE resource_id = ''audit/x''', t)
	FROM unnest(ARRAY['resource', 'backup', 'chunk', 'snapshot', 'audit_event']) t));
-- versions of the master key: their states are what the events say, and nothing else
CREATE FUNCTION pg_temp.key_tampered(first int, second int, statement text) RETURNS SETOF text LANGUAGE sql AS
$$
	SELECT regexp_replace(regexp_replace(t, 'version ' || first || '\M', 'version FIRST'), 'version ' || second || '\M', 'version SECOND')
	  FROM pg_temp.tampered(replace(replace(statement, 'FIRST', first::text), 'SECOND', second::text)) t
$$;
SELECT what, pg_temp.key_tampered(:first, :second, what)
  FROM unnest(ARRAY['UPDATE backup_service.key SET state = ''previous'' WHERE version = FIRST', 'UPDATE backup_service.key SET state = ''retired'' WHERE version = SECOND',
	'DELETE FROM backup_service.key WHERE version = FIRST', 'UPDATE backup_service.key SET version = 2147483647 WHERE version = FIRST',
	'UPDATE backup_service.audit_event SET detail = ''{"version": 1e100}'' WHERE resource_id = '''' AND number = 1']) what;
-- one chain alone, and the two that are broken
SELECT number, problem FROM bk_audit_verify('audit/x');
BEGIN;
UPDATE backup_service.audit_event SET role = 'x' WHERE resource_id IN ('audit/x', 'audit/y', '') AND number = 1;
SELECT number, problem FROM bk_audit_verify('audit/y');
SELECT chain, number, problem FROM bk_audit_verify('');
SELECT chain, number, backup_id, problem FROM bk_audit_verify();
ROLLBACK;
CALL pg_temp.attempt($$ SELECT bk_audit_verify('audit/none') $$);
SELECT * FROM bk_audit_verify();

-- A chain that was tampered with is not gone on with where that would hide it.
BEGIN;
UPDATE backup_service.resource r SET audit_number = o.audit_number, audit_hash = o.audit_hash FROM older o WHERE o.resource_id = r.resource_id;
CALL pg_temp.attempt($$ SELECT bk_owner_set('audit/x', 'regress_bk_a_bob') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('audit/x', '{"x": 5}') $$);
ROLLBACK;

-- Trimming.
SET SESSION AUTHORIZATION regress_bk_a_operator;
SELECT bk_audit_trim('-infinity');
SELECT bk_audit_trim('2000-01-01');
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM backup_service.audit_checkpoint;
-- in the middle
SELECT at AS middle FROM bk_audit WHERE resource_id = 'audit/x' AND number = 5 \gset
CREATE TEMP TABLE before_trim AS SELECT * FROM backup_service.audit_event;
SET SESSION AUTHORIZATION regress_bk_a_operator;
SELECT bk_audit_trim(:'middle') AS trimmed \gset
SELECT bk_audit_trim(:'middle') AS again;
RESET SESSION AUTHORIZATION;
SELECT :trimmed = (SELECT count(*) FROM before_trim b WHERE NOT EXISTS (SELECT FROM backup_service.audit_event e WHERE e.resource_id = b.resource_id AND e.number = b.number)) AS those_that_are_gone;
SELECT number, action, role, detail - 'checkpoint' AS detail, length(detail ->> 'checkpoint') AS digest FROM bk_audit WHERE resource_id = 'audit/x' ORDER BY number;
SELECT number, owner, octet_length(backups) FROM backup_service.audit_checkpoint WHERE resource_id IN ('audit/x', 'audit/a', 'audit/y') ORDER BY resource_id;
SELECT * FROM bk_audit_verify();
-- what was trimmed, put back
SELECT n, pg_temp.tampered(format('INSERT INTO backup_service.audit_event SELECT * FROM before_trim WHERE resource_id = ''audit/x'' AND number = %s', n)) FROM unnest(ARRAY[1, 4]) n;
-- and it still knows owner and backups
SELECT pg_temp.tampered($$ UPDATE backup_service.resource SET owner = 'regress_bk_a_bob' WHERE resource_id = 'audit/x' $$);
SELECT pg_temp.tampered($$ DELETE FROM backup_service.backup WHERE backup_id = 101 $$);
SELECT pg_temp.tampered($$ UPDATE backup_service.backup SET tags = '{}' WHERE backup_id = 101 $$);
SELECT pg_temp.tampered('UPDATE copy SET backup_id = 101', 'DELETE FROM backup_service.backup WHERE backup_id = 101', 'INSERT INTO backup_service.backup SELECT * FROM copy');
-- the checkpoint itself
SELECT pg_temp.tampered($$ DELETE FROM backup_service.audit_checkpoint WHERE resource_id = 'audit/x' $$);
SELECT what, pg_temp.tampered(format($$ UPDATE backup_service.audit_checkpoint SET %s WHERE resource_id = 'audit/x' $$, what))
  FROM unnest(ARRAY['owner = ''regress_bk_a_bob''', 'number = number - 1', 'number = number + 1', 'hash = sha256(hash)', 'hash = ''''', 'backups = ''''', 'backups = substr(backups, 1, 79)', 'backups = backups || backups', 'resource_id = ''audit/new''']) what;
SELECT pg_temp.tampered($$ INSERT INTO backup_service.audit_checkpoint SELECT 'audit/new', number, hash, owner, backups FROM backup_service.audit_checkpoint WHERE resource_id = 'audit/x' $$);
-- the event that vouches for it
SELECT pg_temp.tampered($$ UPDATE backup_service.audit_event SET detail = detail || '{"until": 3}' WHERE resource_id = 'audit/x' AND action = 'trim' $$);
SELECT pg_temp.tampered($$ DELETE FROM backup_service.audit_event WHERE resource_id = 'audit/x' AND action = 'trim' $$);
-- work goes on, and is trimmed again: all of it, twice
SELECT FROM bk_create('audit/x', '{"x": 6}', 'incremental');
SELECT bk_read(101);
SELECT bk_audit_seal();
SELECT * FROM bk_audit_verify();
SELECT bk_audit_trim('infinity') > 10 AS trimmed;
SELECT number, action FROM bk_audit WHERE resource_id = 'audit/x' ORDER BY number;
SELECT resource_id, count(*), min(action) FROM bk_audit GROUP BY 1 ORDER BY 1;
SELECT bk_audit_trim('infinity') = (SELECT count(DISTINCT resource_id) FROM bk_audit) AS the_trims_themselves;
SELECT number, action, detail ->> 'until' AS until FROM bk_audit WHERE resource_id IN ('', 'audit/x') ORDER BY resource_id, number;
SELECT * FROM bk_audit_verify();
SELECT FROM bk_create('audit/x', '{"x": 7}', 'incremental');
SELECT bk_owner_set('audit/x', 'regress_bk_a_bob');
SELECT bk_delete(101, 'cascade') > 0 AS deleted;
SELECT bk_key_copied(:second);
SELECT number, action, backup_id, detail FROM bk_audit WHERE resource_id = 'audit/x' AND action <> 'trim' ORDER BY number;
SELECT * FROM bk_audit_verify();
SELECT pg_temp.tampered($$ UPDATE backup_service.resource SET owner = 'regress_bk_a_alice' WHERE resource_id = 'audit/x' $$);
SELECT pg_temp.tampered('UPDATE copy SET backup_id = 101', 'INSERT INTO backup_service.backup SELECT * FROM copy');
-- of key versions it says less, but which one is active, once there is one event of that
SET client_min_messages = error;
SELECT pg_temp.key_tampered(:first, :second, 'UPDATE backup_service.key SET state = ''previous'' WHERE version = FIRST');
BEGIN;
SELECT bk_key_rotate() = :second + 1 AS rotated;
SELECT problem FROM bk_audit_verify();
SELECT pg_temp.key_tampered(:first, :second, 'UPDATE backup_service.key SET state = ''active'' WHERE version = SECOND');
ROLLBACK;
RESET client_min_messages;
-- a resource without backups keeps its trail
SELECT bk_delete(backup_id) FROM bk_list('audit/x');
SELECT bk_audit_trim('infinity') > 0 AS trimmed;
SELECT owner, octet_length(backups) FROM backup_service.audit_checkpoint WHERE resource_id = 'audit/x';
SELECT * FROM bk_audit_verify();
-- a chain that does not verify keeps its evidence, and all others theirs
CREATE FUNCTION pg_temp.refused(statement text) RETURNS SETOF text LANGUAGE plpgsql AS
$$
BEGIN
	EXECUTE statement;
	PERFORM bk_audit_trim('infinity');
	RETURN NEXT 'TRIMMED';
EXCEPTION WHEN data_corrupted THEN
	RETURN NEXT SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT FROM bk_create('audit/x', '{"x": 8}');
SELECT FROM bk_create('audit/x', '{"x": 9}', 'incremental');
SELECT statement, pg_temp.refused(statement) FROM unnest(ARRAY[
	$$ UPDATE backup_service.audit_event SET role = 'x' WHERE resource_id = 'audit/x' AND action = 'trim' $$,
	$$ UPDATE backup_service.audit_event SET at = 'infinity', role = 'x' WHERE resource_id = '' $$,
	$$ DELETE FROM backup_service.audit_event WHERE resource_id = 'audit/x' AND number = (SELECT max(number) FROM bk_audit WHERE resource_id = 'audit/x') $$,
	$$ DELETE FROM backup_service.audit_event WHERE resource_id = 'audit/x' AND number = (SELECT max(number) - 1 FROM bk_audit WHERE resource_id = 'audit/x') $$,
	$$ INSERT INTO backup_service.audit_event SELECT * FROM before_trim WHERE resource_id = 'audit/x' AND number = 1 $$,
	$$ UPDATE backup_service.audit_checkpoint SET owner = 'x' WHERE resource_id = 'audit/x' $$,
	$$ DELETE FROM backup_service.audit_checkpoint WHERE resource_id = '' $$,
	$$ UPDATE backup_service.resource SET audit_hash = sha256('x') WHERE resource_id = 'audit/x' $$]) statement;
SELECT * FROM bk_audit_verify();
CALL pg_temp.attempt('SELECT bk_audit_trim(NULL)');

\c :home
SET client_min_messages = error;
DROP DATABASE regress_bk_audit;
SELECT bk_delete(backup_id) FROM bk_list('audit/key');
DROP ROLE regress_bk_a_alice, regress_bk_a_bob, regress_bk_a_team, regress_bk_a_operator, regress_bk_a_auditor, regress_bk_a_nobody;
