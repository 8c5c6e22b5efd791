-- What the extension is in this database, a line for each thing that a user, pg_dump or an upgrade can tell apart.
-- Nothing here depends on oids, or on the order in which things were made.
CREATE TEMP VIEW member AS
SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
 WHERE e.extname = 'backup_service' AND d.deptype = 'e';
-- Its tables and views, with their indexes, sequences and row types.
CREATE TEMP VIEW relation AS
SELECT c.* FROM pg_class c WHERE c.relnamespace <> 'pg_toast'::regnamespace AND (EXISTS (SELECT FROM member WHERE classid = 'pg_class'::regclass AND objid = c.oid)
    OR EXISTS (SELECT FROM pg_depend d JOIN member m ON m.classid = d.refclassid AND m.objid = d.refobjid
				WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i'))
    OR EXISTS (SELECT FROM pg_index i JOIN member m ON m.objid = i.indrelid WHERE i.indexrelid = c.oid));
CREATE FUNCTION pg_temp.rights(acl aclitem[]) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(a::text, ' ' ORDER BY a::text), '-') FROM unnest(acl) a
$$;

CREATE TEMP VIEW line AS
SELECT concat_ws(' | ', 'member', i.type, i.identity) AS line FROM member, pg_identify_object(classid, objid, 0) i
UNION ALL
SELECT concat_ws(' | ', 'schema', nspname, pg_temp.rights(nspacl)) FROM pg_namespace WHERE oid IN (SELECT objid FROM member WHERE classid = 'pg_namespace'::regclass)
UNION ALL
SELECT concat_ws(' | ', 'function', oid::regprocedure, pg_temp.rights(proacl), pg_get_functiondef(oid))
  FROM pg_proc WHERE oid IN (SELECT objid FROM member WHERE classid = 'pg_proc'::regclass) AND prokind <> 'a'
UNION ALL
SELECT concat_ws(' | ', 'relation', oid::regclass, relkind, relpersistence, relrowsecurity, reloptions, pg_temp.rights(relacl),
	CASE WHEN relkind = 'v' THEN pg_get_viewdef(oid) WHEN relkind = 'i' THEN pg_get_indexdef(oid) END) FROM relation
UNION ALL
SELECT concat_ws(' | ', 'sequence', s.seqrelid::regclass, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle)
  FROM pg_sequence s JOIN relation r ON r.oid = s.seqrelid
UNION ALL
-- Columns by their places, since a view's row, or a table's, is a type.
SELECT concat_ws(' | ', 'column', r.oid::regclass, row_number() OVER (PARTITION BY r.oid ORDER BY a.attnum), a.attname, format_type(a.atttypid, a.atttypmod),
	a.attnotnull, a.attstorage, a.attcompression, nullif(a.attcollation, 0)::regcollation, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid), pg_temp.rights(a.attacl))
  FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT concat_ws(' | ', 'constraint', r.oid::regclass, c.conname, pg_get_constraintdef(c.oid)) FROM relation r JOIN pg_constraint c ON c.conrelid = r.oid
UNION ALL
SELECT concat_ws(' | ', 'comment', i.type, i.identity, d.description)
  FROM pg_description d JOIN (SELECT classid, objid FROM member UNION SELECT 'pg_class'::regclass, oid FROM relation) o ON o.classid = d.classoid AND o.objid = d.objoid,
	   pg_identify_object(d.classoid, d.objoid, d.objsubid) i
UNION ALL
SELECT concat_ws(' | ', 'dumped', c.oid::regclass, condition) FROM pg_extension e, unnest(e.extconfig, e.extcondition) AS c(oid, condition) WHERE e.extname = 'backup_service'
UNION ALL
-- The rights that pg_dump takes for given.
SELECT concat_ws(' | ', 'first rights', i.type, i.identity, pg_temp.rights(p.initprivs))
  FROM pg_init_privs p JOIN member m ON m.classid = p.classoid AND m.objid = p.objoid, pg_identify_object(p.classoid, p.objoid, p.objsubid) i
UNION ALL
-- What the script itself has put into tables.
SELECT concat_ws(' | ', 'policy', to_jsonb(p) - 'updated_at') FROM backup_service.policy p
UNION ALL
SELECT concat_ws(' | ', 'role', r.rolname, r.rolcanlogin, r.rolinherit, (SELECT string_agg(m.roleid::regrole::text, ' ' ORDER BY 1) FROM pg_auth_members m WHERE m.member = r.oid))
  FROM pg_roles r WHERE rolname LIKE 'backup\_service\_%';
SELECT replace(line, E'\n', ' // ') FROM line ORDER BY line COLLATE "C";
