-- Does everything public say what it is?  Each query shows what has no comment, or a poor one.

-- The extension, its schema, and all functions, views and tables.
CREATE TEMP VIEW described AS
SELECT pg_describe_object(d.classid, d.objid, 0) AS object, obj_description(d.objid, d.classid::regclass::name) AS description,
	   d.classid = 'pg_proc'::regclass AND (SELECT pronamespace = 'backup_service_http'::regnamespace FROM pg_proc WHERE oid = d.objid) AS internal,
	   d.classid = 'pg_proc'::regclass AND (SELECT pronamespace = 'backup_service_api'::regnamespace FROM pg_proc WHERE oid = d.objid) AS api
  FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
 WHERE e.extname = 'backup_service' AND d.deptype = 'e'
   AND (d.classid IN ('pg_proc'::regclass, 'pg_namespace'::regclass)
		OR d.classid = 'pg_class'::regclass AND (SELECT relkind FROM pg_class WHERE oid = d.objid) IN ('r', 'v', 'm', 'p'));
SELECT object FROM described WHERE description IS NULL AND NOT internal ORDER BY 1;
SELECT obj_description(oid, 'pg_extension') IS NULL AS missing FROM pg_extension WHERE extname = 'backup_service';

-- A comment is one line that begins as a phrase, without a full stop.
SELECT object, description FROM described WHERE description ~ E'\n' OR description ~ '\.$' OR NOT api AND description !~ '^(bk_|[a-z])' ORDER BY 1;

-- That of a function of the HTTP surface is its request, and what that is for where it does not say so.
SELECT object, description FROM described WHERE api AND description !~ '^(GET|POST|DELETE) /\S*(: [a-z].*)?$' ORDER BY 1;

-- Two objects do not share one.
SELECT description, count(*) FROM described WHERE description IS NOT NULL GROUP BY 1 HAVING count(*) > 1;

-- There is something to describe.
SELECT count(*) FILTER (WHERE object ~ '^function') >= 13 AS functions, count(*) FILTER (WHERE object ~ '^view') >= 4 AS views,
	   count(*) FILTER (WHERE object ~ '^table') >= 6 AS tables, count(*) FILTER (WHERE api) >= 13 AS api,
	   count(*) FILTER (WHERE internal) >= 13 AS internal
  FROM described;
