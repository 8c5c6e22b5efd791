-- Who gets what of each function and view?  Every cell is a real call, with rows of four tenants: of an owner, of a member of
-- the owning role, of another tenant, and of a role that was dropped.  psql -XAtq -f prints TAP; with -v markdown=1 the matrix,
-- as seen (make rights).
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
BEGIN;
\if :{?markdown} \else
CREATE SCHEMA IF NOT EXISTS tap;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA tap;
\endif
CREATE EXTENSION IF NOT EXISTS backup_service;
SET search_path = public, tap, pg_catalog;
\ir rights_tenants.psql

-- Ends the worker that a cell has started, so that the next one can.
CREATE FUNCTION rights_test.end_process(pid int) RETURNS boolean LANGUAGE sql SECURITY DEFINER AS $$
	SELECT pg_catalog.pg_terminate_backend(pid, 60000)
$$;

-- The matrix, a line each: what is called; an expression of its result r; what that gives to whom it is allowed (several
-- rows in order of their text, with " | " between); then what owner, member, other tenant, operator, auditor, nobody and
-- superuser get.  {values} are those of the tenant whose turn it is, {own values} those of the caller's own tenant.
--   all        the answer, for every tenant's
--   own/42704  the answer for the own tenants'; for others' the error of what does not exist, word for word
--   own/404    the same, as the HTTP surface says it
--   own/42501  the answer for the own tenants'; for others' "permission denied for resource"
--   own/none   the answer for the own tenants'; for others' no rows
--   yes        the answer, of a call that names no tenant's; it may be the beginning of an error, with its SQLSTATE
--   denied     permission denied for the function, view or schema
CREATE TEMP TABLE matrix (
	line int GENERATED ALWAYS AS IDENTITY, name text GENERATED ALWAYS AS (split_part(call, '(', 1)) STORED,
	call text, shows text, answer text, rows_of text, cells text);
INSERT INTO matrix (call, shows, answer, cells) VALUES
($$bk_create('{resource}', '{"of": "{tenant}", "v": 4}', 'incremental')$$, $$r.type || ' by ' || r.created_by$$, 'incremental by {caller}', 'own/42501 own/42501 own/42501 all denied denied all'),
($$bk_create('rights/new', '1')$$, $$r.type || ' by ' || r.created_by$$, 'full by {caller}', 'yes yes yes yes denied denied yes'),
($$bk_restore({full})$$, 'r', '{"v": 1, "of": "{tenant}"}', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_restore({incremental}, resource_id => '{resource}')$$, 'r', '{"v": 2, "of": "{tenant}"}', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_restore_at('{resource}', 'infinity', nearest => true)$$, 'r', '{"v": 2, "of": "{tenant}"}', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_read({full})$$, 'r', '{"v": 1, "of": "{tenant}"}', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_read({incremental}, '{resource}')$$, 'r', '{"v": 2, "of": "{tenant}"}', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_list('{resource}')$$, 'r.type', 'full | incremental', 'own/none own/none own/none all all denied all'),
($$bk_list(tags => '{"of": "{tenant}"}')$$, 'r.type', 'full | incremental', 'own/none own/none own/none all all denied all'),
($$bk_delta('1', '2')$$, $$r->'changes'->0->>'newValue'$$, '2', 'yes yes yes yes yes denied yes'),
($$bk_apply('{"a": 1}', '{"additions": [{"key": "b", "value": 2}]}')$$, 'r', '{"a": 1, "b": 2}', 'yes yes yes yes yes denied yes'),
($$bk_diff({full}, {incremental})$$, $$r->'changes'->0->>'newValue'$$, '2', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_diff({own full}, {full})$$, $$bk_apply('{"v": 1, "of": "{own tenant}"}', r)$$, '{"v": 1, "of": "{tenant}"}', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_diff({full}, {own full})$$, $$bk_apply('{"v": 1, "of": "{tenant}"}', r)$$, '{"v": 1, "of": "{own tenant}"}', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_history('{resource}', 'v')$$, 'r.value', '1 | 2', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_verify({incremental})$$, $$r->>'valid'$$, 'true', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_delete({full})$$, 'r', '1', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_delete({full}, 'cascade')$$, 'r', '2', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_delete({incremental}, 'restrict', '{resource}')$$, 'r', '1', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_consolidate({incremental})$$, $$r.type || ' ' || r.resource_id$$, 'full {resource}', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_export({full})$$, $$encode(substr(r, 1, 2) || substr(r, length(r) - 7), 'hex')$$, '1f8b{gzip trailer}', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_archive('{resource}')$$, $$encode(substr(r, 1, 8), 'hex')$$, '89424b410d0a1a0a', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_archive_import(decode('{archive}', 'hex'), 'rights/new')$$, 'r', '2', 'own/42501 own/42501 own/42501 all denied denied all'),
($$bk_key_rotate()$$, 'r', '{next version}', 'denied denied denied yes denied denied yes'),
($$bk_rekey(1000000)$$, 'r', '{to rekey}', 'denied denied denied yes denied denied yes'),
($$bk_key_retire({unused version})$$, 'count(*)', '1', 'denied denied denied yes denied denied yes'),
($$bk_key_copied({active version})$$, 'count(*)', '1', 'denied denied denied yes denied denied yes'),
($$bk_verify_keys()$$, 'count(*) FILTER (WHERE r.available)', '{versions}', 'denied denied denied yes denied denied yes'),
($$bk_owner_set('{resource}', '{caller}')$$, 'count(*)', '1', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_audit_verify()$$, 'count(*)', '0', 'denied denied denied yes yes denied yes'),
($$bk_audit_verify('{resource}')$$, 'count(*)', '0', 'denied denied denied all all denied all'),
($$bk_health()$$, 'count(*) FILTER (WHERE r.name = ''keys'' AND r.ok)', '1', 'denied denied denied yes yes denied yes'),
($$bk_metrics()$$, $$r ~ '\nbackups_stored {stored}\n'$$, 'true', 'denied denied denied yes yes denied yes'),
($$backup_service.metric('name', 'gauge', 'help', '')$$, 'count(*)', '1', 'denied denied denied denied denied denied yes'),
($$backup_service.metric_gauge('name', 'help', 1)$$, 'count(*)', '1', 'denied denied denied denied denied denied yes'),
($$backup_service.metric_histogram('name', '', '{1}', '{1,1}', 1)$$, 'count(*)', '1', 'denied denied denied denied denied denied yes'),
($$backup_service.metric_seconds()$$, 'cardinality(r)', '15', 'denied denied denied denied denied denied yes'),
($$backup_service.metrics_made()$$, 'count(*)', '1', 'denied denied denied denied denied denied yes'),
($$backup_service.metrics_restored()$$, 'count(*)', '1', 'denied denied denied denied denied denied yes'),
($$backup_service.metrics_queue(now())$$, 'count(*)', '1', 'denied denied denied denied denied denied yes'),
($$backup_service.metrics_stored(now())$$, 'count(*)', '1', 'denied denied denied denied denied denied yes'),
($$backup_service.metrics_last_good(now())$$, 'count(*)', '1', 'denied denied denied denied denied denied yes'),
($$backup_service.metrics_archived(now())$$, 'count(*)', '1', 'denied denied denied denied denied denied yes'),
($$bk_policy_set('rights policy', keep_last => 1)$$, 'count(*)', '1', 'denied denied denied yes denied denied yes'),
($$bk_policy_drop('rights spare')$$, 'count(*)', '1', 'denied denied denied yes denied denied yes'),
($$bk_policy_assign('{resource}', 'gfs')$$, 'count(*)', '1', 'denied denied denied all denied denied all'),
($$bk_policy_assign(NULL, 'gfs', 'document')$$, 'count(*)', '1', 'denied denied denied yes denied denied yes'),
($$bk_prune('{resource}')$$, 'r.action', 'keep | keep', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_prune('{resource}', dry_run => true)$$, 'r.action', 'keep | keep', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_retention_explain('{resource}')$$, 'r.rules', '{no_policy,newest} | {no_policy}', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_policy_simulate('{resource}', keep_last => 3)$$, 'r.rules', '{keep_last,newest} | {keep_last}', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_resource_drop('{resource}')$$, 'r', '2', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_audit_seal()$$, 'r', '0', 'denied denied denied yes denied denied yes'),
($$bk_audit_trim('infinity')$$, 'r', '{events}', 'denied denied denied yes denied denied yes'),
($$bk_distribute()$$, 'count(*)', '0A000 the tables cannot be distributed without Citus', 'denied denied denied yes denied denied yes'),
($$backup_service.distribute('backup_service.answer', 'reference', 1)$$, 'count(*)', '42P01 relation "pg_catalog.pg_dist_partition" does not exist', 'denied denied denied denied denied denied yes'),
($$backup_service.spread_ids('backup_service.backup', 'backup_id')$$, 'count(*)', '42P01 relation "pg_catalog.pg_dist_node" does not exist', 'denied denied denied denied denied denied yes'),
($$bk_worker_start()$$, 'rights_test.end_process(r)', 'true', 'denied denied denied yes denied denied yes'),
($$bk_hold({full}, 'new', 'why')$$, 'count(*)', '1', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_release({incremental}, 'over', '{resource}')$$, 'count(*)', '1', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_restore_enqueue({full}, 'rights/new')$$, 'r > 0', 'true', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_restore_at_enqueue('{resource}', 'infinity', 'rights/new', nearest => true)$$, 'r > 0', 'true', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_restore_cancel({queued})$$, 'count(*)', '1', 'own/42704 own/42704 own/42704 all denied denied all'),
($$bk_restore_wait({operation}, resource_id => '{resource}')$$, 'r', 'completed', 'own/42704 own/42704 own/42704 all denied denied all');
-- The HTTP surface, and what is behind it that reaches the tables.  A total counts what the caller may list, and no more.
INSERT INTO matrix (call, shows, answer, cells) VALUES
($$bk_operation_list('{resource}')$$, $$r.status$$, $$completed | queued$$, 'own/none own/none own/none all all denied all'),
($$bk_operation_list(target_resource_id => 'target of {tenant}')$$, $$r.created_by$$, $$asked by {tenant}$$, 'own/none own/none own/none all all denied all'),
($$backup_service_api.root('')$$, $$r->>'service'$$, $$backup_service$$, 'yes yes yes yes yes denied yes'),
($$backup_service_api.health('')$$, $$r->>'status' IN ('ok', 'degraded', 'failing')$$, $$true$$, 'yes yes yes yes yes denied yes'),
($$backup_service_api.metrics('')$$, $$convert_from(r, 'UTF8') ~ '\nbackups_stored {stored}\n'$$, 'true', 'denied denied denied yes yes denied yes'),
($$backup_service_api.backups_create('{"resourceId": "{resource}", "type": "incremental", "data": {"of": "{tenant}", "v": 4}}')$$, $$r->>'type' || ' by ' || (r->>'createdBy')$$, $$incremental by {caller}$$, 'own/42501 own/42501 own/42501 all denied denied all'),
($$backup_service_api.backups_create('{"resourceId": "rights/new", "data": 1}')$$, $$r->>'type' || ' by ' || (r->>'createdBy')$$, $$full by {caller}$$, 'yes yes yes yes denied denied yes'),
($$backup_service_api.backups_list('resourceId={resource}')$$, $$json_array_elements(r)->>'type'$$, $$full | incremental$$, 'own/none own/none own/none all all denied all'),
($$backup_service_api.backups_list('tag=of:{tenant}&limit=1')$$, $$generate_series(1, (nullif(current_setting('response.headers', true), '')::json->0->>'X-Total-Count')::int)$$, $$1 | 2$$, 'own/none own/none own/none all all denied all'),
($$backup_service_api.backups_get('backup-{full}')$$, $$r->>'resourceId'$$, $${resource}$$, 'own/404 own/404 own/404 all all denied all'),
($$backup_service_api.backups_delete('backup-{full}')$$, $$count(*)$$, $$1$$, 'own/404 own/404 own/404 all denied denied all'),
($$backup_service_api.backups_verify('backup-{incremental}')$$, $$r->>'valid'$$, $$true$$, 'own/404 own/404 own/404 all denied denied all'),
($$backup_service_api.backups_download('backup-{full}')$$, $$encode(substr(r, 1, 2) || substr(r, length(r) - 7), 'hex')$$, $$1f8b{gzip trailer}$$, 'own/404 own/404 own/404 all denied denied all'),
($$backup_service_api.restores_create('{"backupId": "backup-{full}"}')$$, $$(r->'data')::jsonb$$, $${"v": 1, "of": "{tenant}"}$$, 'own/404 own/404 own/404 all denied denied all'),
($$backup_service_api.restores_create('{"backupId": "backup-{full}", "targetResourceId": "rights/new", "async": true}')$$, $$r->'operation'->>'status'$$, $$queued$$, 'own/404 own/404 own/404 all denied denied all'),
($$backup_service_api.restores_create_at('{"resourceId": "{resource}", "timestamp": "9999-01-01", "nearest": true}')$$, $$(r->'data')::jsonb$$, $${"v": 2, "of": "{tenant}"}$$, 'own/404 own/404 own/404 all denied denied all'),
($$backup_service_api.restores_create_at('{"resourceId": "{resource}", "timestamp": "9999-01-01", "nearest": true, "targetResourceId": "rights/new", "async": true}')$$, $$r->'operation'->>'status'$$, $$queued$$, 'own/404 own/404 own/404 all denied denied all'),
($$backup_service_api.operations_list('resourceId={resource}')$$, $$json_array_elements(r)->>'status'$$, $$completed | queued$$, 'own/none own/none own/none all all denied all'),
($$backup_service_api.operations_list('targetResourceId=target%20of%20{tenant}&limit=1')$$, $$generate_series(1, (nullif(current_setting('response.headers', true), '')::json->0->>'X-Total-Count')::int)$$, $$1$$, 'own/none own/none own/none all all denied all'),
($$backup_service_api.operations_get('restore-{operation}')$$, $$r->>'createdBy'$$, $$asked by {tenant}$$, 'own/404 own/404 own/404 all all denied all'),
($$backup_service_api.operations_cancel('restore-{queued}')$$, $$count(*)$$, $$1$$, 'own/404 own/404 own/404 all denied denied all'),
($$backup_service_http.checks()$$, $$count(*) FILTER (WHERE r.name = 'keys' AND r.ok)$$, $$1$$, 'yes yes yes yes yes denied yes'),
($$backup_service_http.count_backups('{resource}', NULL, NULL, NULL, NULL, NULL)$$, $$generate_series(1, r)$$, $$1 | 2$$, 'own/none own/none own/none all all denied all'),
($$backup_service_http.count_backups(NULL, NULL, NULL, '{"of": "{tenant}"}', NULL, NULL)$$, $$generate_series(1, r)$$, $$1 | 2$$, 'own/none own/none own/none all all denied all'),
($$backup_service_http.count_operations('{resource}', NULL, NULL, NULL, NULL)$$, $$generate_series(1, r)$$, $$1 | 2$$, 'own/none own/none own/none all all denied all'),
($$backup_service_http.backup_with({full})$$, 'r.type', 'full', 'own/none own/none own/none all all denied all'),
($$backup_service_http.operation_with({queued})$$, 'r.status', 'queued', 'own/none own/none own/none all all denied all'),
($$backup_service_http.backup_at('{resource}', 'infinity', true)$$, $$r$$, $${incremental}$$, 'own/42704 own/42704 own/42704 all denied denied all'),
($$backup_service_http.restore({full}, NULL, true, NULL, NULL)$$, $$r.document$$, $${"v": 1, "of": "{tenant}"}$$, 'own/42704 own/42704 own/42704 all denied denied all'),
($$backup_service_http.take_up('rights key', '{}')$$, $$r.same$$, $$true$$, 'yes yes yes yes denied denied yes'),
($$backup_service_http.keep('rights key', '1')$$, $$count(*)$$, $$1$$, 'yes yes yes yes denied denied yes');
-- What lists all that the caller may see: a column that tells its rows apart, and the table that holds them.
--   all        every row
--   own        every row of the own tenants', and no other
INSERT INTO matrix (call, shows, rows_of, cells) VALUES
($$bk_list(max_rows => 1000000)$$, 'backup_id', 'backup_service.backup', 'own own own all all denied all'),
($$bk_operation_list(max_rows => 1000000)$$, 'operation_id', 'backup_service.restore_operation', 'own own own all all denied all'),
('bk_backups', 'backup_id', 'backup_service.backup', 'own own own all all denied all'),
('bk_unarchived', 'backup_id', 'backup_service.backup', 'own own own all all denied all'),
('bk_resources', 'owner', 'backup_service.resource', 'own own own all all denied all'),
('bk_snapshots', 'backup_id', 'backup_service.snapshot', 'own own own all all denied all'),
('bk_operations', 'operation_id', 'backup_service.restore_operation', 'own own own all all denied all'),
('bk_holds', 'backup_id', 'backup_service.hold', 'own own own all all denied all'),
('bk_policies', 'name', 'backup_service.policy', 'all all all all all denied all'),
('bk_keys', 'version', 'backup_service.key', 'denied denied denied all all denied all'),
('bk_audit', 'number', 'backup_service.audit_event', 'own own own all all denied all'),
('backup_service.visible_resource', 'owner', 'backup_service.resource', 'denied denied denied denied denied denied all');
\ir rights_cells.psql
\if :{?markdown}
SELECT '| function or view | ' || string_agg(name, ' | ' ORDER BY place) || E' |\n|' || repeat('---|', count(*)::int + 1) FROM caller WHERE place <= 7;
SELECT format('| `%s` | %s |', m.call, string_agg(replace(seen, '|', '\|'), ' | ' ORDER BY place)) FROM matrix m JOIN cell USING (line)
 WHERE place <= 7 GROUP BY line, m.call ORDER BY line;
\echo
\echo 'all: everybody''s; own: the role''s own (for the member, also the owner''s); own/X: X for others'' (42704: word for word as what'
\echo 'does not exist; 42501: the name is taken; none: no rows); yes: the call is about no tenant''s; denied: no privilege on it.'
ROLLBACK;
\q
\endif
\ir rights_attacks.psql

-- What each caller should see: a column of the matrix; of newcomers, what the owner gets of others'.
CREATE TEMP VIEW expected AS
SELECT m.line, c.place, c.name || ': ' || m.call AS what,
	   CASE WHEN c.same_as = 'newcomer' THEN regexp_replace(regexp_replace(split_part(m.cells, ' ', 1), '^own$', 'none'), '^own/', '')
			ELSE split_part(m.cells, ' ', (SELECT place FROM caller WHERE name = coalesce(c.same_as, c.name))) END AS cell
  FROM matrix m, caller c;
CREATE TEMP VIEW attack AS
SELECT m, c, c.name || ': ' || m.call AS what
  FROM expected e JOIN matrix m USING (line) JOIN caller c USING (place) WHERE m.rows_of IS NOT NULL AND e.cell IN ('own', 'none');
CREATE TEMP VIEW surface AS
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || p.proname AS name
  FROM pg_proc p, pg_namespace n, pg_language l, pg_depend d, pg_extension e
 WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' AND d.refobjid = e.oid AND e.extname = 'backup_service'
   AND n.oid = p.pronamespace AND l.oid = p.prolang
   -- What is behind the HTTP surface in plpgsql runs as the caller; what is pure shows what it is given.
   AND (n.nspname <> 'backup_service_http' OR l.lanname = 'c' AND p.provolatile = 'v')
UNION ALL
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || v.relname FROM pg_class v, pg_namespace n, pg_depend d, pg_extension e
 WHERE d.classid = 'pg_class'::regclass AND d.objid = v.oid AND d.deptype = 'e' AND d.refobjid = e.oid AND e.extname = 'backup_service'
   AND v.relkind IN ('v', 'm') AND n.oid = v.relnamespace;

SELECT plan((1 + (SELECT count(*) FROM expected) + (SELECT count(*) FROM attack) + 12)::int);

SELECT set_eq('SELECT name FROM surface', 'SELECT DISTINCT name FROM matrix', 'each function and view has a line, and each line is about one');
SELECT is(seen, cell, what) FROM expected JOIN cell USING (line, place) ORDER BY line, place;

-- Nothing of others' through any listing; and the attacks do see what is not kept from them.
SELECT is(pg_temp.loot(m, c), '', what || ' gives nothing of others'' away') FROM attack;
SELECT is((SELECT count(DISTINCT name) FROM tenant WHERE pg_temp.loot(m, c) LIKE '%seen: %' || name || '%'), 4::bigint, 'the attacks see what an operator may see')
  FROM matrix m, caller c WHERE m.call = 'bk_backups' AND c.name = 'operator';
SELECT is((SELECT count(*) FROM tenant WHERE (a).seen LIKE '%' || name || '%'), 4::bigint, 'a planner''s estimate gives values away where statistics may be read')
  FROM pg_temp.attempt((SELECT c FROM caller c WHERE name = 'superuser'),
					   'EXPLAIN SELECT FROM backup_service.backup WHERE resource_type OPERATOR(rights_test.===) ''x''') a;

-- What else a caller might try.
CREATE FUNCTION pg_temp.asked(name text, query text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(a.error, array_to_string(a.lines, E'\n')) FROM caller c, pg_temp.attempt(c, query) a WHERE c.name = asked.name
$$;
SELECT is(pg_temp.state(), :'state_before', 'each cell found the rows as they were');
SELECT is(pg_temp.asked('owner', $$SELECT concat_ws(' ', backups, stored_size, backups_made) FROM bk_resources$$),
	(SELECT concat_ws(' ', count(*), sum(stored_size), 3) FROM backup_service.backup WHERE resource_id = 'rights/anna'), 'a resource''s sums are its own');
SELECT is(pg_temp.asked('owner', $$SELECT tablename::text FROM pg_stats WHERE schemaname = 'backup_service'$$), '', 'statistics are not shown');
CREATE VIEW rights_test.annas AS SELECT * FROM bk_backups;
ALTER VIEW rights_test.annas OWNER TO regress_rights_anna;
GRANT SELECT ON rights_test.annas TO PUBLIC;
SELECT is(pg_temp.asked('other tenant', 'SELECT DISTINCT resource_id FROM rights_test.annas'), 'rights/bob', 'a view of the owner''s shows its reader his own');
SELECT is(pg_temp.asked('member without inheritance after SET ROLE', 'SELECT DISTINCT resource_id FROM bk_backups'), 'rights/anna', 'after SET ROLE the views are the owner''s');

-- Without the views, the list tells the same, and EXPLAIN not even how many rows others have (docs/security.md).
REVOKE SELECT ON bk_backups, bk_resources, bk_snapshots, bk_operations FROM backup_service_user;
SELECT is(pg_temp.asked('owner', 'SELECT FROM bk_resources'), '42501 permission denied for view bk_resources', 'the views can be taken from users');
SELECT is(pg_temp.asked('owner', 'SELECT DISTINCT resource_id FROM bk_list()'), 'rights/anna', 'who may not read the views may list');
SELECT matches(pg_temp.asked('owner', $$EXPLAIN (ANALYZE, COSTS OFF, BUFFERS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM bk_list('rights/bob')$$),
	'^Function Scan on bk_list \(actual rows=0\D[^\n]*$', 'EXPLAIN of a list tells nothing of others');
GRANT SELECT ON bk_backups, bk_resources, bk_snapshots, bk_operations TO backup_service_user;

-- Owners are names: who takes up the name has the rows, who gives it up has them no more.
CREATE ROLE regress_rights_leonie IN ROLE backup_service_user;
INSERT INTO caller (name, role) VALUES ('role of a dropped owner''s name', 'regress_rights_leonie');
SELECT is(pg_temp.asked('role of a dropped owner''s name', 'SELECT DISTINCT resource_id FROM bk_backups'), 'rights/leonie', 'a new role of the name has the rows');
ALTER ROLE regress_rights_bob RENAME TO regress_rights_robert;
UPDATE caller SET role = 'regress_rights_robert' WHERE name = 'other tenant';
SELECT is(pg_temp.asked('other tenant', 'SELECT DISTINCT resource_id FROM bk_backups'), '', 'a renamed role has not');

SELECT * FROM finish();
ROLLBACK;
