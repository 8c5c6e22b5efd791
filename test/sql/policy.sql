-- How are retention policies made, assigned and removed?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools
SET intervalstyle = 'postgres';
SELECT coalesce(max(number), 0) AS events FROM bk_audit WHERE resource_id = '' \gset
CREATE FUNCTION pg_temp.policy_of(resource text) RETURNS text LANGUAGE sql AS
$$ SELECT policy FROM bk_resources WHERE resource_id = resource $$;

-- The ready-made ones, which cannot be changed.
SELECT name, keep_for, keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly, time_zone, week_start, ready_made, resource_types
  FROM bk_policies WHERE ready_made ORDER BY name COLLATE "C";
CALL pg_temp.attempt($$ SELECT bk_policy_set('gfs', keep_last => 1) $$);
CALL pg_temp.attempt($$ SELECT bk_policy_drop('daily') $$);

-- Own ones; a rule of 0 is none, a time zone is spelled as PostgreSQL does.
SELECT bk_policy_set('test/office', keep_for => '3 days 12:00', keep_last => 3, keep_hourly => 24, keep_daily => 0, keep_weekly => 5,
	keep_monthly => 12, keep_yearly => 2, time_zone => 'europe/berlin', week_start => 7, expect_every => '1 day', max_snapshots => 50);
SELECT name, keep_for, keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly, time_zone, week_start, expect_every, max_snapshots, ready_made,
	   created_by = current_user AS mine, updated_at > now() - interval '1 hour' AS now FROM bk_policies WHERE name LIKE 'test/%';
-- Replaced as a whole: what is not said again is gone.
SELECT bk_policy_set('test/office', keep_last => 2);
SELECT name, keep_for, keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly, time_zone, week_start, expect_every, max_snapshots
  FROM bk_policies WHERE name LIKE 'test/%';

-- What makes no sense is refused.
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/none') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/none', keep_last => 0, keep_for => '0') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/none', keep_daily => -1) $$);
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/none', keep_for => '1 month -1 day') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/none', keep_last => 1, time_zone => 'Mars/Olympus') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/none', keep_last => 1, time_zone => 'UTC+3') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/none', keep_last => 1, time_zone => NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/none', keep_last => 1, week_start => 0) $$);
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/none', keep_last => 1, week_start => NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/none', keep_last => 1, expect_every => '-1 day') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/none', keep_last => 1, expect_every => '0') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/none', keep_last => 1, max_snapshots => -1) $$);
CALL pg_temp.attempt($$ SELECT bk_policy_set(NULL, keep_last => 1) $$);
CALL pg_temp.attempt($$ SELECT bk_policy_set('', keep_last => 1) $$);
SELECT count(*) FROM bk_policies WHERE name LIKE 'test/%';

-- A resource's own policy comes before that of its type, and that before the default.
SELECT FROM bk_create('policy/a', '1', resource_type => 'test/type');
SELECT FROM bk_create('policy/b', '1');
SELECT pg_temp.policy_of('policy/a'), pg_temp.policy_of('policy/b');
SELECT bk_policy_assign(NULL, 'daily');
SELECT pg_temp.policy_of('policy/a'), pg_temp.policy_of('policy/b');
SELECT bk_policy_assign(NULL, 'weekly', 'test/type');
SELECT pg_temp.policy_of('policy/a'), pg_temp.policy_of('policy/b');
SELECT bk_policy_assign('policy/a', 'test/office');
SELECT pg_temp.policy_of('policy/a'), pg_temp.policy_of('policy/b');
SELECT name, resource_types FROM bk_policies WHERE resource_types IS NOT NULL ORDER BY name COLLATE "C";
-- The type of a resource is that of its newest backup.
SELECT FROM bk_create('policy/b', '1', resource_type => 'test/type');
SELECT pg_temp.policy_of('policy/b');
-- Another in its place, and none any more.
SELECT bk_policy_assign('policy/a', 'gfs'), bk_policy_assign(NULL, 'monthly', 'test/type');
SELECT pg_temp.policy_of('policy/a'), pg_temp.policy_of('policy/b');
SELECT bk_policy_assign('policy/a', NULL);
SELECT pg_temp.policy_of('policy/a'), pg_temp.policy_of('policy/b');
SELECT bk_policy_assign(NULL, NULL, 'test/type');
SELECT pg_temp.policy_of('policy/a'), pg_temp.policy_of('policy/b');
SELECT bk_policy_assign(NULL, NULL);
SELECT pg_temp.policy_of('policy/a'), pg_temp.policy_of('policy/b');

CALL pg_temp.attempt($$ SELECT bk_policy_assign('policy/a', 'test/none') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_assign('policy/none', 'gfs') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_assign('policy/a', 'gfs', 'test/type') $$);

-- One that something has is not dropped.
SELECT bk_policy_assign('policy/a', 'test/office');
CALL pg_temp.attempt($$ SELECT bk_policy_drop('test/office') $$);
SELECT bk_policy_assign('policy/a', NULL), bk_policy_assign(NULL, 'test/office', 'test/type');
CALL pg_temp.attempt($$ SELECT bk_policy_drop('test/office') $$);
SELECT bk_policy_assign(NULL, NULL, 'test/type'), bk_policy_assign(NULL, 'test/office');
CALL pg_temp.attempt($$ SELECT bk_policy_drop('test/office') $$);
SELECT bk_policy_assign(NULL, NULL);
SELECT bk_policy_drop('test/office');
CALL pg_temp.attempt($$ SELECT bk_policy_drop('test/office') $$);
SELECT count(*) FROM bk_policies WHERE name LIKE 'test/%';

-- The trail has all of it: of the resource in its own chain, of the rest in the catalog's.
SELECT resource_id, action, detail FROM bk_audit WHERE resource_id LIKE 'policy/%' AND action <> 'create' ORDER BY resource_id COLLATE "C", number;
SELECT action, detail FROM bk_audit WHERE resource_id = '' AND number > :events AND action LIKE 'policy%' ORDER BY number;
SELECT * FROM bk_audit_verify('policy/a');
SELECT * FROM bk_audit_verify('');

-- A policy's max_snapshots is instead of the setting, from the next backup on.
SET backup_service.max_snapshots = 3;
CREATE FUNCTION pg_temp.points_after(resource text, backups int) RETURNS bigint LANGUAGE plpgsql AS
$$
BEGIN
	FOR i IN 1..backups LOOP
		PERFORM FROM bk_create(resource, to_jsonb(i));
	END LOOP;
	RETURN count(*) FROM bk_snapshots WHERE resource_id = resource;
END
$$;
SELECT bk_policy_set('test/two', keep_last => 100, max_snapshots => 2), bk_policy_set('test/five', keep_last => 100, max_snapshots => 5),
	   bk_policy_set('test/all', keep_last => 100, max_snapshots => 0);
SELECT pg_temp.points_after('policy/points', 5);
SELECT bk_policy_assign('policy/points', 'test/two');
SELECT pg_temp.points_after('policy/points', 1);
SELECT bk_policy_assign('policy/points', 'test/five');
SELECT pg_temp.points_after('policy/points', 6);
SELECT bk_policy_assign('policy/points', 'test/all');
SELECT pg_temp.points_after('policy/points', 6);
SELECT bk_policy_assign('policy/points', NULL);
SELECT pg_temp.points_after('policy/points', 1);
SET backup_service.max_snapshots = 0;
SELECT pg_temp.points_after('policy/points', 6);
SELECT bk_policy_assign('policy/points', 'test/two');
SELECT pg_temp.points_after('policy/points', 1);
-- A change that is rolled back has not been.
BEGIN;
SELECT bk_policy_set('test/two', keep_last => 100, max_snapshots => 1);
SELECT pg_temp.points_after('policy/points', 1);
ROLLBACK;
SELECT pg_temp.points_after('policy/points', 1);
SELECT bk_policy_assign('policy/points', NULL);
SELECT bk_policy_drop(name) FROM bk_policies WHERE name LIKE 'test/%';
RESET backup_service.max_snapshots;

-- Who may.
CREATE ROLE regress_bk_user IN ROLE backup_service_user;
CREATE ROLE regress_bk_auditor IN ROLE backup_service_auditor;
CREATE ROLE regress_bk_operator IN ROLE backup_service_operator;
SET ROLE regress_bk_user;
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/mine', keep_last => 1) $$);
CALL pg_temp.attempt($$ SELECT bk_policy_drop('gfs') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_assign('policy/a', 'gfs') $$);
SELECT count(*) FROM bk_policies WHERE ready_made;
SET ROLE regress_bk_auditor;
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/mine', keep_last => 1) $$);
SELECT count(*) FROM bk_policies WHERE ready_made;
SET ROLE regress_bk_operator;
SELECT bk_policy_set('test/mine', keep_last => 1);
SELECT bk_policy_assign('policy/a', 'test/mine');
SELECT bk_policy_assign('policy/a', NULL);
SELECT created_by FROM bk_policies WHERE name = 'test/mine';
SELECT bk_policy_drop('test/mine');
RESET ROLE;
DROP ROLE regress_bk_user, regress_bk_auditor, regress_bk_operator;
BEGIN READ ONLY;
CALL pg_temp.attempt($$ SELECT bk_policy_set('test/mine', keep_last => 1) $$);
CALL pg_temp.attempt($$ SELECT bk_policy_drop('gfs') $$);
CALL pg_temp.attempt($$ SELECT bk_policy_assign('policy/a', 'gfs') $$);
COMMIT;
