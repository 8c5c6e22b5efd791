-- Who may back up, restore, see and delete what?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools
CREATE ROLE regress_bk_team NOLOGIN;
CREATE ROLE regress_bk_alice IN ROLE backup_service_user, regress_bk_team;
CREATE ROLE regress_bk_bob IN ROLE backup_service_user;
CREATE ROLE regress_bk_carol IN ROLE backup_service_user, regress_bk_team;
CREATE ROLE regress_bk_operator IN ROLE backup_service_operator;
CREATE ROLE regress_bk_auditor IN ROLE backup_service_auditor;
CREATE ROLE regress_bk_nobody;
GRANT backup_service_user TO regress_bk_team;
CREATE FUNCTION pg_temp.mine() RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(resource_id, ' ' ORDER BY resource_id COLLATE "C") FROM bk_resources WHERE resource_id LIKE 'rights/%' $$;

-- A resource belongs to the role that first backs it up.
SET ROLE regress_bk_alice;
SELECT backup_id AS alices, created_by FROM bk_create('rights/alice', '{"secret": "alice"}') \gset
SELECT FROM bk_create('rights/alice', '{"secret": "alice", "more": 1}', 'incremental');
SELECT bk_restore(:alices);
SET ROLE regress_bk_bob;
SELECT backup_id AS bobs FROM bk_create('rights/bob', '{"secret": "bob"}') \gset
RESET ROLE;
SELECT resource_id, owner FROM bk_resources WHERE resource_id IN ('rights/alice', 'rights/bob') ORDER BY 1;
SELECT DISTINCT resource_id, created_by FROM bk_backups WHERE resource_id IN ('rights/alice', 'rights/bob') ORDER BY 1;

-- By its id, another's backup is as good as none: the answer is the same as for one that is not there.
SET ROLE regress_bk_bob;
CALL pg_temp.attempt(format('SELECT bk_restore(%s)', :alices));
CALL pg_temp.attempt('SELECT bk_restore(-1)');
CALL pg_temp.attempt(format('SELECT bk_restore(%s, resource_id => ''rights/alice'')', :alices));
CALL pg_temp.attempt(format('SELECT bk_read(%s)', :alices));
CALL pg_temp.attempt(format('SELECT bk_export(%s)', :alices));
CALL pg_temp.attempt(format('SELECT bk_verify(%s)', :alices));
CALL pg_temp.attempt(format('SELECT bk_diff(%s, %s)', :bobs, :alices));
CALL pg_temp.attempt(format('SELECT bk_diff(%s, %s)', :alices, :bobs));
CALL pg_temp.attempt(format('SELECT bk_delete(%s)', :alices));
CALL pg_temp.attempt(format('SELECT bk_delete(%s, ''cascade'')', :alices));
CALL pg_temp.attempt(format('SELECT bk_consolidate(%s)', :alices));
CALL pg_temp.attempt('SELECT bk_restore_at(''rights/alice'', ''infinity'')');
CALL pg_temp.attempt('SELECT bk_restore_at(''rights/none'', ''infinity'')');
CALL pg_temp.attempt('SELECT bk_history(''rights/alice'', ''secret'')');
CALL pg_temp.attempt('SELECT bk_history(''rights/none'', ''secret'')');

-- A name that is taken is told apart: it cannot be written to.
CALL pg_temp.attempt('SELECT FROM bk_create(''rights/alice'', ''{}'')');
CALL pg_temp.attempt('SELECT FROM bk_create(''rights/alice'', ''{}'', ''incremental'')');

-- A label may be anything: nothing is written there.
SELECT bk_restore(:bobs, 'rights/alice');

-- Everybody sees his own.
SELECT pg_temp.mine();
SELECT DISTINCT resource_id FROM bk_backups;
SELECT DISTINCT resource_id FROM bk_snapshots;
SELECT resource_id, target_resource_id, role, created_by FROM bk_operations;
SELECT DISTINCT resource_id FROM bk_list(max_rows => 1000);
SELECT count(*) FROM bk_list('rights/alice');

-- A view's barrier holds: a function of the caller's own is not shown other rows.
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE INFO 'seen: %', $1; RETURN true; END $$;
SELECT resource_id FROM bk_resources WHERE pg_temp.leak(resource_id);
SELECT count(*) FROM bk_backups WHERE pg_temp.leak(resource_id);

-- No privilege on the tables, their schema, the sequences or the view below the views.
CALL pg_temp.attempt('SELECT FROM backup_service.backup');
CALL pg_temp.attempt('SELECT FROM backup_service.visible_resource');
CALL pg_temp.attempt('SELECT nextval(''backup_service.backup_backup_id_seq'')');
CALL pg_temp.attempt('INSERT INTO bk_backups (resource_id) VALUES (''x'')');
CALL pg_temp.attempt('DELETE FROM bk_snapshots');
CALL pg_temp.attempt('UPDATE bk_resources SET owner = current_user');

-- Members of an owning role share what is the role's; the members' own stays theirs.
SET ROLE regress_bk_team;
SELECT backup_id AS teams FROM bk_create('rights/team', '{"of": "the team"}') \gset
SET ROLE regress_bk_carol;
SELECT bk_read(:teams);
SELECT type, created_by FROM bk_create('rights/team', '{"of": "the team", "by": "carol"}', 'incremental');
SELECT pg_temp.mine();
CALL pg_temp.attempt(format('SELECT bk_read(%s)', :alices));
SET ROLE regress_bk_alice;
SELECT count(*) FROM bk_list('rights/team');
SELECT pg_temp.mine();
SET ROLE regress_bk_bob;
CALL pg_temp.attempt(format('SELECT bk_read(%s)', :teams));
-- The team does not have what is a member's.
SET ROLE regress_bk_team;
CALL pg_temp.attempt(format('SELECT bk_read(%s)', :alices));
SELECT pg_temp.mine();

-- Membership without inheritance gives nothing before SET ROLE.
RESET ROLE;
CREATE ROLE regress_bk_dora NOINHERIT IN ROLE regress_bk_team;
GRANT EXECUTE ON FUNCTION bk_read, bk_list TO regress_bk_dora;
GRANT SELECT ON bk_resources TO regress_bk_dora;
SET ROLE regress_bk_dora;
CALL pg_temp.attempt(format('SELECT bk_read(%s)', :teams));
SELECT count(*) FROM bk_list('rights/team');
SELECT pg_temp.mine();
RESET ROLE;
REVOKE ALL ON FUNCTION bk_read, bk_list FROM regress_bk_dora;
REVOKE ALL ON bk_resources FROM regress_bk_dora;
DROP ROLE regress_bk_dora;

-- SECURITY DEFINER: the function's owner is the caller.
CREATE SCHEMA regress_bk AUTHORIZATION regress_bk_alice;
GRANT USAGE ON SCHEMA regress_bk TO PUBLIC;
SET ROLE regress_bk_alice;
CREATE FUNCTION regress_bk.secret(backup_id bigint) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN RETURN bk_restore(backup_id)->'secret'; END $$;
CREATE FUNCTION regress_bk.save(data jsonb) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS
$$ BEGIN RETURN backup_id FROM bk_create('rights/saved for others', data); END $$;
SET ROLE regress_bk_nobody;
SELECT regress_bk.secret(:alices);
SELECT regress_bk.save('{"secret": "of nobody"}') > 0 AS saved;
RESET ROLE;
SELECT owner FROM bk_resources WHERE resource_id = 'rights/saved for others';
SELECT role, created_by FROM bk_operations WHERE resource_id = 'rights/alice' ORDER BY operation_id DESC LIMIT 1;
SET ROLE regress_bk_bob;
CALL pg_temp.attempt(format('SELECT regress_bk.secret(%s)', :bobs));

-- An operator may use everybody's; what he adds stays its owner's.
SET ROLE regress_bk_operator;
SELECT bk_read(:alices), bk_read(:bobs), bk_read(:teams);
SELECT created_by FROM bk_create('rights/bob', '{"secret": "bob", "by": "the operator"}', 'incremental');
SELECT pg_temp.mine();
SELECT count(*) > 4 AS all_listed FROM bk_list();
SET ROLE regress_bk_bob;
SELECT count(*) FROM bk_list('rights/bob');

-- An auditor sees every list, and no document.
SET ROLE regress_bk_auditor;
SELECT pg_temp.mine();
SELECT count(*) FROM bk_list('rights/alice');
SELECT count(*) FROM bk_backups WHERE resource_id = 'rights/alice';
SELECT count(*) FROM bk_snapshots WHERE resource_id = 'rights/alice';
SELECT count(*) FROM bk_operations WHERE resource_id = 'rights/alice';
CALL pg_temp.attempt(format('SELECT bk_read(%s)', :alices));
CALL pg_temp.attempt(format('SELECT bk_restore(%s)', :alices));
CALL pg_temp.attempt('SELECT bk_history(''rights/alice'', ''secret'')');
CALL pg_temp.attempt('SELECT FROM bk_create(''rights/auditor'', ''{}'')');
CALL pg_temp.attempt(format('SELECT bk_delete(%s)', :alices));
RESET ROLE;
GRANT backup_service_user TO regress_bk_auditor;
SET ROLE regress_bk_auditor;
CALL pg_temp.attempt(format('SELECT bk_read(%s)', :alices));
CALL pg_temp.attempt('SELECT FROM bk_create(''rights/alice'', ''{}'')');

-- Whoever is in none of the roles has nothing.
SET ROLE regress_bk_nobody;
CALL pg_temp.attempt('SELECT FROM bk_create(''rights/nobody'', ''{}'')');
CALL pg_temp.attempt('SELECT bk_read(1)');
CALL pg_temp.attempt('SELECT bk_list()');
CALL pg_temp.attempt('SELECT bk_delta(''1'', ''2'')');
CALL pg_temp.attempt('SELECT FROM bk_backups');
CALL pg_temp.attempt('SELECT FROM bk_resources');
CALL pg_temp.attempt('SELECT FROM bk_snapshots');
CALL pg_temp.attempt('SELECT FROM bk_operations');
CALL pg_temp.attempt('SELECT FROM backup_service.resource');
RESET ROLE;

-- An error leaves the caller who he was, with the search path he had.
SET ROLE regress_bk_alice;
SET search_path = public, regress_bk;
CALL pg_temp.attempt('SELECT bk_read(-1)');
SELECT current_user, current_setting('search_path');
DO $$
BEGIN
	PERFORM bk_restore_at('rights/alice', '2000-01-01');
EXCEPTION WHEN undefined_object THEN
	RAISE INFO '% %', current_user, current_setting('search_path');
END
$$;
RESET search_path;

-- Planted operators, functions and tables are not used with the owner's rights: not by functions, nor by views.
CREATE FUNCTION regress_bk.planted(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted, run by %', current_user; END $$;
CREATE FUNCTION regress_bk.planted(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted, run by %', current_user; END $$;
CREATE OPERATOR regress_bk.= (LEFTARG = text, RIGHTARG = text, FUNCTION = regress_bk.planted);
CREATE OPERATOR regress_bk.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = regress_bk.planted);
CREATE OPERATOR regress_bk.< (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = regress_bk.planted);
CREATE OPERATOR regress_bk.> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = regress_bk.planted);
CREATE FUNCTION regress_bk.encode(bytea, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted, run by %', current_user; END $$;
CREATE FUNCTION regress_bk.octet_length(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted, run by %', current_user; END $$;
CREATE FUNCTION regress_bk.unnest(anyarray) RETURNS SETOF anyelement LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted, run by %', current_user; END $$;
CREATE TEMP TABLE resource (resource_id text, owner name);
CREATE TEMP TABLE backup (resource_id text, backup_id bigint);
SET search_path = pg_temp, regress_bk, pg_catalog, public;
SELECT FROM bk_create('rights/alice', '{"planted": 1}');
SELECT backup_id AS last, type FROM bk_create('rights/alice', '{"planted": 1, "x": 2}', 'differential') \gset
SELECT FROM bk_create('rights/alice', (SELECT jsonb_agg(md5(i::text)) FROM generate_series(1, 40000) i), compression => 'none');
SELECT bk_restore(:last), bk_read(:last), bk_verify(:last)->'valid';
SELECT bk_restore_at('rights/alice', 'infinity') IS NOT NULL;
SELECT type, bk_export(backup_id) IS NOT NULL FROM bk_consolidate(:last);
SELECT count(*) FROM bk_list('rights/alice', tags => '{}');
SELECT count(*) FROM bk_history('rights/alice', 'planted');
SELECT count(*) > 0 AS rows FROM bk_backups;
SELECT count(*) > 0 AS rows FROM bk_resources;
SELECT bk_delete(:last);
RESET search_path;
RESET ROLE;

-- An owner that is no role any more: users see nothing of it, operators and superusers do.
CREATE ROLE regress_bk_leaver IN ROLE backup_service_user;
SET ROLE regress_bk_leaver;
SELECT backup_id AS left_behind FROM bk_create('rights/left behind', '{"still": "here"}') \gset
RESET ROLE;
DROP ROLE regress_bk_leaver;
SELECT bk_read(:left_behind);
SET ROLE regress_bk_operator;
SELECT bk_read(:left_behind);
SELECT count(*) FROM bk_list('rights/left behind');
SELECT owner FROM bk_resources WHERE resource_id = 'rights/left behind';
SET ROLE regress_bk_alice;
CALL pg_temp.attempt(format('SELECT bk_read(%s)', :left_behind));
CALL pg_temp.attempt('SELECT FROM bk_create(''rights/left behind'', ''1'')');
SELECT count(*) FROM bk_list('rights/left behind');
RESET ROLE;

SET client_min_messages = warning;
DROP SCHEMA regress_bk CASCADE;
DROP FUNCTION pg_temp.leak;
DROP TABLE pg_temp.resource, pg_temp.backup;
DROP ROLE regress_bk_alice, regress_bk_bob, regress_bk_carol, regress_bk_operator, regress_bk_auditor, regress_bk_nobody, regress_bk_team;
