-- Is the SQL surface the one that was promised?  psql -XAtq -f prints TAP.
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

-- The functions.
CREATE TEMP TABLE contract (name text, types name[], arguments text, result text, volatility text, parallel "char", strict boolean, auditor boolean, users boolean DEFAULT true, language name DEFAULT 'c', definer boolean DEFAULT false);
INSERT INTO contract (name, types, arguments, result, volatility, parallel, strict, auditor) VALUES
('bk_create', '{text,jsonb,text,text,boolean,text,interval,jsonb,text,text}',
 'resource_id text, data jsonb, type text DEFAULT ''full''::text, resource_type text DEFAULT ''document''::text, encrypt boolean DEFAULT NULL::boolean, '
 'compression text DEFAULT NULL::text, retention interval DEFAULT NULL::interval, tags jsonb DEFAULT ''{}''::jsonb, source text DEFAULT NULL::text, version text DEFAULT NULL::text',
 'bk_backups', 'volatile', 'u', false, false),
('bk_restore', '{bigint,text,boolean,text,text}',
 'backup_id bigint, target_resource_id text DEFAULT NULL::text, validate boolean DEFAULT true, created_by text DEFAULT NULL::text, resource_id text DEFAULT NULL::text',
 'jsonb', 'volatile', 'u', false, false),
('bk_restore_at', '{text,timestamp with time zone,text,boolean,text,boolean}',
 'resource_id text, at timestamp with time zone, target_resource_id text DEFAULT NULL::text, validate boolean DEFAULT true, created_by text DEFAULT NULL::text, nearest boolean DEFAULT false',
 'jsonb', 'volatile', 'u', false, false),
('bk_read', '{bigint,text}', 'backup_id bigint, resource_id text DEFAULT NULL::text', 'jsonb', 'volatile', 'u', false, false),
('bk_list', '{text,text,text,jsonb,timestamp with time zone,timestamp with time zone,timestamp with time zone,bigint,integer}',
 'resource_id text DEFAULT NULL::text, resource_type text DEFAULT NULL::text, type text DEFAULT NULL::text, tags jsonb DEFAULT NULL::jsonb, '
 'since timestamp with time zone DEFAULT NULL::timestamp with time zone, until timestamp with time zone DEFAULT NULL::timestamp with time zone, '
 'before timestamp with time zone DEFAULT NULL::timestamp with time zone, before_id bigint DEFAULT NULL::bigint, max_rows integer DEFAULT 100',
 'setof bk_backups', 'volatile', 'u', false, true),
('bk_operation_list', '{text,text,text,timestamp with time zone,timestamp with time zone,timestamp with time zone,bigint,integer}',
 'resource_id text DEFAULT NULL::text, target_resource_id text DEFAULT NULL::text, status text DEFAULT NULL::text, '
 'since timestamp with time zone DEFAULT NULL::timestamp with time zone, until timestamp with time zone DEFAULT NULL::timestamp with time zone, '
 'before timestamp with time zone DEFAULT NULL::timestamp with time zone, before_id bigint DEFAULT NULL::bigint, max_rows integer DEFAULT 100',
 'setof bk_operations', 'volatile', 'u', false, true),
('bk_delta', '{jsonb,jsonb}', 'old jsonb, new jsonb', 'jsonb', 'immutable', 's', true, true),
('bk_apply', '{jsonb,jsonb}', 'document jsonb, delta jsonb', 'jsonb', 'immutable', 's', true, true),
('bk_diff', '{bigint,bigint,text}', 'from_backup bigint, to_backup bigint, resource_id text DEFAULT NULL::text', 'jsonb', 'volatile', 'u', false, false),
('bk_history', '{text,text}', 'resource_id text, path text, OUT backup_id bigint, OUT created_at timestamp with time zone, OUT value jsonb',
 'setof record', 'volatile', 'u', false, false),
('bk_verify', '{bigint,text}', 'backup_id bigint, resource_id text DEFAULT NULL::text', 'jsonb', 'volatile', 'u', false, false),
('bk_delete', '{bigint,text,text}', 'backup_id bigint, dependents text DEFAULT ''consolidate''::text, resource_id text DEFAULT NULL::text', 'bigint', 'volatile', 'u', false, false),
('bk_consolidate', '{bigint,text}', 'backup_id bigint, resource_id text DEFAULT NULL::text', 'bk_backups', 'volatile', 'u', false, false),
('bk_export', '{bigint,text}', 'backup_id bigint, resource_id text DEFAULT NULL::text', 'bytea', 'volatile', 'u', false, false);
INSERT INTO contract VALUES
('bk_worker_start', '{}', '', 'integer', 'volatile', 'u', false, false, false),
('bk_key_rotate', '{boolean}', 'lost boolean DEFAULT false', 'integer', 'volatile', 'u', false, false, false),
('bk_rekey', '{integer}', 'max_backups integer DEFAULT 1000', 'bigint', 'volatile', 'u', false, false, false),
('bk_key_retire', '{integer}', 'version integer', 'void', 'volatile', 'u', false, false, false),
('bk_key_copied', '{integer}', 'version integer', 'void', 'volatile', 'u', false, false, false),
('bk_verify_keys', '{}', 'OUT version integer, OUT available boolean, OUT problem text', 'setof record', 'volatile', 'u', false, false, false),
('bk_owner_set', '{text,name}', 'resource_id text, owner name', 'void', 'volatile', 'u', false, false, true),
('bk_audit_seal', '{integer}', 'max_events integer DEFAULT 10000', 'bigint', 'volatile', 'u', false, false, false),
('bk_audit_verify', '{text}', 'resource_id text DEFAULT NULL::text, OUT chain text, OUT number bigint, OUT backup_id bigint, OUT problem text',
 'setof record', 'volatile', 'u', false, true, false),
('bk_audit_trim', '{timestamp with time zone}', 'before timestamp with time zone', 'bigint', 'volatile', 'u', false, false, false),
('bk_health', '{}', 'OUT name text, OUT ok boolean, OUT critical boolean, OUT detail text', 'setof record', 'volatile', 'u', false, true, false);

INSERT INTO contract VALUES
('bk_archive', '{text}', 'resource_id text', 'bytea', 'volatile', 'u', false, false, true),
('bk_archive_import', '{bytea,text}', 'archive bytea, target_resource_id text DEFAULT NULL::text', 'bigint', 'volatile', 'u', false, false, true);

INSERT INTO contract VALUES
('bk_hold', '{bigint,text,text,timestamp with time zone,text}',
 'backup_id bigint, name text, reason text, until timestamp with time zone DEFAULT NULL::timestamp with time zone, resource_id text DEFAULT NULL::text',
 'void', 'volatile', 'u', false, false, true),
('bk_release', '{bigint,text,text}', 'backup_id bigint, name text, resource_id text DEFAULT NULL::text', 'void', 'volatile', 'u', false, false, true),
('bk_restore_enqueue', '{bigint,text,boolean,text,text}',
 'backup_id bigint, target_resource_id text DEFAULT NULL::text, validate boolean DEFAULT true, created_by text DEFAULT NULL::text, resource_id text DEFAULT NULL::text',
 'bigint', 'volatile', 'u', false, false, true),
('bk_restore_at_enqueue', '{text,timestamp with time zone,text,boolean,text,boolean}',
 'resource_id text, at timestamp with time zone, target_resource_id text DEFAULT NULL::text, validate boolean DEFAULT true, created_by text DEFAULT NULL::text, nearest boolean DEFAULT false',
 'bigint', 'volatile', 'u', false, false, true),
('bk_restore_cancel', '{bigint,text}', 'operation_id bigint, resource_id text DEFAULT NULL::text', 'void', 'volatile', 'u', false, false, true),
('bk_restore_wait', '{bigint,interval,text}', 'operation_id bigint, timeout interval DEFAULT NULL::interval, resource_id text DEFAULT NULL::text',
 'text', 'volatile', 'u', false, false, true),
('bk_policy_set', '{text,interval,integer,integer,integer,integer,integer,integer,text,integer,interval,integer}',
 'name text, keep_for interval DEFAULT NULL::interval, keep_last integer DEFAULT NULL::integer, keep_hourly integer DEFAULT NULL::integer, keep_daily integer DEFAULT NULL::integer, '
 'keep_weekly integer DEFAULT NULL::integer, keep_monthly integer DEFAULT NULL::integer, keep_yearly integer DEFAULT NULL::integer, time_zone text DEFAULT ''UTC''::text, week_start integer DEFAULT 1, expect_every interval DEFAULT NULL::interval, max_snapshots integer DEFAULT NULL::integer', 'void', 'volatile', 'u', false, false, false),
('bk_policy_drop', '{text}', 'name text', 'void', 'volatile', 'u', false, false, false),
('bk_policy_assign', '{text,text,text}', 'resource_id text, name text, resource_type text DEFAULT NULL::text', 'void', 'volatile', 'u', false, false, false),
('bk_prune', '{text,boolean}', 'resource_id text DEFAULT NULL::text, dry_run boolean DEFAULT false, OUT backup_id bigint, OUT action text, OUT reason text',
 'setof record', 'volatile', 'u', false, false, true),
('bk_retention_explain', '{text}', 'resource_id text, OUT backup_id bigint, OUT created_at timestamp with time zone, OUT action text, OUT rules text[], OUT until timestamp with time zone, OUT until_is_exact boolean, OUT reason text', 'setof record', 'volatile', 'u', false, false, true),
('bk_policy_simulate', '{text,interval,integer,integer,integer,integer,integer,integer,text,integer}',
 'resource_id text, keep_for interval DEFAULT NULL::interval, keep_last integer DEFAULT NULL::integer, keep_hourly integer DEFAULT NULL::integer, keep_daily integer DEFAULT NULL::integer, '
 'keep_weekly integer DEFAULT NULL::integer, keep_monthly integer DEFAULT NULL::integer, keep_yearly integer DEFAULT NULL::integer, time_zone text DEFAULT ''UTC''::text, week_start integer DEFAULT 1, OUT backup_id bigint, OUT created_at timestamp with time zone, OUT action text, OUT rules text[], OUT until timestamp with time zone, OUT until_is_exact boolean, OUT reason text', 'setof record', 'volatile', 'u', false, false, true),
('bk_resource_drop', '{text}', 'resource_id text', 'bigint', 'volatile', 'u', false, false, true);

INSERT INTO contract VALUES
('bk_metrics', '{}', '', 'text', 'stable', 'u', false, true, false, 'plpgsql', true),
('bk_distribute', '{integer}', 'shard_count integer DEFAULT 36, OUT relation text, OUT placement text, OUT changed boolean', 'setof record', 'volatile', 'u', false, false, false, 'plpgsql', true);

-- Its parts, which are nobody's to call.
CREATE TEMP TABLE part (name text, arguments text, volatility text);
INSERT INTO part VALUES
('metric', 'name text, type text, help text, samples text', 'i'),
('metric_gauge', 'name text, help text, value numeric', 'i'),
('metric_histogram', 'name text, label text, bounds numeric[], counts numeric[], total numeric', 'i'),
('metric_seconds', '', 'i'),
('metrics_archived', 'at timestamp with time zone', 's'),
('metrics_last_good', 'at timestamp with time zone', 's'),
('metrics_made', '', 's'),
('metrics_queue', 'at timestamp with time zone', 's'),
('metrics_restored', '', 's'),
('metrics_stored', 'at timestamp with time zone', 's'),
('distribute', 'relation regclass, placement text, shard_count integer', 'v'),
('spread_ids', 'relation regclass, id name', 'v');

-- The HTTP surface: one parameter without a name each, text or bytea.  A stable one is called in a READ ONLY transaction.
CREATE TEMP TABLE api (name text, parameter text, result text, volatility text, auditor boolean);
INSERT INTO api VALUES
('root', 'text', 'json', 'stable', true),
('health', 'text', 'json', 'stable', true),
('metrics', 'text', 'backup_service_api."*/*"', 'stable', true),
('backups_create', 'bytea', 'json', 'volatile', false),
('backups_list', 'text', 'json', 'stable', true),
('backups_get', 'text', 'json', 'stable', true),
('backups_delete', 'text', 'void', 'volatile', false),
('backups_verify', 'text', 'json', 'volatile', false),
('backups_download', 'text', 'backup_service_api."*/*"', 'volatile', false),
('restores_create', 'bytea', 'json', 'volatile', false),
('restores_create_at', 'bytea', 'json', 'volatile', false),
('operations_list', 'text', 'json', 'stable', true),
('operations_get', 'text', 'json', 'stable', true),
('operations_cancel', 'text', 'void', 'volatile', false);
CREATE TEMP VIEW api_function AS
SELECT a AS contract, p.* FROM api a JOIN pg_proc p ON p.proname = a.name AND p.pronamespace = 'backup_service_api'::regnamespace;

-- Twelve tests for each function: eight of its signature, four of its privileges; thirteen for each of the HTTP surface.
SELECT plan((5 + 4 + 11 + 3 + 4 * 8 + 4 + 12 + 12 * (SELECT count(*) FROM contract) + 13 * (SELECT count(*) FROM api) + 6 + 14)::int);

-- Roles: nobody logs in as one of them, and nobody is in one by default.
SELECT has_role('backup_service_user');
SELECT has_role('backup_service_operator');
SELECT has_role('backup_service_auditor');
SELECT is_empty($$ SELECT rolname FROM pg_roles WHERE rolname LIKE 'backup\_service\_%' AND (rolcanlogin OR rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication) $$,
	'the roles have no attributes');
SELECT is_empty($$ SELECT m.roleid::regrole FROM pg_auth_members m WHERE m.member::regrole::text LIKE 'backup\_service\_%' $$,
	'the roles are members of nothing');

-- Functions: name, arguments with their names and defaults, result, language, volatility, parallel safety, strictness.
SELECT has_function('public', name, types) FROM contract;
SELECT is(pg_get_function_arguments(p.oid), c.arguments, c.name || '() has its arguments and defaults')
  FROM contract c JOIN pg_proc p ON p.proname = c.name AND p.pronamespace = 'public'::regnamespace;
SELECT function_returns('public', name, types, result) FROM contract;
SELECT volatility_is('public', name, types, volatility) FROM contract;
SELECT is(p.proparallel, c.parallel, c.name || '() has its parallel safety')
  FROM contract c JOIN pg_proc p ON p.proname = c.name AND p.pronamespace = 'public'::regnamespace;
SELECT is(p.proisstrict, c.strict, c.name || '() is strict or not')
  FROM contract c JOIN pg_proc p ON p.proname = c.name AND p.pronamespace = 'public'::regnamespace;
SELECT function_lang_is('public', name, types, language) FROM contract;
SELECT is(p.prosecdef, c.definer, c.name || '() is a SECURITY DEFINER function or not')
  FROM contract c JOIN pg_proc p ON p.proname = c.name AND p.pronamespace = 'public'::regnamespace;

-- No more functions than these, and no overloads.
SELECT set_eq($$ SELECT proname::text FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
				   JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'backup_service'
				  WHERE p.pronamespace::regnamespace::text NOT IN ('backup_service_api', 'backup_service_http') $$,
	'SELECT name FROM contract UNION ALL SELECT name FROM part', 'the functions are these');
SELECT is((SELECT count(*) FROM pg_proc WHERE proname LIKE 'bk\_%' AND pronamespace = 'public'::regnamespace), (SELECT count(*) FROM contract), 'no function has a second signature');
SELECT set_eq($$ SELECT proname::text, pg_get_function_arguments(oid), provolatile::text FROM pg_proc
				  WHERE pronamespace = 'backup_service'::regnamespace AND NOT prosecdef $$,
	'SELECT * FROM part', 'and the parts have their arguments');
SELECT is_empty($$ SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
				   JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
				   JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'backup_service'
				  WHERE l.lanname <> 'c' AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(p.proconfig, '{}')) $$,
	'what is not written in C pins its path');

-- The HTTP surface: name, parameter, result, language, entry, volatility, parallel safety, strictness.
SELECT has_function('backup_service_api', name, ARRAY[parameter]::name[]) FROM api;
SELECT is(pg_get_function_arguments(oid), (contract).parameter, proname || '() has one parameter, without a name or a default') FROM api_function;
SELECT is(pg_get_function_result(oid), (contract).result, proname || '() has its result') FROM api_function;
SELECT volatility_is('backup_service_api', name, ARRAY[parameter]::name[], volatility) FROM api;
SELECT is(proparallel, 'u'::"char", proname || '() is parallel unsafe') FROM api_function;
SELECT is(proisstrict, false, proname || '() is called for a null too') FROM api_function;
SELECT is(prosrc, 'bk_http_call', proname || '() is the entry that calls its namesake') FROM api_function;
SELECT function_lang_is('backup_service_api', name, ARRAY[parameter]::name[], 'c') FROM api;
SELECT is(prosecdef, false, proname || '() is no SECURITY DEFINER function') FROM api_function;

-- PostgREST shows nothing else.
SELECT set_eq($$ SELECT proname::text FROM pg_proc WHERE pronamespace = 'backup_service_api'::regnamespace $$, 'SELECT name FROM api', 'the API''s functions are these');
SELECT is((SELECT count(*) FROM pg_proc WHERE pronamespace = 'backup_service_api'::regnamespace), (SELECT count(*) FROM api), 'none has a second signature');
SELECT is_empty($$ SELECT oid::regclass FROM pg_class WHERE relnamespace IN ('backup_service_api'::regnamespace, 'backup_service_http'::regnamespace) $$,
	'there is no table or view that could be read or written instead');
SELECT is((SELECT string_agg(format('%s %s %s', typname, typtype, typbasetype::regtype), ', ') FROM pg_type WHERE typnamespace = 'backup_service_api'::regnamespace AND typelem = 0),
	'*/* d bytea', 'the only type is the one of raw answers');
SELECT is_empty($$ SELECT typname FROM pg_type WHERE typnamespace = 'backup_service_http'::regnamespace $$, 'what is behind has no types');
SELECT is_empty($$ SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'backup_service_http'::regnamespace AND prosecdef $$,
	'nor a SECURITY DEFINER function');

-- Views: the columns, in order, with their types.
SELECT views_are('public', ARRAY['bk_backups', 'bk_resources', 'bk_snapshots', 'bk_operations', 'bk_keys', 'bk_audit', 'bk_holds', 'bk_policies', 'bk_unarchived']);
SELECT columns_are('public', 'bk_backups', ARRAY['backup_id', 'resource_id', 'resource_type', 'type', 'status', 'base_id', 'size', 'stored_size', 'compression_ratio',
	'document_size', 'compression', 'encrypted', 'checksum', 'key_version', 'version', 'source', 'tags', 'created_by', 'created_at', 'completed_at', 'expires_at', 'verified_at', 'archived_at']);
CREATE FUNCTION pg_temp.shape(view regclass) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = view AND attnum > 0 $$;
SELECT is(pg_temp.shape('bk_backups'),
	'backup_id bigint, resource_id text, resource_type text, type text, status text, base_id bigint, size bigint, stored_size bigint, compression_ratio integer, '
	'document_size bigint, compression text, encrypted boolean, checksum text, key_version integer, version text, source text, tags jsonb, created_by name, '
	'created_at timestamp with time zone, completed_at timestamp with time zone, expires_at timestamp with time zone, verified_at timestamp with time zone, archived_at timestamp with time zone',
	'bk_backups has its columns in order');
SELECT is(pg_temp.shape('bk_unarchived'),
	'backup_id bigint, resource_id text, type text, status text, stored_size bigint, created_at timestamp with time zone', 'bk_unarchived has its columns in order');
SELECT is(pg_temp.shape('bk_resources'),
	'resource_id text, resource_type text, owner name, created_at timestamp with time zone, backups bigint, stored_size bigint, '
	'first_backup_at timestamp with time zone, last_backup_at timestamp with time zone, backups_made bigint, policy text, cleanup_stopped_at timestamp with time zone',
	'bk_resources has its columns in order');
SELECT is(pg_temp.shape('bk_snapshots'), 'resource_id text, created_at timestamp with time zone, backup_id bigint, removed_at timestamp with time zone',
	'bk_snapshots has its columns in order');
SELECT is(pg_temp.shape('bk_operations'),
	'operation_id bigint, resource_id text, backup_id bigint, target_resource_id text, type text, status text, progress integer, validated boolean, '
	'validation_errors jsonb, role name, created_by text, created_at timestamp with time zone, completed_at timestamp with time zone, '
	'attempts integer, next_attempt_at timestamp with time zone, started_at timestamp with time zone, bytes_done bigint, bytes_total bigint, error text, restored_backup_id bigint',
	'bk_operations has its columns in order');
SELECT is(pg_temp.shape('bk_keys'),
	'version integer, state text, backups bigint, created_at timestamp with time zone, created_by name, copied_at timestamp with time zone',
	'bk_keys has its columns in order');
SELECT is(pg_temp.shape('bk_policies'),
	'name text, keep_for interval, keep_last integer, keep_hourly integer, keep_daily integer, keep_weekly integer, keep_monthly integer, keep_yearly integer, '
	'time_zone text, week_start integer, expect_every interval, max_snapshots integer, ready_made boolean, resource_types text[], '
	'created_by name, updated_at timestamp with time zone',
	'bk_policies has its columns in order');
SELECT is(pg_temp.shape('bk_audit'),
	'resource_id text, number bigint, at timestamp with time zone, action text, outcome text, session_role text, role text, application text, client text, '
	'backup_id bigint, detail jsonb, hash text',
	'bk_audit has its columns in order');
SELECT is(pg_temp.shape('bk_holds'),
	'backup_id bigint, resource_id text, name text, reason text, until timestamp with time zone, created_by name, created_at timestamp with time zone',
	'bk_holds has its columns in order');
SELECT is_empty($$ SELECT relname FROM pg_class WHERE relkind = 'v' AND (relname LIKE 'bk\_%' OR relnamespace = 'backup_service'::regnamespace)
					  AND relacl IS NOT NULL AND NOT coalesce('security_barrier=true' = ANY (reloptions), false) $$, 'every view that somebody is granted is a security barrier');

-- Tables.
SELECT tables_are('backup_service', ARRAY['answer', 'resource', 'backup', 'chunk', 'snapshot', 'restore_operation', 'restore_total', 'key', 'audit_event', 'audit_unsealed', 'audit_checkpoint', 'hold', 'job', 'notice', 'policy', 'policy_assignment']);
SELECT is((SELECT attstorage FROM pg_attribute WHERE attrelid = 'backup_service.chunk'::regclass AND attname = 'data'), 'e'::"char", 'chunks are not compressed again');
SELECT has_index('backup_service', 'backup', 'backup_by_id', ARRAY['backup_id']);

-- Privileges on functions: operators all, users all but those of keys, auditors the lists and the pure ones, everybody else none.
CREATE ROLE regress_bk_anybody;
SELECT ok(NOT has_function_privilege('regress_bk_anybody', p.oid, 'EXECUTE'), 'PUBLIC may not call ' || c.name || '()')
  FROM contract c JOIN pg_proc p ON p.proname = c.name AND p.pronamespace = 'public'::regnamespace;
SELECT is(has_function_privilege('backup_service_user', p.oid, 'EXECUTE'), c.users, 'users may call ' || c.name || '() or may not')
  FROM contract c JOIN pg_proc p ON p.proname = c.name AND p.pronamespace = 'public'::regnamespace;
SELECT ok(has_function_privilege('backup_service_operator', p.oid, 'EXECUTE'), 'operators may call ' || c.name || '()')
  FROM contract c JOIN pg_proc p ON p.proname = c.name AND p.pronamespace = 'public'::regnamespace;
SELECT is(has_function_privilege('backup_service_auditor', p.oid, 'EXECUTE'), c.auditor, 'auditors may call ' || c.name || '() or may not')
  FROM contract c JOIN pg_proc p ON p.proname = c.name AND p.pronamespace = 'public'::regnamespace;

-- On the HTTP surface, and what is behind it: the three roles; auditors what reads.
SELECT ok(NOT has_function_privilege('regress_bk_anybody', oid, 'EXECUTE'), 'PUBLIC may not call ' || proname || '() of the API') FROM api_function;
SELECT is(has_function_privilege('backup_service_user', oid, 'EXECUTE'), proname <> 'metrics', 'users may call ' || proname || '() of the API or may not') FROM api_function;
SELECT ok(has_function_privilege('backup_service_operator', oid, 'EXECUTE'), 'operators may call ' || proname || '() of the API') FROM api_function;
SELECT is(has_function_privilege('backup_service_auditor', oid, 'EXECUTE'), (contract).auditor, 'auditors may call ' || proname || '() of the API or may not') FROM api_function;
SELECT is_empty(format($$ SELECT oid::regprocedure FROM pg_proc
						   WHERE pronamespace IN ('backup_service_api'::regnamespace, 'backup_service_http'::regnamespace)
							 AND has_function_privilege(%L, oid, 'EXECUTE') $$, role), role || ' may call nothing of the API or behind it')
  FROM unnest(ARRAY['regress_bk_anybody', 'public']) role;
SELECT is_empty($$ SELECT p.oid::regprocedure, a.grantee::regrole FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
					WHERE p.pronamespace IN ('backup_service_api'::regnamespace, 'backup_service_http'::regnamespace)
					  AND a.grantee <> p.proowner AND (a.privilege_type <> 'EXECUTE' OR a.is_grantable OR a.grantee::regrole::text NOT IN
						('backup_service_user', 'backup_service_operator', 'backup_service_auditor')) $$,
	'there only the three roles are granted anything, to call it themselves');
SELECT is(string_agg(format('%s: %s to %s', n.nspname, a.privilege_type, a.grantee::regrole), ', ' ORDER BY a.grantee::regrole::text),
	format('%1$s: USAGE to backup_service_auditor, %1$s: USAGE to backup_service_operator, %1$s: USAGE to backup_service_user', n.nspname),
	'the three roles use ' || n.nspname)
  FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname IN ('backup_service_api', 'backup_service_http') AND a.grantee <> n.nspowner GROUP BY n.nspname;
SELECT set_eq($$ SELECT proname::text FROM pg_proc WHERE pronamespace = 'backup_service_http'::regnamespace AND has_function_privilege('backup_service_auditor', oid, 'EXECUTE') $$,
	ARRAY['checks', 'respond', 'iso', 'moment', 'shown', 'number_of', 'find_backup', 'find_operation', 'backup', 'operation', 'decode', 'encode', 'parameters', 'tags',
	'page_size', 'cursor', 'page_headers', 'count_backups', 'count_operations', 'backup_with', 'operation_with'], 'auditors may call what answers to reading requests are made of');
SELECT set_eq(format($$ SELECT proname::text FROM pg_proc WHERE pronamespace = 'backup_service_http'::regnamespace AND NOT has_function_privilege(%L, oid, 'EXECUTE') $$, role),
	but, role || ' may call all of it but metrics of everybody''s') FROM (VALUES ('backup_service_user', ARRAY['metrics']), ('backup_service_operator', '{}')) r (role, but);
-- A request's own function is no way round the API's privileges.
SELECT is_empty($$ SELECT h.oid::regprocedure FROM pg_proc h JOIN api_function a ON a.proname = h.proname
					WHERE h.pronamespace = 'backup_service_http'::regnamespace AND has_function_privilege('backup_service_auditor', h.oid, 'EXECUTE') $$,
	'auditors may call no request''s function but through the API');
SELECT ok(NOT has_type_privilege('regress_bk_anybody', 'backup_service_api."*/*"', 'USAGE') OR NOT has_schema_privilege('regress_bk_anybody', 'backup_service_api', 'USAGE'),
	'the domain is out of reach for everybody else');
SELECT ok(NOT has_schema_privilege(role, schema, 'CREATE'), role || ' makes nothing in ' || schema)
  FROM unnest(ARRAY['backup_service_user', 'backup_service_operator']) role, unnest(ARRAY['backup_service_api', 'backup_service_http']) schema;

-- On views: to read, for the three roles.
SELECT ok(NOT has_table_privilege('regress_bk_anybody', view, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'), 'PUBLIC has nothing on ' || view)
  FROM unnest(ARRAY['bk_backups', 'bk_resources', 'bk_snapshots', 'bk_operations', 'bk_keys', 'bk_audit', 'bk_holds', 'bk_policies']) view;
SELECT is(has_table_privilege('backup_service_user', view, 'SELECT'), view <> 'bk_keys', 'users read ' || view || ' or may not') FROM unnest(ARRAY['bk_backups', 'bk_resources', 'bk_snapshots', 'bk_operations', 'bk_keys', 'bk_audit', 'bk_holds', 'bk_policies']) view;
SELECT ok(has_table_privilege('backup_service_operator', view, 'SELECT'), 'operators read ' || view) FROM unnest(ARRAY['bk_backups', 'bk_resources', 'bk_snapshots', 'bk_operations', 'bk_keys', 'bk_audit', 'bk_holds', 'bk_policies']) view;
SELECT ok(has_table_privilege('backup_service_auditor', view, 'SELECT'), 'auditors read ' || view) FROM unnest(ARRAY['bk_backups', 'bk_resources', 'bk_snapshots', 'bk_operations', 'bk_keys', 'bk_audit', 'bk_holds', 'bk_policies']) view;
SELECT ok(NOT has_table_privilege(role, 'bk_backups', 'INSERT, UPDATE, DELETE, TRUNCATE'), role || ' writes no view')
  FROM unnest(ARRAY['backup_service_user', 'backup_service_operator', 'backup_service_auditor']) role;
SELECT ok(NOT has_table_privilege('backup_service_user', 'backup_service.visible_resource', 'SELECT'), 'the inner view is for the outer ones');

-- On the schema, its tables and its sequences: none at all.
SELECT ok(NOT has_schema_privilege(role, 'backup_service', 'USAGE, CREATE'), role || ' has nothing on the schema')
  FROM unnest(ARRAY['regress_bk_anybody', 'backup_service_user', 'backup_service_operator', 'backup_service_auditor']) role;
SELECT is_empty(format($$ SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'backup_service'::regnamespace AND c.relkind IN ('r', 'p', 'v')
						  AND has_table_privilege(%L, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') $$, role), role || ' has nothing on the tables')
  FROM unnest(ARRAY['regress_bk_anybody', 'backup_service_user', 'backup_service_operator', 'backup_service_auditor']) role;
SELECT is_empty(format($$ SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'backup_service'::regnamespace AND CASE c.relkind WHEN 'S'
						  THEN has_sequence_privilege(%L, c.oid, 'USAGE, SELECT, UPDATE') END $$, role), role || ' has nothing on the sequences')
  FROM unnest(ARRAY['regress_bk_anybody', 'backup_service_user', 'backup_service_operator']) role;

SELECT * FROM finish();
ROLLBACK;
