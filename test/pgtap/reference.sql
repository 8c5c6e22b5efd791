-- Does docs/reference.md have a line for each function, view, column and setting, true of the catalog, and none of what is
-- not there?  test/tools/reference compares its errors with the source.
\set ECHO none
\set QUIET 1
\pset format unaligned
\pset tuples_only true
\set ON_ERROR_STOP true
BEGIN;
LOAD 'backup_service';
SET client_min_messages = warning;
\set page `cat docs/reference.md`
CREATE TEMP TABLE line AS
SELECT n, text FROM regexp_split_to_table(:'page', '\n') WITH ORDINALITY t (text, n);

SELECT plan(15);

-- ----- Functions: heading, signature, who.
CREATE FUNCTION pg_temp.roles(privileged regprocedure) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(role, ', ' ORDER BY n) FROM unnest('{user,operator,auditor}'::text[]) WITH ORDINALITY r (role, n)
	 WHERE has_function_privilege('backup_service_' || role, privileged, 'EXECUTE');
$$;
-- As the page writes what the catalog says.
CREATE FUNCTION pg_temp.short(said text) RETURNS text LANGUAGE sql AS $$
	SELECT replace(replace(regexp_replace(replace(said, 'timestamp with time zone', 'timestamptz'), '::[a-z]+', '', 'g'),
		' DEFAULT NULL', ' = null'), ' DEFAULT ', ' = ');
$$;
CREATE FUNCTION pg_temp.signature(described regprocedure) RETURNS text LANGUAGE sql AS $$
	SELECT p.proname || '(' || pg_temp.short(coalesce(string_agg(a, ', ' ORDER BY n) FILTER (WHERE a !~ '^OUT '), '')) || ') returns '
		|| pg_temp.short(coalesce('table(' || string_agg(substr(a, 5), ', ' ORDER BY n) FILTER (WHERE a ~ '^OUT ') || ')', lower(pg_get_function_result(p.oid))))
	  FROM pg_proc p LEFT JOIN LATERAL regexp_split_to_table(pg_get_function_arguments(p.oid), ', ') WITH ORDINALITY t (a, n) ON true
	 WHERE p.oid = described GROUP BY p.oid;
$$;
CREATE TEMP TABLE here AS
SELECT p.proname::text AS name, pg_temp.signature(p.oid) AS signature, pg_temp.roles(p.oid) AS roles
  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
 WHERE p.pronamespace = 'public'::regnamespace AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'backup_service');
CREATE TEMP TABLE listed AS
SELECT m[1] AS name, regexp_replace(m[2], '\s+', ' ', 'g') AS signature, m[3] AS roles
  FROM regexp_matches(:'page', '\n#### (bk_\w+)\n\n```\n([^`]*)\n```\n\nWho: ([a-z, ]+)\. Writes: ', 'g') AS m;
SELECT set_eq('SELECT name FROM listed', 'SELECT name FROM here', 'each function has its entry');
SELECT bag_eq('SELECT name FROM listed', 'SELECT DISTINCT name FROM listed', 'and one alone');
SELECT is(count(*)::int, (SELECT count(*)::int FROM listed), 'no heading is without a signature') FROM line WHERE text ~ '^#### ';
SELECT set_eq('SELECT signature FROM listed', 'SELECT signature FROM here', 'its signature is so');
SELECT set_eq('SELECT name, roles FROM listed', 'SELECT name, roles FROM here', 'and who may call it');
SELECT cmp_ok(count(*), '>', 40::bigint, 'there are some') FROM listed;

-- Those over HTTP, with their requests.
SELECT set_eq(
	$$ SELECT m[1] AS name, m[2] AS parameter, m[3] AS request, m[4] AS roles FROM line, regexp_match(text, '^\| `(\w+)\((\w+)\)` \| `([^`]*)` \| ([a-z, ]+) \|$') m WHERE m IS NOT NULL $$,
	$$ SELECT proname::text, pg_get_function_arguments(oid), split_part(split_part(obj_description(oid, 'pg_proc'), ':', 1), '?', 1), pg_temp.roles(oid)
		 FROM pg_proc WHERE pronamespace = 'backup_service_api'::regnamespace $$, 'the functions over HTTP are so');

-- ----- Views and their columns, in order, with their types.
CREATE TEMP TABLE here_column AS
SELECT c.relname::text AS view, a.attname::text AS name, pg_temp.short(format_type(a.atttypid, a.atttypmod)) AS type,
	   row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum) AS number
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
 WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'backup_service');
CREATE TEMP TABLE section AS
SELECT substring(text FROM '^(bk_\w+)\n') AS view, substring(text FROM '\nWho: ([a-z, ]+)\.') AS roles, text
  FROM regexp_split_to_table(:'page', '\n#{2,4} ') t (text) WHERE text ~ '\n\| column \| type \| meaning \|\n';
CREATE TEMP TABLE listed_column AS
SELECT view, m[1] AS name, m[2] AS type, number
  FROM section, regexp_matches(text, '\n\| `(\w+)` \| ([a-z]+(?:\[\])?) \| [^|]+ \|(?=\n|$)', 'g') WITH ORDINALITY r (m, number);
SELECT set_eq('SELECT view FROM section', 'SELECT view FROM here_column', 'each view has its section');
SELECT set_eq('SELECT view, number, name, type FROM listed_column', 'SELECT view, number, name, type FROM here_column', 'with each column, its place and its type');
SELECT set_eq('SELECT view, roles FROM section',
	$$ SELECT v.view, string_agg(role, ', ' ORDER BY n) FROM (SELECT DISTINCT view FROM here_column) v, unnest('{user,operator,auditor}'::text[]) WITH ORDINALITY r (role, n)
		WHERE has_table_privilege('backup_service_' || role, view, 'SELECT') GROUP BY view $$, 'and who may read it');
SELECT cmp_ok(count(*), '>', 80::bigint, 'there are some') FROM listed_column;

-- ----- Settings: default, range, who may change them.
CREATE TEMP TABLE listed_setting AS
SELECT m[1] AS name, trim(m[2], ' `') AS value, trim(m[3]) AS least, trim(m[4]) AS most, m[5] AS who
  FROM regexp_matches(:'page', '\n\| `(backup_service\.\w+)` \|([^|]*)\|([^|]*)\|([^|]*)\| ([a-z ]+) \| [^|]+ \|(?=\n)', 'g') m;
SELECT is((SELECT count(*) FROM pg_settings WHERE name ~ '^backup_service\.' AND setting <> boot_val), 0::bigint, 'no setting is changed here');
SELECT set_eq('SELECT * FROM listed_setting',
	$$ SELECT name, current_setting(name) AS value, coalesce(CASE WHEN min_val = '0' THEN '0' ELSE concat_ws(' ', min_val, unit) END, '') AS least,
			  coalesce(CASE WHEN max_val IS NOT NULL THEN concat_ws(' ', max_val, unit) END, '') AS most,
			  CASE context WHEN 'sighup' THEN 'configuration file' WHEN 'superuser' THEN 'superuser' WHEN 'user' THEN 'anyone' END AS who
		 FROM pg_settings WHERE name ~ '^backup_service\.' $$, 'each setting has its line, and it is so');
SELECT cmp_ok(count(*), '>', 20::bigint, 'there are some') FROM listed_setting;
-- Nothing is named anywhere on the page that is not there.
SELECT is_empty(
	$$ SELECT DISTINCT m[1] FROM line, regexp_matches(text, '\m(bk_[a-z_]+)\M', 'g') m
		WHERE m[1] NOT IN (SELECT name FROM here UNION SELECT view FROM here_column UNION SELECT 'bk_recover') $$, 'no name is of something that is not there');

SELECT * FROM finish();
ROLLBACK;
