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

-- No function is LANGUAGE sql; all but the two pure ones are parallel unsafe, and all but those and metrics volatile.
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
  JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'backup_service'
 WHERE l.lanname = 'sql';
SELECT p.oid::regprocedure, p.provolatile, p.proparallel FROM pg_proc p
  JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'backup_service'
 WHERE p.provolatile <> 'v' OR p.proparallel <> 'u' ORDER BY 1;
