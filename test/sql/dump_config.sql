-- Does pg_dump take the contents of every table and sequence of the extension?

-- Whatever is not configured for it:
SELECT c.oid::regclass, c.relkind
  FROM pg_class c, pg_extension e
 WHERE e.extname = 'backup_service' AND c.relnamespace = 'backup_service'::regnamespace AND c.relkind IN ('r', 'p', 'S')
   AND c.oid <> ALL (e.extconfig)
 ORDER BY 1;

-- Whatever is configured, and that all of each is, but for notices, which nobody waits for after a restore.
SELECT c.oid::regclass, c.relkind, e.extcondition[n] AS condition
  FROM pg_extension e, unnest(e.extconfig) WITH ORDINALITY AS config(oid, n) JOIN pg_class c ON c.oid = config.oid
 WHERE e.extname = 'backup_service'
 ORDER BY c.oid::regclass::text COLLATE "C";

-- Nothing is unlogged or temporary, and every table and sequence belongs to the extension, or to a table of it.
SELECT oid::regclass FROM pg_class WHERE relnamespace = 'backup_service'::regnamespace AND relpersistence <> 'p';
SELECT c.oid::regclass FROM pg_class c
 WHERE c.relnamespace = 'backup_service'::regnamespace AND c.relkind IN ('r', 'p', 'S', 'v')
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i'));
