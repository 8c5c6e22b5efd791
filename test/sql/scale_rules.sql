-- Can the tables be distributed by resource_id?  (docs/architecture.md, Scale-out.)
-- Each query shows what breaks a rule.

-- The tables of resources, so that the rules are seen to be about something.
CREATE TEMP VIEW per_resource AS
SELECT c.oid, c.relname, a.attnum
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'resource_id'
 WHERE c.relnamespace = 'backup_service'::regnamespace AND c.relkind IN ('r', 'p');
SELECT relname FROM per_resource ORDER BY relname COLLATE "C";

-- resource_id leads every primary key and unique constraint or index.
SELECT i.indexrelid::regclass FROM pg_index i JOIN per_resource r ON r.oid = i.indrelid
 WHERE (i.indisunique OR i.indisprimary OR i.indisexclusion) AND i.indkey[0] <> r.attnum;
SELECT relname FROM per_resource r WHERE NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = r.oid AND i.indisprimary);

-- There are no foreign keys: they would be in the way of a dump's rows (sql/20_tables.sql).
SELECT conname FROM pg_constraint WHERE connamespace = 'backup_service'::regnamespace AND contype NOT IN ('p', 'c', 'n');
SELECT conname FROM pg_constraint WHERE connamespace = 'backup_service'::regnamespace AND (condeferrable OR condeferred);

-- resource_id is text COLLATE "C" everywhere.
SELECT r.relname FROM per_resource r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = r.attnum
 WHERE a.atttypid <> 'text'::regtype OR a.attcollation <> '"C"'::regcollation OR NOT a.attnotnull;

-- No triggers, no row-level security, no rules, no inheritance.
SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'backup_service'::regnamespace AND NOT t.tgisinternal;
SELECT relname FROM pg_class WHERE relnamespace = 'backup_service'::regnamespace AND (relrowsecurity OR relforcerowsecurity);
SELECT p.polname FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = 'backup_service'::regnamespace;
SELECT c.relname FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class WHERE c.relnamespace = 'backup_service'::regnamespace AND c.relkind <> 'v';
SELECT i.inhrelid::regclass FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relnamespace = 'backup_service'::regnamespace AND c.relkind = 'r';

-- Roles are stored by name; nothing is stored that means something on one node only.
SELECT c.relname, a.attname, a.atttypid::regtype FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relnamespace = 'backup_service'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
   AND a.atttypid IN ('oid'::regtype, 'regrole'::regtype, 'regclass'::regtype, 'regproc'::regtype, 'regtype'::regtype, 'regnamespace'::regtype, 'xid'::regtype, 'tid'::regtype, 'pg_lsn'::regtype);

-- Defaults are constants or identities: times and random values are computed in C and passed in.
SELECT d.adrelid::regclass, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
 WHERE c.relnamespace = 'backup_service'::regnamespace AND pg_get_expr(d.adbin, d.adrelid) ~ '\(';

-- Every identity of a table has ids of its node's own where there is Citus: bk_distribute() knows each, and so does the
-- install script (test/tools/statements).
CREATE TEMP VIEW identities AS
SELECT c.relname, a.attname, a.atttypid::regtype AS type FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relnamespace = 'backup_service'::regnamespace AND c.relkind = 'r' AND a.attidentity <> '';
SELECT * FROM identities ORDER BY relname COLLATE "C";
SELECT i.* FROM identities i, pg_proc p WHERE p.proname = 'bk_distribute'
   AND NOT p.prosrc ~ format($$spread_ids\('backup_service\.%s', '%s'\)$$, i.relname, i.attname);
SELECT count(*) FROM pg_class WHERE relnamespace = 'backup_service'::regnamespace AND relkind = 'S';

-- bk_distribute() places each table: those of resources by resource_id.
SELECT relname FROM per_resource r, pg_proc p WHERE p.proname = 'bk_distribute' AND NOT p.prosrc ~ format($$\('%s', 'distributed'\)$$, r.relname);
SELECT c.relname FROM pg_class c, pg_proc p WHERE p.proname = 'bk_distribute' AND c.relnamespace = 'backup_service'::regnamespace AND c.relkind = 'r'
   AND NOT p.prosrc ~ format($$\('%s', '(distributed|reference|local)'\)$$, c.relname);

-- No function is LANGUAGE sql; all but the two pure ones are parallel unsafe.
CREATE TEMP VIEW functions AS
SELECT p.oid, p.pronamespace::regnamespace::text AS schema, p.proname::text AS name, p.provolatile, p.proparallel, p.prosrc, l.lanname
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
  JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'backup_service';
SELECT oid::regprocedure FROM functions WHERE lanname NOT IN ('c', 'plpgsql');
SELECT oid::regprocedure, proparallel FROM functions WHERE proparallel <> 'u' ORDER BY 1;

-- In C all are volatile, so that they have a view of their own, but the pure ones, and those that hand a request of the
-- HTTP surface on: they are as the functions that they call.
SELECT oid::regprocedure, provolatile FROM functions WHERE lanname = 'c' AND provolatile <> 'v' AND schema <> 'backup_service_api' ORDER BY 1;
SELECT a.oid::regprocedure, a.provolatile, h.oid::regprocedure, h.provolatile
  FROM functions a LEFT JOIN functions h ON h.schema = 'backup_service_http' AND h.name = a.name
 WHERE a.schema = 'backup_service_api' AND a.provolatile IS DISTINCT FROM h.provolatile;

-- PostgREST runs a request in a READ ONLY transaction where its function is STABLE: those that leave no trace.  bk_verify()
-- and bk_export() write to the audit trail.
SELECT name, provolatile FROM functions WHERE schema = 'backup_service_api' ORDER BY name COLLATE "C";

-- What a plpgsql function calls and reads: immutable ones nothing but immutable ones, and no table, view, setting or clock;
-- stable ones what is volatile only because it has a view of its own, or sets the answer's status.
CREATE TEMP VIEW calls AS
SELECT f.oid, f.provolatile, c.oid AS called, c.provolatile AS called_volatile
  FROM functions f JOIN functions c ON f.prosrc ~ format('\m%s\.%s\(', c.schema, c.name)
 WHERE f.lanname = 'plpgsql';
SELECT oid::regprocedure, called::regprocedure, called_volatile FROM calls WHERE provolatile = 'i' AND called_volatile <> 'i' ORDER BY 1, 2;
SELECT oid::regprocedure FROM functions WHERE lanname = 'plpgsql' AND provolatile = 'i'
   AND prosrc ~* '\m(from|join|into|update)\s+(public\.|backup_service\.|pg_[a-z]+\M)|current_|session_|\mnow\(|clock_|random|::timestamptz|set_config';
SELECT DISTINCT called::regprocedure FROM calls WHERE provolatile = 's' AND called_volatile = 'v' ORDER BY 1;
-- The pattern finds something.
SELECT count(*) > 40 AS calls FROM calls;

-- In plpgsql no statement has both a function of ours that reads or writes and a table or a view: Citus refuses such nesting.
-- Nor has it MERGE, or a subquery in VALUES.
CREATE TEMP VIEW sentences AS
SELECT f.oid, s.sentence FROM functions f, regexp_split_to_table(regexp_replace(f.prosrc, '--[^\n]*', '', 'g'), ';|\mBEGIN\M|\mTHEN\M|\mLOOP\M') s (sentence)
 WHERE f.lanname = 'plpgsql';
SELECT oid::regprocedure, sentence FROM sentences
 WHERE sentence ~ '\mbk_(?!delta|apply)\w+\(' AND sentence ~* '\m(from|join|into|update)\s+(public\.)?(backup_service\.|bk_)\w+\M(?!\()';
SELECT oid::regprocedure, sentence FROM sentences WHERE sentence ~* '\mmerge\s+into\M|\mvalues\s*\([^)]*\mselect\M';
SELECT count(*) > 100 AS sentences FROM sentences;

-- The API finds one backup, or one operation, by the index that is there for it, however many resources there are, and also
-- where nothing was analyzed yet.
SET client_min_messages = error;
SELECT count(*) FROM generate_series(1, 200) n, LATERAL bk_create('found-' || n, '1');
SELECT max(backup_id) AS backup FROM bk_backups \gset
SELECT count(bk_restore(:backup)) FROM generate_series(1, 10);
SELECT max(operation_id) AS operation FROM bk_operations \gset
BEGIN;
SELECT pg_stat_get_xact_numscans('backup_service.backup_by_id'::regclass) AS backups,
	   pg_stat_get_xact_numscans('backup_service.restore_operation_by_id'::regclass) AS operations,
	   pg_stat_get_xact_tuples_returned('backup_service.resource'::regclass) AS before \gset
SELECT backup_id = :backup AS same FROM backup_service_http.backup_with(:backup);
SELECT operation_id = :operation AS same FROM backup_service_http.operation_with(:operation);
SELECT pg_stat_get_xact_numscans('backup_service.backup_by_id'::regclass) - :backups AS backups_by_id,
	   pg_stat_get_xact_numscans('backup_service.restore_operation_by_id'::regclass) - :operations AS operations_by_id,
	   pg_stat_get_xact_tuples_returned('backup_service.resource'::regclass) - :before AS resources_scanned;
COMMIT;
-- So do the views, where the planner knows the tables.
ANALYZE backup_service.resource, backup_service.backup, backup_service.restore_operation;
BEGIN;
SELECT pg_stat_get_xact_tuples_returned('backup_service.resource'::regclass) AS before \gset
SELECT count(*) FROM bk_backups WHERE backup_id = :backup;
SELECT count(*) FROM bk_operations WHERE operation_id = :operation;
SELECT pg_stat_get_xact_tuples_returned('backup_service.resource'::regclass) - :before AS resources_scanned;
-- The figure is about something.
SELECT count(*) >= 200 FROM bk_resources WHERE stored_size > 0;
SELECT pg_stat_get_xact_tuples_returned('backup_service.resource'::regclass) - :before >= 200 AS scanned;
ROLLBACK;
SELECT sum(bk_resource_drop('found-' || n)) FROM generate_series(1, 200) n;
RESET client_min_messages;
