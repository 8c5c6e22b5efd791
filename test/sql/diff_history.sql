-- What changed between two backups, and how did one value change through time?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

SELECT backup_id AS v1 FROM bk_create('history/r', '{"name": "a", "list": [1, 2]}') \gset
SELECT backup_id AS v2 FROM bk_create('history/r', '{"name": "b", "list": [1, 2], "odd key": {"x.y": null}}', 'incremental') \gset
SELECT backup_id AS v3 FROM bk_create('history/r', '{"name": "b", "list": [1, 2, 3], "odd key": {"x.y": 1}}', 'incremental') \gset
SELECT backup_id AS v4 FROM bk_create('history/r', '{"list": [], "odd key": {"x.y": 1}}', 'differential') \gset
SELECT backup_id AS v5 FROM bk_create('history/r', '{"name": "b", "list": [1.0]}') \gset
SELECT backup_id AS v6 FROM bk_create('history/r', '{"name": "b", "list": [1.00]}', 'incremental') \gset

-- bk_diff() is bk_delta() of the two states.
SELECT bk_diff(:v1, :v2);
SELECT bk_diff(:v2, :v1);
SELECT bk_diff(:v3, :v3);
SELECT count(*), bool_and(bk_diff(f.backup_id, t.backup_id) = bk_delta(bk_read(f.backup_id), bk_read(t.backup_id))) AS same,
	   bool_and(bk_apply(bk_read(f.backup_id), bk_diff(f.backup_id, t.backup_id, 'history/r')) = bk_read(t.backup_id)) AS applies
  FROM bk_backups f, bk_backups t WHERE f.resource_id = 'history/r' AND t.resource_id = 'history/r';

-- It also compares two resources, where none is named.
SELECT backup_id AS other FROM bk_create('history/other', '{"name": "z", "list": [1, 2]}') \gset
SELECT bk_diff(:v1, :other);
CALL pg_temp.attempt(format('SELECT bk_diff(%s, %s, ''history/r'')', :v1, :other));
CALL pg_temp.attempt(format('SELECT bk_diff(%s, -1)', :v1));

-- bk_history(): changes only; where the value is not there it is null, which a JSON null is not.
SELECT pg_temp.n(backup_id) AS backup_id, value FROM bk_history('history/r', 'name');
SELECT pg_temp.n(backup_id) AS backup_id, value FROM bk_history('history/r', 'list');
SELECT pg_temp.n(backup_id) AS backup_id, value FROM bk_history('history/r', 'list[1]');
SELECT pg_temp.n(backup_id) AS backup_id, value, value IS NULL AS missing FROM bk_history('history/r', '["odd key"]["x.y"]');
SELECT pg_temp.n(backup_id) AS backup_id, value FROM bk_history('history/r', 'odd-key');
SELECT pg_temp.n(backup_id) AS backup_id, value FROM bk_history('history/r', 'name.first');
SELECT pg_temp.n(backup_id) AS backup_id, value FROM bk_history('history/r', '');
SELECT bool_and(h.created_at = b.created_at) AS times FROM bk_history('history/r', '') h JOIN bk_backups b USING (backup_id);

-- In order of time, also where a differential lies between; deleted backups are left out.
SELECT bk_delete(:v2);
SELECT bk_delete(:v5);
SELECT pg_temp.n(backup_id) AS backup_id, value FROM bk_history('history/r', 'name');

-- In a read-only transaction, and half read.
BEGIN READ ONLY;
SELECT pg_temp.n(backup_id) AS backup_id, value FROM bk_history('history/r', 'name') LIMIT 1;
SELECT bk_diff(:v1, :v3);
COMMIT;

-- A resource without backups has no history; one that is not there is an error.
SELECT backup_id AS gone FROM bk_create('history/empty', '1') \gset
SELECT bk_delete(:gone);
SELECT * FROM bk_history('history/empty', '');
CALL pg_temp.attempt('SELECT * FROM bk_history(''history/none'', ''a'')');

-- Malformed paths.
CALL pg_temp.attempt('SELECT * FROM bk_history(''history/r'', ''a b'')');
CALL pg_temp.attempt('SELECT * FROM bk_history(''history/r'', ''list[01]'')');
CALL pg_temp.attempt('SELECT * FROM bk_history(''history/r'', ''.name'')');
CALL pg_temp.attempt('SELECT * FROM bk_history(''history/r'', ''["name'')');
CALL pg_temp.attempt('SELECT * FROM bk_history(''history/r'', ''list[1]x'')');
