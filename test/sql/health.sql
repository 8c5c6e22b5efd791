-- What does bk_health() complain of?  (With a worker, and without keys: test/t/025_scrub.pl, 026_notify.pl.)
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

-- Times, counts and versions depend on the server.
CREATE FUNCTION pg_temp.health(check_name text) RETURNS text LANGUAGE sql AS
$$ SELECT CASE WHEN ok THEN 'ok: ' ELSE 'NOT OK: ' END || regexp_replace(regexp_replace(detail, '\d+-\d+-\d+ [0-9:.+-]+', 'TIME', 'g'), '\d+', 'N', 'g')
	 FROM bk_health() WHERE name = check_name $$;

SELECT backup_id AS id FROM bk_create('health/r', '{"n": 1}') \gset
SELECT name, critical FROM bk_health();

-- A worker is there, or nobody has asked for one.
SELECT ok = (current_setting('shared_preload_libraries') ~ 'backup_service') AS as_configured FROM bk_health() WHERE name = 'worker';

-- Without one, nobody would send notices, and none are written.
SELECT count(*) FROM backup_service.notice WHERE current_setting('shared_preload_libraries') !~ 'backup_service';

-- The queue: what is due begins within minutes.
BEGIN;
DELETE FROM backup_service.restore_operation;
SELECT pg_temp.health('restore_queue');
SELECT bk_restore_enqueue(:id) > 0 AS queued;
SELECT pg_temp.health('restore_queue');
UPDATE backup_service.restore_operation SET next_attempt_at = now() - interval '6 minutes';
SELECT pg_temp.health('restore_queue');
UPDATE backup_service.restore_operation SET next_attempt_at = now() + interval '6 minutes';
SELECT pg_temp.health('restore_queue');
ROLLBACK;

-- The scrub: two intervals are a day each.
BEGIN;
DELETE FROM backup_service.job WHERE name = 'scrub';
SELECT pg_temp.health('scrub');
UPDATE backup_service.key SET created_at = now() - interval '49 hours';
SELECT pg_temp.health('scrub');
INSERT INTO backup_service.job VALUES ('scrub', now() - interval '47 hours');
SELECT pg_temp.health('scrub');
UPDATE backup_service.job SET last_run_at = now() - interval '49 hours' WHERE name = 'scrub';
SELECT pg_temp.health('scrub');
ROLLBACK;

-- Keys: those in use can be had, and were copied.
SELECT pg_temp.health('keys');
BEGIN;
UPDATE backup_service.key SET fingerprint = sha256(fingerprint) WHERE state = 'active';
SELECT pg_temp.health('keys');
UPDATE backup_service.key SET state = 'retired';
SELECT pg_temp.health('keys');
ROLLBACK;
BEGIN;
UPDATE backup_service.key SET copied_at = NULL;
SELECT pg_temp.health('keys_copied');
SELECT count(bk_key_copied(version)) > 0 AS copied FROM bk_keys;
SELECT pg_temp.health('keys_copied');
ROLLBACK;

-- Corrupt backups are counted.
BEGIN;
UPDATE backup_service.backup SET status = 'completed' WHERE status <> 'completed';
SELECT pg_temp.health('corrupt_backups');
UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE backup_id = :id;
SELECT bk_verify(:id)->'valid' AS valid;
SELECT pg_temp.health('corrupt_backups');
ROLLBACK;

-- A backup that a policy expects is overdue; bk_verify() says so too.
BEGIN;
SELECT pg_temp.health('overdue_backups');
SELECT bk_policy_set('health daily', keep_last => 3, expect_every => '1 day');
SELECT bk_policy_assign('health/r', 'health daily');
SELECT pg_temp.health('overdue_backups');
UPDATE backup_service.resource SET last_backup_at = now() - interval '25 hours' WHERE resource_id = 'health/r';
SELECT pg_temp.health('overdue_backups');
SELECT regexp_replace(bk_verify(:id)->>'warnings', '\d+-\d+-\d+ [0-9:.+-]+', 'TIME', 'g') AS warnings;
UPDATE backup_service.resource SET last_backup_at = '-infinity' WHERE resource_id = 'health/r';
SELECT pg_temp.health('overdue_backups');
SELECT bk_policy_set('health daily', keep_last => 3);
SELECT pg_temp.health('overdue_backups');
ROLLBACK;

-- Clean-up that has stopped is somebody's to look at.
BEGIN;
SELECT pg_temp.health('cleanup');
UPDATE backup_service.resource SET cleanup_stopped_at = now() WHERE resource_id = 'health/r';
SELECT pg_temp.health('cleanup');
ROLLBACK;

-- What the worker should have taken: not for long, and not many.
BEGIN;
DELETE FROM backup_service.notice;
SELECT pg_temp.health('notices');
INSERT INTO backup_service.notice (resource_id, event, at) VALUES ('health/r', 'created', now() - interval '4 minutes');
SELECT pg_temp.health('notices');
UPDATE backup_service.notice SET at = now() - interval '6 minutes';
SELECT pg_temp.health('notices');
UPDATE backup_service.notice SET at = now();
INSERT INTO backup_service.notice (resource_id, event, at) SELECT 'health/r', 'created', now() FROM generate_series(1, 10000);
SELECT pg_temp.health('notices');
ROLLBACK;
BEGIN;
DELETE FROM backup_service.audit_unsealed;
SELECT pg_temp.health('unsealed_audit_events');
SELECT bk_read(:id);
SELECT pg_temp.health('unsealed_audit_events');
UPDATE backup_service.audit_unsealed SET at = now() - interval '6 minutes';
SELECT pg_temp.health('unsealed_audit_events');
ROLLBACK;

-- It writes nothing.
BEGIN READ ONLY;
SELECT count(*) = 11 AS all_checks FROM bk_health();
COMMIT;

-- Operators and auditors may ask, users may not.
CREATE ROLE regress_bk_health;
GRANT backup_service_user TO regress_bk_health;
SET ROLE regress_bk_health;
CALL pg_temp.attempt('SELECT bk_health()');
RESET ROLE;
REVOKE backup_service_user FROM regress_bk_health;
GRANT backup_service_auditor TO regress_bk_health;
SET ROLE regress_bk_health;
SELECT count(*) FROM bk_health();
RESET ROLE;
DROP ROLE regress_bk_health;
