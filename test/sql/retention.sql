-- What does retention remove, keep and make full, and what does it say of that?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools
-- Backups of a resource, a word each: the type, or what a hundred would do more slowly.
CREATE PROCEDURE pg_temp.make(resource text, types text) LANGUAGE plpgsql AS
$$
DECLARE
	word text;
	n int = 0;
BEGIN
	FOREACH word IN ARRAY string_to_array(types, ' ') LOOP
		n := n + 1;
		PERFORM FROM bk_create(resource, jsonb_build_object('n', n, 'k', 0), CASE word WHEN 'f' THEN 'full' WHEN 'i' THEN 'incremental' ELSE 'differential' END);
	END LOOP;
END
$$;
-- Counted from the resource's first backup.
CREATE FUNCTION pg_temp.nth(backup bigint) RETURNS bigint LANGUAGE sql AS
$$ SELECT backup - min(b.backup_id) + 1 FROM backup_service.audit_event e, LATERAL (SELECT e.backup_id) b
	WHERE e.action = 'create' AND e.resource_id = (SELECT resource_id FROM backup_service.audit_event WHERE action = 'create' AND backup_id = backup) $$;
CREATE FUNCTION pg_temp.words(sentence text) RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	found text[] = regexp_match(sentence, 'since backup (\d+)');
BEGIN
	RETURN CASE WHEN found IS NULL THEN pg_temp.masked(sentence) ELSE replace(sentence, found[1], pg_temp.nth(found[1]::bigint)::text) END;
END
$$;
CREATE FUNCTION pg_temp.explained(resource text, OUT n bigint, OUT action text, OUT rules text[], OUT reason text) RETURNS SETOF record LANGUAGE sql AS
$$ SELECT pg_temp.nth(backup_id), action, rules, pg_temp.masked(reason) FROM bk_retention_explain(resource) ORDER BY created_at $$;
CREATE FUNCTION pg_temp.pruned(resource text, dry boolean, OUT n bigint, OUT action text, OUT reason text) RETURNS SETOF record LANGUAGE sql AS
$$ SELECT pg_temp.nth(backup_id), action, pg_temp.words(reason) FROM bk_prune(resource, dry) ORDER BY backup_id $$;
-- What is there, and whether every document is the one that was backed up.
CREATE FUNCTION pg_temp.state(resource text, OUT n bigint, OUT type text, OUT base bigint, OUT status text, OUT sound boolean) RETURNS SETOF record LANGUAGE sql AS
$$ SELECT pg_temp.nth(backup_id), type, pg_temp.nth(base_id), status,
		  status = 'completed' AND bk_read(backup_id) = jsonb_build_object('n', pg_temp.nth(backup_id), 'k', 0) FROM bk_backups WHERE resource_id = resource ORDER BY created_at $$;
SELECT bk_policy_set('test/three', keep_last => 3);

-- Without a policy everything stays.
CALL pg_temp.make('retention/r', 'f i i d i i i d');
SELECT * FROM pg_temp.explained('retention/r') LIMIT 2;
SELECT count(*) FROM bk_prune('retention/r') WHERE action = 'keep';

-- Look, look again, and do it: what was said is what is done.  Each survivor whose base leaves is made full, once.
SELECT bk_policy_assign('retention/r', 'test/three');
SELECT * FROM pg_temp.explained('retention/r');
CREATE TEMP TABLE tried AS SELECT * FROM bk_prune('retention/r', dry_run => true);
SELECT * FROM pg_temp.pruned('retention/r', true);
SELECT count(*) FROM pg_temp.state('retention/r');
CREATE TEMP TABLE done AS SELECT * FROM bk_prune('retention/r');
SELECT * FROM tried EXCEPT SELECT * FROM done;
SELECT count(*) FROM done;
SELECT * FROM pg_temp.state('retention/r');
SELECT action, pg_temp.nth(backup_id), detail - 'deleted_base' AS detail FROM bk_audit WHERE resource_id = 'retention/r' AND action IN ('consolidate', 'expire') ORDER BY number;
SELECT * FROM bk_audit_verify('retention/r');
-- There is nothing more to do, and the expired ones are tombstones.
SELECT action, count(*) FROM bk_prune('retention/r') GROUP BY 1;
SELECT count(*) FILTER (WHERE removed_at IS NOT NULL) AS tombstones, count(*) AS points FROM bk_snapshots WHERE resource_id = 'retention/r';
CALL pg_temp.attempt($$ SELECT bk_restore_at('retention/r', (SELECT created_at FROM bk_snapshots WHERE resource_id = 'retention/r' ORDER BY created_at LIMIT 1)) $$);

-- A tombstone keeps its place in the rules; what was corrupt, or had its own retention, never had one.
CALL pg_temp.make('retention/t', 'f f f f f f');
SELECT FROM bk_create('retention/t', '{"n": 7, "k": 0}', retention => '1 day');
SELECT FROM bk_create('retention/t', '{"n": 8, "k": 0}');
SELECT bk_policy_assign('retention/t', 'test/three');
SELECT n, action, rules FROM pg_temp.explained('retention/t');
SELECT bk_delete(backup_id) FROM bk_backups WHERE resource_id = 'retention/t' AND pg_temp.nth(backup_id) IN (6, 7);
SELECT n, action, rules FROM pg_temp.explained('retention/t');
UPDATE backup_service.backup SET status = 'corrupt' WHERE resource_id = 'retention/t' AND pg_temp.nth(backup_id) = 5;
SELECT n, action, rules FROM pg_temp.explained('retention/t');
SELECT bk_delete(backup_id) FROM bk_backups WHERE resource_id = 'retention/t' AND pg_temp.nth(backup_id) = 5;
SELECT n, action, rules FROM pg_temp.explained('retention/t');

-- A backup's own retention, and nothing else, decides on it.
CALL pg_temp.make('retention/own', 'f f');
SELECT FROM bk_create('retention/own', '{"n": 3, "k": 0}', retention => '1 year');
SELECT FROM bk_create('retention/own', '{"n": 4, "k": 0}', retention => '1 microsecond');
SELECT FROM bk_create('retention/own', '{"n": 5, "k": 0}', retention => '1 microsecond');
SELECT * FROM pg_temp.explained('retention/own');
SELECT until > now() + interval '360 days' AS next_year, until_is_exact FROM bk_retention_explain('retention/own') WHERE 'retention' = ANY (rules);
SELECT * FROM pg_temp.pruned('retention/own', false);
SELECT * FROM pg_temp.state('retention/own');

-- What is held, and what it builds on, stays as it is; a hold that has ended holds nothing.
CALL pg_temp.make('retention/held', 'f i i f i i f f f f');
SELECT bk_policy_assign('retention/held', 'test/three');
SELECT bk_hold(backup_id, 'trial', 'evidence') FROM bk_backups WHERE resource_id = 'retention/held' AND pg_temp.nth(backup_id) = 2;
SELECT bk_hold(backup_id, 'over', 'no more', now() + interval '1 hour') FROM bk_backups WHERE resource_id = 'retention/held' AND pg_temp.nth(backup_id) = 5;
UPDATE backup_service.hold SET until = now() - interval '1 second' WHERE resource_id = 'retention/held' AND name = 'over';
SELECT n, action, rules FROM pg_temp.explained('retention/held');
SELECT n, action FROM pg_temp.pruned('retention/held', false);
SELECT * FROM pg_temp.state('retention/held');
SELECT count(*) FROM backup_service.hold WHERE resource_id = 'retention/held';

-- A backup that has left the timeline behind a held one is a tombstone there, and still a backup: it is one point, not two.
SELECT bk_policy_set('test/short', keep_last => 4, max_snapshots => 2);
SELECT FROM bk_create('retention/behind', '{"n": 1, "k": 0}');
SELECT bk_policy_assign('retention/behind', 'test/short');
SELECT bk_hold(backup_id, 'trial', 'evidence') FROM bk_backups WHERE resource_id = 'retention/behind';
SELECT count(b.backup_id) FROM generate_series(2, 7) n, bk_create('retention/behind', jsonb_build_object('n', n, 'k', 0), 'incremental') b;
SELECT pg_temp.nth(s.backup_id) AS n, s.removed_at IS NOT NULL AS tombstone FROM bk_snapshots s WHERE s.resource_id = 'retention/behind' ORDER BY s.created_at;
SELECT n, action, rules FROM pg_temp.explained('retention/behind');
SELECT n, action FROM pg_temp.pruned('retention/behind', false);
SELECT * FROM pg_temp.state('retention/behind');

-- The same for what a running restore reads.
CALL pg_temp.make('retention/read', 'f i i f f f');
SELECT bk_policy_assign('retention/read', 'test/three');
INSERT INTO backup_service.restore_operation (operation_id, resource_id, backup_id, type, status, progress, validated, role, created_by, created_at, pinned)
SELECT 7, resource_id, backup_id, type, 'running', 0, false, current_user, 'a test', now(), ARRAY[base_id, backup_id]
  FROM backup_service.backup WHERE resource_id = 'retention/read' AND pg_temp.nth(backup_id) = 2;
SELECT n, action, rules FROM pg_temp.explained('retention/read');
SELECT n, action FROM pg_temp.pruned('retention/read', false);
UPDATE backup_service.restore_operation SET status = 'failed', pinned = NULL WHERE resource_id = 'retention/read';
SELECT n, action FROM pg_temp.pruned('retention/read', false);

-- What builds on damage is corrupt: it cannot be made full, and what it builds on stays.  The next good one takes its place.
SELECT bk_policy_set('test/two', keep_last => 2);
SELECT bk_policy_set('test/one', keep_last => 1);
CALL pg_temp.make('retention/damaged', 'f f i i');
SELECT bk_policy_assign('retention/damaged', 'test/one');
UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE resource_id = 'retention/damaged' AND pg_temp.nth(backup_id) = 2;
SELECT n, action FROM pg_temp.pruned('retention/damaged', true);
SET client_min_messages = error;
SELECT * FROM pg_temp.pruned('retention/damaged', false);
RESET client_min_messages;
SELECT pg_temp.nth(backup_id) AS n, type, pg_temp.nth(base_id) AS base, status FROM bk_backups WHERE resource_id = 'retention/damaged' ORDER BY 1;
SELECT action, pg_temp.nth(backup_id) AS n FROM bk_audit WHERE resource_id = 'retention/damaged' AND action NOT IN ('create', 'policy_assign') ORDER BY number;
SELECT * FROM bk_audit_verify('retention/damaged');
SELECT n, action, rules FROM pg_temp.explained('retention/damaged');
-- When the corrupt ones are to go themselves, all of it goes.
CALL pg_temp.make('retention/damaged', 'f f');
SELECT n, action FROM pg_temp.pruned('retention/damaged', false);

-- Without the master key nothing can be made full: what others build on stays, with a warning; the rest goes.
CALL pg_temp.make('retention/key', 'f f i i i');
SELECT bk_policy_assign('retention/key', 'test/two');
BEGIN;
UPDATE backup_service.key SET fingerprint = sha256('other');
-- The session forgets what it knew of the key.
SAVEPOINT s;
ROLLBACK TO s;
SET LOCAL client_min_messages = error;
SELECT pg_temp.nth(backup_id), action, pg_temp.words(reason) FROM bk_prune('retention/key');
SELECT pg_temp.nth(backup_id) AS n, type, pg_temp.nth(base_id) AS base FROM bk_backups WHERE resource_id = 'retention/key' ORDER BY 1;
ROLLBACK;
SELECT n, action FROM pg_temp.pruned('retention/key', false);
SELECT * FROM pg_temp.state('retention/key');

-- Another policy, tried before it is set.
CALL pg_temp.make('retention/try', 'f i i i i i i i i i i i');
SELECT action, count(*) FROM bk_policy_simulate('retention/try', keep_last => 7) GROUP BY 1 ORDER BY 1;
-- (Clean-up on its own would stop at half of them.)
SELECT action, count(*) FROM bk_policy_simulate('retention/try', keep_last => 2) GROUP BY 1 ORDER BY 1;
SELECT rules, count(*) FROM bk_policy_simulate('retention/try', keep_for => '1 hour', keep_yearly => 1, time_zone => 'Europe/Berlin') GROUP BY 1 ORDER BY 2, 1;
SELECT count(*) FROM bk_backups WHERE resource_id = 'retention/try';
SELECT policy FROM bk_resources WHERE resource_id = 'retention/try';
CALL pg_temp.attempt($$ SELECT bk_policy_simulate('retention/try') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_simulate('retention/try', keep_daily => -1) $$);
CALL pg_temp.attempt($$ SELECT bk_policy_simulate('retention/try', keep_daily => 1, time_zone => 'Nowhere') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_simulate('retention/none', keep_daily => 1) $$);
CALL pg_temp.attempt($$ SELECT bk_policy_simulate(NULL, keep_daily => 1) $$);

-- By the calendar: backups of the past, in words.  (Their times are set by hand, so they could not be restored.)
CALL pg_temp.make('retention/old', 'f f f f f');
UPDATE backup_service.backup SET created_at = '2020-03-28 12:00+01'::timestamptz + (pg_temp.nth(backup_id) - 1) * interval '12 hours' WHERE resource_id = 'retention/old';
SELECT pg_temp.nth(backup_id) AS n, created_at, action, rules FROM bk_policy_simulate('retention/old', keep_daily => 2, time_zone => 'Europe/Berlin') ORDER BY 2;
SELECT pg_temp.nth(backup_id) AS n, created_at, action, rules FROM bk_policy_simulate('retention/old', keep_daily => 2) ORDER BY 2;

-- What cannot be, and who may.
CALL pg_temp.attempt($$ SELECT bk_prune('retention/none') $$);
CALL pg_temp.attempt($$ SELECT bk_prune('retention/none', dry_run => true) $$);
CALL pg_temp.attempt($$ SELECT bk_prune('retention/r', NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_prune('') $$);
CALL pg_temp.attempt($$ SELECT bk_retention_explain('retention/none') $$);
CALL pg_temp.attempt($$ SELECT bk_retention_explain(NULL) $$);
BEGIN READ ONLY;
SELECT count(*) FROM bk_prune('retention/r', dry_run => true);
SELECT count(*) FROM bk_retention_explain('retention/r');
CALL pg_temp.attempt($$ SELECT bk_prune('retention/r') $$);
CALL pg_temp.attempt($$ SELECT bk_resource_drop('retention/r') $$);
COMMIT;
CREATE ROLE regress_bk_user IN ROLE backup_service_user;
CREATE ROLE regress_bk_other IN ROLE backup_service_user;
SET ROLE regress_bk_user;
CALL pg_temp.make('retention/mine', 'f f f f');
CALL pg_temp.attempt($$ SELECT bk_prune('retention/r') $$);
CALL pg_temp.attempt($$ SELECT bk_prune('retention/r', dry_run => true) $$);
CALL pg_temp.attempt($$ SELECT bk_retention_explain('retention/r') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_simulate('retention/r', keep_last => 1) $$);
CALL pg_temp.attempt($$ SELECT bk_resource_drop('retention/r') $$);
RESET ROLE;
SELECT bk_policy_assign('retention/mine', 'test/three');
-- Of all that one may use.
SET ROLE regress_bk_user;
SELECT action, count(*) FROM bk_prune(dry_run => true) GROUP BY 1 ORDER BY 1;
SELECT action, count(*) FROM bk_prune() GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM bk_backups;
RESET ROLE;

-- A resource ends: not while a backup is held or read.
CALL pg_temp.make('retention/drop', 'f i i');
SELECT bk_hold(backup_id, 'trial', 'evidence') FROM bk_backups WHERE resource_id = 'retention/drop' AND pg_temp.nth(backup_id) = 3;
CALL pg_temp.attempt($$ SELECT bk_resource_drop('retention/drop') $$);
SELECT bk_release(backup_id, 'trial') FROM bk_holds WHERE resource_id = 'retention/drop';
INSERT INTO backup_service.restore_operation (operation_id, resource_id, backup_id, type, status, progress, validated, role, created_by, created_at, pinned)
SELECT 7, resource_id, backup_id, type, 'running', 0, false, current_user, 'a test', now(), ARRAY[backup_id]
  FROM backup_service.backup WHERE resource_id = 'retention/drop' AND pg_temp.nth(backup_id) = 1;
CALL pg_temp.attempt($$ SELECT bk_resource_drop('retention/drop') $$);
DELETE FROM backup_service.restore_operation WHERE resource_id = 'retention/drop' AND created_by = 'a test';
SELECT bk_policy_assign('retention/drop', 'gfs');
SELECT bk_resource_drop('retention/drop');
SELECT (SELECT count(*) FROM bk_resources r WHERE r.resource_id = 'retention/drop') AS resources,
	   (SELECT count(*) FROM backup_service.backup b WHERE b.resource_id = 'retention/drop') AS backups,
	   (SELECT count(*) FROM backup_service.chunk c WHERE c.resource_id = 'retention/drop') AS chunks,
	   (SELECT count(*) FROM backup_service.snapshot s WHERE s.resource_id = 'retention/drop') AS points;
CALL pg_temp.attempt($$ SELECT bk_resource_drop('retention/drop') $$);
CALL pg_temp.attempt($$ SELECT bk_retention_explain('retention/drop') $$);
CALL pg_temp.attempt($$ SELECT bk_owner_set('retention/drop', current_user) $$);
CALL pg_temp.attempt($$ SELECT bk_restore_at('retention/drop', 'infinity') $$);
CALL pg_temp.attempt($$ SELECT bk_resource_drop('retention/none') $$);
CALL pg_temp.attempt($$ SELECT bk_resource_drop(NULL) $$);
SELECT * FROM bk_audit_verify('retention/drop');
-- The name is free: whoever backs it up has it, without what was there before.
SET ROLE regress_bk_user;
SELECT type FROM bk_create('retention/drop', '{"n": 1}', 'incremental');
SELECT owner, backups, policy FROM bk_resources WHERE resource_id = 'retention/drop';
SELECT action, detail - 'from' AS detail FROM bk_audit WHERE resource_id = 'retention/drop' ORDER BY number;
SET ROLE regress_bk_other;
CALL pg_temp.attempt($$ SELECT FROM bk_create('retention/drop', '1') $$);
RESET ROLE;
SELECT action, count(*) FROM bk_audit WHERE resource_id = 'retention/drop' AND number IS NOT NULL GROUP BY 1 ORDER BY 1;
SELECT * FROM bk_audit_verify('retention/drop');
-- The mark is proven by the trail.
BEGIN;
UPDATE backup_service.resource SET dropped_at = now() WHERE resource_id = 'retention/mine';
SELECT problem FROM bk_audit_verify('retention/mine');
ROLLBACK;
SELECT bk_resource_drop('retention/mine');
BEGIN;
UPDATE backup_service.resource SET dropped_at = NULL WHERE resource_id = 'retention/mine';
SELECT problem FROM bk_audit_verify('retention/mine');
ROLLBACK;

SET client_min_messages = error;
SELECT count(bk_release(backup_id, name)) FROM bk_holds WHERE resource_id LIKE 'retention/%';
SELECT count(bk_resource_drop(resource_id)) > 5 AS dropped FROM bk_resources WHERE resource_id LIKE 'retention/%';
SELECT bk_policy_drop('test/three'), bk_policy_drop('test/two'), bk_policy_drop('test/one'), bk_policy_drop('test/short');
DROP ROLE regress_bk_user, regress_bk_other;
