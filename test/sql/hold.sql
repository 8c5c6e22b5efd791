-- Does a held backup stay, and what it builds on?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

SELECT backup_id AS full FROM bk_create('hold/r', '{"n": 1, "k": 0}') \gset
SELECT backup_id AS first FROM bk_create('hold/r', '{"n": 2, "k": 0}', 'incremental') \gset
SELECT backup_id AS second FROM bk_create('hold/r', '{"n": 3, "k": 0}', 'incremental') \gset
SELECT backup_id AS other FROM bk_create('hold/r', '{"n": 4, "k": 0}') \gset

-- Holds have names; a backup may have several.
SELECT bk_hold(:first, 'audit 2026', 'the auditors want to see it');
SELECT bk_hold(:first, 'migration', 'until the migration is done', 'infinity');
SELECT bk_hold(:other, 'for now', '', now() + interval '1 day', 'hold/r');
CREATE TEMP VIEW holds AS
SELECT pg_temp.n(backup_id) AS backup_id, resource_id, name, reason, until > now() AS until, created_by = current_user AS by_me,
	   created_at <= clock_timestamp() AS created_at
  FROM bk_holds WHERE resource_id LIKE 'hold/%' ORDER BY bk_holds.backup_id, name;
SELECT * FROM holds;

-- The backup stays, and what it builds on; what builds on it may go.
CALL pg_temp.attempt(format('SELECT bk_delete(%s)', :first));
CALL pg_temp.attempt(format('SELECT bk_delete(%s)', :full));
CALL pg_temp.attempt(format('SELECT bk_delete(%s, ''cascade'')', :full));
CALL pg_temp.attempt(format('SELECT bk_delete(%s, ''restrict'')', :first));
CALL pg_temp.attempt(format('SELECT bk_delete(%s)', :other));
BEGIN;
SELECT bk_delete(:second);
ROLLBACK;
-- A hold is about the state, which a consolidation keeps.
BEGIN;
SELECT type FROM bk_consolidate(:first);
SELECT bk_read(:first);
-- What it was built on is not needed any more.
SELECT bk_delete(:full);
ROLLBACK;

-- Released one by one.
SELECT bk_release(:first, 'audit 2026');
CALL pg_temp.attempt(format('SELECT bk_delete(%s)', :full));
SELECT bk_release(:first, 'migration', 'hold/r');
BEGIN;
SELECT bk_delete(:full, 'cascade');
ROLLBACK;

-- A hold that has ended holds nothing, and another one may take its name.
UPDATE backup_service.hold SET until = created_at WHERE backup_id = :other;
SELECT bk_hold(:other, 'for now', 'again');
SELECT * FROM holds;
CALL pg_temp.attempt(format('SELECT bk_hold(%s, ''for now'', ''once more'')', :other));
UPDATE backup_service.hold SET until = created_at WHERE backup_id = :other;
SELECT bk_delete(:other);
-- It leaves with the backup.
SELECT count(*) FROM backup_service.hold WHERE backup_id = :other;

-- What is refused.
CALL pg_temp.attempt(format('SELECT bk_hold(%s, NULL, ''x'')', :full));
CALL pg_temp.attempt(format('SELECT bk_hold(%s, ''x'', NULL)', :full));
CALL pg_temp.attempt(format('SELECT bk_hold(%s, ''x'', repeat(''x'', 10000))', :full));
CALL pg_temp.attempt('SELECT bk_hold(NULL, ''x'', ''x'')');
CALL pg_temp.attempt('SELECT bk_hold(-1, ''x'', ''x'')');
CALL pg_temp.attempt(format('SELECT bk_hold(%s, ''x'', ''x'', resource_id => ''hold/s'')', :full));
CALL pg_temp.attempt(format('SELECT bk_hold(%s, ''x'', ''x'', ''2000-01-01'')', :full));
CALL pg_temp.attempt(format('SELECT bk_hold(%s, ''x'', ''x'', ''-infinity'')', :full));
CALL pg_temp.attempt(format('SELECT bk_release(%s, ''nonesuch'')', :full));
CALL pg_temp.attempt(format('SELECT bk_release(%s, NULL)', :full));
BEGIN READ ONLY;
CALL pg_temp.attempt(format('SELECT bk_hold(%s, ''x'', ''x'')', :full));
CALL pg_temp.attempt(format('SELECT bk_release(%s, ''x'')', :full));
ROLLBACK;

-- Both are in the audit trail.
SELECT action, outcome, pg_temp.n(backup_id) AS backup_id, detail - 'until' AS detail, detail ? 'until' AS until
  FROM bk_audit WHERE resource_id = 'hold/r' AND action IN ('hold', 'release') ORDER BY number;
SELECT * FROM bk_audit_verify('hold/r');
