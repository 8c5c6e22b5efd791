-- Who gets what of each function and view?  Every cell is a real call, with rows of four tenants: of an owner, of a member of
-- the owning role, of another tenant, and of a role that was dropped.  psql -XAtq -f prints TAP; with -v markdown=1 the matrix,
-- as seen (make rights).
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset pager off
SET client_min_messages = warning;
BEGIN;
CREATE SCHEMA IF NOT EXISTS tap;
CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA tap;
CREATE EXTENSION IF NOT EXISTS backup_service;
SET search_path = public, tap, pg_catalog;
\ir rights_tenants.psql

-- The matrix, a line each.  {values} are the tenant's whose turn it is, {own values} those of the caller's own tenant.
--   name    the function or view that the line is about (several lines may be about one)
--   call    what is called; shows: an expression of its result r; answer: what that gives to whom it is allowed
--           (rows in order of their text, with " | " between them)
-- or, of what lists rows of everybody that the caller may see:
--   call    what lists them; shows: a column of it that tells them apart; answer: the table behind it
--   cells   all             the answer for everybody's, whatever tenant; every row of the table
--           own             the rows of the own tenants, and no other
--           own/42704       the answer for the own tenants'; for others' the error of what does not exist, word for word
--           own/42501       for others' "permission denied for resource"
--           own/none        for others' no rows
--           yes             a call that names no tenant's gives its answer
--           denied          permission denied for the function or the view
CREATE TEMP TABLE matrix (line int GENERATED ALWAYS AS IDENTITY, lists boolean, name text, call text, shows text, answer text,
	owner text, member text, other text, operator text, auditor text, nobody text, superuser text);
INSERT INTO matrix (lists, name, call, shows, answer, owner, member, other, operator, auditor, nobody, superuser) VALUES
(false, 'bk_create', $$bk_create('{resource}', '{"of": "{tenant}", "v": 4}', 'incremental')$$, $$r.type || ' by ' || r.created_by$$, 'incremental by {caller}', 'own/42501', 'own/42501', 'own/42501', 'all', 'denied', 'denied', 'all'),
(false, 'bk_create', $$bk_create('rights/new', '1')$$, $$r.type || ' by ' || r.created_by$$, 'full by {caller}', 'yes', 'yes', 'yes', 'yes', 'denied', 'denied', 'yes'),
(false, 'bk_restore', $$bk_restore({full})$$, 'r', '{"v": 1, "of": "{tenant}"}', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_restore', $$bk_restore({incremental}, resource_id => '{resource}')$$, 'r', '{"v": 2, "of": "{tenant}"}', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_restore', $$bk_restore({own full}, '{resource}')$$, 'r', '{"v": 1, "of": "{own tenant}"}', 'all', 'all', 'all', 'all', 'denied', 'denied', 'all'),
(false, 'bk_restore_at', $$bk_restore_at('{resource}', 'infinity', nearest => true)$$, 'r', '{"v": 2, "of": "{tenant}"}', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_read', $$bk_read({full})$$, 'r', '{"v": 1, "of": "{tenant}"}', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_read', $$bk_read({incremental}, '{resource}')$$, 'r', '{"v": 2, "of": "{tenant}"}', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(true, 'bk_list', $$bk_list(max_rows => 1000000)$$, 'backup_id', 'backup_service.backup', 'own', 'own', 'own', 'all', 'all', 'denied', 'all'),
(false, 'bk_list', $$bk_list('{resource}')$$, 'r.type', 'full | incremental', 'own/none', 'own/none', 'own/none', 'all', 'all', 'denied', 'all'),
(false, 'bk_list', $$bk_list(tags => '{"of": "{tenant}"}')$$, 'r.type', 'full | incremental', 'own/none', 'own/none', 'own/none', 'all', 'all', 'denied', 'all'),
(false, 'bk_delta', $$bk_delta('1', '2')$$, $$r->'changes'->0->>'newValue'$$, '2', 'yes', 'yes', 'yes', 'yes', 'yes', 'denied', 'yes'),
(false, 'bk_apply', $$bk_apply('{"a": 1}', '{"additions": [{"key": "b", "value": 2}]}')$$, 'r', '{"a": 1, "b": 2}', 'yes', 'yes', 'yes', 'yes', 'yes', 'denied', 'yes'),
(false, 'bk_diff', $$bk_diff({full}, {incremental})$$, $$r->'changes'->0->>'newValue'$$, '2', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_diff', $$bk_diff({own full}, {full})$$, $$bk_apply('{"v": 1, "of": "{own tenant}"}', r)$$, '{"v": 1, "of": "{tenant}"}', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_diff', $$bk_diff({full}, {own full})$$, $$bk_apply('{"v": 1, "of": "{tenant}"}', r)$$, '{"v": 1, "of": "{own tenant}"}', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_history', $$bk_history('{resource}', 'v')$$, 'r.value', '1 | 2', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_verify', $$bk_verify({incremental})$$, $$r->>'valid'$$, 'true', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_delete', $$bk_delete({full})$$, 'r', '1', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_delete', $$bk_delete({full}, 'cascade')$$, 'r', '2', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_delete', $$bk_delete({incremental}, 'restrict', '{resource}')$$, 'r', '1', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_consolidate', $$bk_consolidate({incremental})$$, $$r.type || ' ' || r.resource_id$$, 'full {resource}', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_export', $$bk_export({full})$$, $$encode(substr(r, 1, 2) || substr(r, length(r) - 7), 'hex')$$, '1f8b{gzip trailer}', 'own/42704', 'own/42704', 'own/42704', 'all', 'denied', 'denied', 'all'),
(false, 'bk_key_rotate', $$bk_key_rotate()$$, 'r', '{next version}', 'denied', 'denied', 'denied', 'yes', 'denied', 'denied', 'yes'),
(false, 'bk_rekey', $$bk_rekey(1000000)$$, 'r', '{to rekey}', 'denied', 'denied', 'denied', 'yes', 'denied', 'denied', 'yes'),
(false, 'bk_key_retire', $$bk_key_retire({unused version})$$, 'count(*)', '1', 'denied', 'denied', 'denied', 'yes', 'denied', 'denied', 'yes'),
(false, 'bk_key_copied', $$bk_key_copied({active version})$$, 'count(*)', '1', 'denied', 'denied', 'denied', 'yes', 'denied', 'denied', 'yes'),
(false, 'bk_verify_keys', $$bk_verify_keys()$$, 'count(*) FILTER (WHERE r.available)', '{versions}', 'denied', 'denied', 'denied', 'yes', 'denied', 'denied', 'yes'),
(true, 'bk_backups', 'bk_backups', 'backup_id', 'backup_service.backup', 'own', 'own', 'own', 'all', 'all', 'denied', 'all'),
(true, 'bk_resources', 'bk_resources', 'owner', 'backup_service.resource', 'own', 'own', 'own', 'all', 'all', 'denied', 'all'),
(true, 'bk_snapshots', 'bk_snapshots', 'backup_id', 'backup_service.snapshot', 'own', 'own', 'own', 'all', 'all', 'denied', 'all'),
(true, 'bk_operations', 'bk_operations', 'operation_id', 'backup_service.restore_operation', 'own', 'own', 'own', 'all', 'all', 'denied', 'all'),
(true, 'bk_keys', 'bk_keys', 'version', 'backup_service.key', 'denied', 'denied', 'denied', 'all', 'all', 'denied', 'all'),
(true, 'backup_service.visible_resource', 'backup_service.visible_resource', 'owner', 'backup_service.resource', 'denied', 'denied', 'denied', 'denied', 'denied', 'denied', 'all');
\ir rights_cells.psql
select m.name, m.call, c.name, seen from cell join matrix m using (line) join caller c using (place) order by line, place;
rollback;
