-- Does bk_metrics() count what was done, and does nothing that it counts fall?  (Trimmed restores: test/t/023_queue.pl.)
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

-- Other tests were here before, so what is shown is how far the samples have moved.
CREATE FUNCTION pg_temp.samples(OUT sample text, OUT value numeric) RETURNS SETOF record LANGUAGE sql AS
$$ SELECT m[1], m[2]::numeric FROM regexp_matches(bk_metrics(), '^([^#\n].*) (\S+)$', 'gn') m $$;
CREATE FUNCTION pg_temp.is_counter(sample text) RETURNS boolean LANGUAGE sql AS
$$ SELECT sample ~ '^(backups_total|backup_size_bytes_|backup_duration_seconds_|restores_total|restore_duration_seconds_)' $$;
CREATE TEMP TABLE before (sample text PRIMARY KEY, value numeric);
CREATE PROCEDURE pg_temp.look() LANGUAGE plpgsql AS
$$ BEGIN DELETE FROM before; INSERT INTO before SELECT * FROM pg_temp.samples(); END $$;
CREATE FUNCTION pg_temp.moved(pattern text, OUT sample text, OUT by numeric) RETURNS SETOF record LANGUAGE sql AS
$$ SELECT s.sample, trim_scale(s.value - coalesce(b.value, 0)) FROM pg_temp.samples() s LEFT JOIN before b USING (sample)
	WHERE s.sample ~ pattern AND s.value IS DISTINCT FROM coalesce(b.value, 0) ORDER BY s.sample COLLATE "C" $$;
-- No counter is lower than at the last look, and none has gone.
CREATE FUNCTION pg_temp.fallen() RETURNS SETOF text LANGUAGE sql AS
$$ SELECT b.sample FROM before b LEFT JOIN pg_temp.samples() s USING (sample) WHERE pg_temp.is_counter(b.sample) AND (s.value < b.value) IS NOT FALSE $$;

SELECT backup_id AS id FROM bk_create('metrics/r', '{"n": 1}', resource_type => 'metrics') \gset
SELECT bk_restore(:id);

-- Each family has a head, then its samples, and all of them are there.
SELECT m[1] AS family, m[2] AS type FROM regexp_matches(bk_metrics(), '^# HELP (\w+) [A-Z].*\.\n# TYPE \1 (counter|gauge|histogram)\n\1.* [\d.]+$', 'gn') m;
-- Nothing else is, and the last line ends.
SELECT line FROM regexp_split_to_table(bk_metrics(), '\n') WITH ORDINALITY lines (line, n)
 WHERE line !~ '^# (HELP|TYPE) \w+ .' AND line !~ '^\w+(\{\w+="(\\.|[^"\\])*"(,le="[\d.+Inf]+")?\})? \d+(\.\d+)?$' AND line <> '';
SELECT right(bk_metrics(), 1) = E'\n' AND bk_metrics() !~ '\n\n' AS ends;
SELECT count(*) - count(DISTINCT sample) AS twice FROM pg_temp.samples();

-- Histograms: as many buckets as there should be, none smaller than the one before, the last one is all.
SELECT m[1] AS histogram, count(*) AS buckets, bool_and(rises) AS rises, bool_and(value = c.counted) FILTER (WHERE m[2] = '+Inf') AS all_in_last
  FROM (SELECT sample, value, value >= lag(value, 1, 0) OVER (PARTITION BY regexp_replace(sample, 'le="[^"]+"', '') ORDER BY n) AS rises
		  FROM pg_temp.samples() WITH ORDINALITY s (sample, value, n)) s,
	   regexp_match(sample, '^(\w+_bucket(?:\{status="\w+")?).*le="([^"]+)"') m,
	   LATERAL (SELECT t.value AS counted FROM pg_temp.samples() t
				 WHERE t.sample = regexp_replace(regexp_replace(s.sample, ',?le="[^"]+"', ''), '_bucket(\{\})?', '_count')) c
 WHERE m IS NOT NULL GROUP BY m[1] ORDER BY m[1] COLLATE "C";
SELECT substring(sample FROM 'le="(.*)"') AS le FROM pg_temp.samples() WHERE sample ~ '^backup_size_bytes_bucket';
SELECT substring(sample FROM 'le="(.*)"') AS le FROM pg_temp.samples() WHERE sample ~ '^restore_duration_seconds_bucket.status="failed"';
SELECT sum(value) = (SELECT sum(backups_made) FROM backup_service.resource) AS all_backups,
	   sum(value) = (SELECT value FROM pg_temp.samples() WHERE sample = 'backup_size_bytes_count') AS sizes_of_all,
	   sum(value) = (SELECT value FROM pg_temp.samples() WHERE sample = 'backup_duration_seconds_count') AS durations_of_all
  FROM pg_temp.samples() WHERE sample ~ '^backups_total';

-- Backups count by type and size: what is as large as a bound says is within it.
CALL pg_temp.look();
SELECT sum(extract(epoch FROM completed_at - created_at)) AS seconds_before FROM backup_service.backup WHERE resource_id LIKE 'metrics/%' \gset
SELECT size FROM bk_create('metrics/sizes', to_jsonb(repeat('x', 254)), resource_type => 'metrics');
SELECT size FROM bk_create('metrics/sizes', to_jsonb(repeat('x', 255)), resource_type => 'metrics');
SELECT size FROM bk_create('metrics/sizes', to_jsonb(repeat('x', 70000)), resource_type => 'metrics');
SELECT type FROM bk_create('metrics/types', '{"n": 1}', 'incremental', resource_type => 'metrics');
SELECT backup_id AS base, type FROM bk_create('metrics/types', '{"n": 2}', 'incremental', resource_type => 'metrics') \gset
SELECT type FROM bk_create('metrics/types', '{"n": 3}', 'incremental', resource_type => 'metrics');
SELECT type FROM bk_create('metrics/types', '{"n": 4}', 'differential', resource_type => 'metrics');
SELECT * FROM pg_temp.moved('^backups_(total|stored)|^backup_size_bytes_(bucket|count)|^backup_duration_seconds_(count|.*Inf)');
SELECT by = (SELECT sum(size) FROM backup_service.backup WHERE resource_id IN ('metrics/sizes', 'metrics/types')) AS bytes
  FROM pg_temp.moved('^backup_size_bytes_sum');
SELECT by = sum(extract(epoch FROM completed_at - created_at)) - :seconds_before AS seconds
  FROM pg_temp.moved('^backup_duration_seconds_sum'), backup_service.backup WHERE resource_id LIKE 'metrics/%' GROUP BY by;
SELECT by = (SELECT sum(stored_size) FROM backup_service.backup WHERE resource_id IN ('metrics/sizes', 'metrics/types')) AS stored
  FROM pg_temp.moved('^backup_stored_bytes');
-- What is rolled back was not made.
CALL pg_temp.look();
BEGIN;
SELECT type FROM bk_create('metrics/types', '{"n": 5}', 'differential');
SELECT type FROM bk_create('metrics/rolled back', '{}');
SELECT * FROM pg_temp.moved('^backups_(total|stored)');
ROLLBACK;
SELECT * FROM pg_temp.moved('^backups_(total|stored)');

-- Nothing that takes backups away, or changes them, lowers or raises what was counted.
CALL pg_temp.look();
SELECT type FROM bk_consolidate(:base);
SELECT bk_rekey(1) >= 0 AS rekeyed;
SELECT * FROM pg_temp.moved('') WHERE pg_temp.is_counter(sample);
SELECT bk_delete(:base);
SELECT * FROM pg_temp.moved('^backups_stored');
SELECT FROM bk_create('metrics/expiring', '1', retention => '1 hour', resource_type => 'metrics');
SELECT FROM bk_create('metrics/expiring', '2', resource_type => 'metrics');
CALL pg_temp.look();
UPDATE backup_service.backup SET expires_at = created_at + interval '1 microsecond' WHERE resource_id = 'metrics/expiring' AND expires_at IS NOT NULL;
SELECT * FROM pg_temp.moved('^backups_expired');
SELECT action FROM bk_prune('metrics/expiring') ORDER BY backup_id;
SELECT * FROM pg_temp.moved('^backups_(expired|stored)');
SELECT bk_resource_drop('metrics/expiring');
SELECT * FROM pg_temp.moved('^backups_(expired|stored)');
SELECT * FROM pg_temp.fallen();
SELECT sample FROM pg_temp.moved('') WHERE pg_temp.is_counter(sample);
-- Under a name that was dropped, counting goes on.
SELECT FROM bk_create('metrics/expiring', '3', resource_type => 'metrics');
SELECT * FROM pg_temp.moved('^backups_total');
SELECT * FROM pg_temp.fallen();

-- Restores: how they ended, and how long they took after they had begun; a clock that went back counts as nothing.
CALL pg_temp.look();
SELECT bk_restore(:id), bk_restore(:id, validate => false);
SELECT * FROM pg_temp.moved('^restores_total|^restore_duration_seconds_(count|bucket.*Inf)');
SELECT by = sum(extract(epoch FROM completed_at - created_at)) AS seconds
  FROM pg_temp.moved('^restore_duration_seconds_sum'), (SELECT * FROM backup_service.restore_operation WHERE resource_id = 'metrics/r' ORDER BY operation_id DESC LIMIT 2) o
 GROUP BY by;
BEGIN;
CALL pg_temp.look();
INSERT INTO backup_service.restore_operation (resource_id, backup_id, type, status, progress, validated, role, created_by, created_at, started_at, completed_at)
SELECT 'metrics/r', :id, 'full', status, 0, false, current_user, 'a test', began - interval '1 hour' * (status = 'failed')::int,
	   CASE status WHEN 'failed' THEN began END, began + took * interval '1 microsecond'
  FROM (VALUES ('completed', 1000), ('completed', 1001), ('completed', 60000000), ('failed', 60000001), ('cancelled', -1), ('cancelled', 0)) v (status, took),
	   (SELECT now() AS began) n;
SELECT * FROM pg_temp.moved('^restores_total|^restore_duration_seconds');
-- Those whose records are no more count as well.
CALL pg_temp.look();
INSERT INTO backup_service.restore_total AS t VALUES ('completed', 1, 2, 1500), ('failed', 16, 1, 61000000)
	ON CONFLICT (status, bucket) DO UPDATE SET restores = t.restores + EXCLUDED.restores, duration_total = t.duration_total + EXCLUDED.duration_total;
SELECT * FROM pg_temp.moved('^restores_total|^restore_duration_seconds_(count|sum|bucket.*"(0.001|60|.Inf)")');
ROLLBACK;

-- The queue.
BEGIN;
DELETE FROM backup_service.restore_operation WHERE status IN ('queued', 'running');
SELECT * FROM pg_temp.samples() WHERE sample ~ '^restore_queue|^restores_running';
SELECT bk_restore_enqueue(:id) > 0 AS queued;
SELECT bk_restore_enqueue(:id, 'metrics/target') AS other \gset
UPDATE backup_service.restore_operation SET created_at = now() - interval '10 minutes', next_attempt_at = now() + interval '1 hour' WHERE operation_id = :other;
SELECT sample, CASE WHEN sample ~ 'seconds' THEN value BETWEEN 600 AND 660 ELSE value = 2 END AS as_it_is FROM pg_temp.samples() WHERE sample ~ '^restore_queue';
UPDATE backup_service.restore_operation SET status = 'running', next_attempt_at = NULL, pinned = ARRAY[:id]::bigint[] WHERE operation_id = :other;
SELECT sample, value FROM pg_temp.samples() WHERE sample ~ '^restore_queue_depth|^restores_running';
ROLLBACK;

-- Damage is counted.
BEGIN;
CALL pg_temp.look();
UPDATE backup_service.backup SET status = 'corrupt' WHERE resource_id = 'metrics/sizes';
SELECT * FROM pg_temp.moved('^backups_(corrupt|stored)');
ROLLBACK;

-- How old the newest sound backup of a type is; a type is given back to the letter.
SELECT FROM bk_create('metrics/odd', '1', resource_type => E'"a\\b"} 1\\n{');
SELECT FROM bk_create('metrics/odd', '2', resource_type => 'metrics odd');
SELECT sample, value BETWEEN 0 AND 600 AS new FROM pg_temp.samples() WHERE sample ~ '^backup_last_good_seconds.*metrics odd|^backup_last_good_seconds.*a\\\\b' ORDER BY sample COLLATE "C";
BEGIN;
UPDATE backup_service.backup SET created_at = created_at - interval '1 day' WHERE resource_id IN ('metrics/r', 'metrics/types');
UPDATE backup_service.backup SET status = 'corrupt' WHERE resource_type = 'metrics' AND resource_id NOT IN ('metrics/r', 'metrics/types');
UPDATE backup_service.backup SET status = 'corrupt' WHERE resource_type = 'metrics odd';
SELECT sample, value BETWEEN 86400 AND 87000 AS of_yesterday FROM pg_temp.samples() WHERE sample ~ '^backup_last_good_seconds.*metrics';
ROLLBACK;
SELECT array_agg(DISTINCT resource_type ORDER BY resource_type) = (SELECT array_agg(replace(replace(m[1], '\"', '"'), '\\', '\') ORDER BY replace(replace(m[1], '\"', '"'), '\\', '\'))
	FROM regexp_matches(bk_metrics(), '^backup_last_good_seconds\{resource_type="(.*)"\} [\d.]+$', 'gn') m) AS all_types
  FROM backup_service.backup WHERE status = 'completed';
SELECT bk_resource_drop('metrics/odd');
SELECT sample FROM pg_temp.samples() WHERE sample ~ '^backup_last_good_seconds.*metrics odd';

-- Copies outside, where there is a command (test/t/032_archive_command.pl).
SELECT count(*) FROM pg_temp.samples() WHERE sample ~ 'archive';

-- The worker, as bk_health() says.
SELECT value = (SELECT ok::integer FROM bk_health() WHERE name = 'worker') AS as_bk_health FROM pg_temp.samples() WHERE sample = 'backup_worker_up';

-- It writes nothing.
BEGIN READ ONLY;
SELECT count(*) > 100 AS all_samples FROM pg_temp.samples();
COMMIT;

-- In a catalog that is empty, every number is there.
BEGIN;
TRUNCATE backup_service.resource, backup_service.backup, backup_service.restore_operation, backup_service.restore_total;
SELECT count(*) AS samples, sum(value) AS sum FROM pg_temp.samples() WHERE sample <> 'backup_worker_up';
ROLLBACK;

-- Operators and auditors may ask, users may not, and nobody its parts.
CREATE ROLE regress_bk_metrics;
SET ROLE regress_bk_metrics;
CALL pg_temp.attempt('SELECT bk_metrics()');
RESET ROLE;
GRANT backup_service_user TO regress_bk_metrics;
SET ROLE regress_bk_metrics;
CALL pg_temp.attempt('SELECT bk_metrics()');
RESET ROLE;
GRANT backup_service_auditor TO regress_bk_metrics;
SET ROLE regress_bk_metrics;
SELECT bk_metrics() ~ '^# HELP backups_total' AS served;
CALL pg_temp.attempt('SELECT backup_service.metrics_made()');
RESET ROLE;
REVOKE backup_service_user, backup_service_auditor FROM regress_bk_metrics;
GRANT backup_service_operator TO regress_bk_metrics;
SET ROLE regress_bk_metrics;
SELECT bk_metrics() ~ '^# HELP backups_total' AS served;
CALL pg_temp.attempt('SELECT backup_service.metrics_made()');
RESET ROLE;
DROP ROLE regress_bk_metrics;
