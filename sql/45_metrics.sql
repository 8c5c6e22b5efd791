-- What GET /metrics serves, in Prometheus' text format 0.0.4; docs/metrics.md says what each metric means and costs.
-- bk_metrics() is what is granted.  The others are its parts; they read the tables with the rights that it has.

CREATE FUNCTION backup_service.metric(name text, type text, help text, samples text)
RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN format(E'# HELP %s %s\n# TYPE %1$s %3$s\n', name, help, type) || samples;
END
$$;
COMMENT ON FUNCTION backup_service.metric IS 'a family of bk_metrics(): its head, and its samples';

CREATE FUNCTION backup_service.metric_gauge(name text, help text, value numeric)
RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN backup_service.metric(name, 'gauge', help, format(E'%s %s\n', name, value));
END
$$;
COMMENT ON FUNCTION backup_service.metric_gauge IS 'a family of bk_metrics() that is one number';

-- Bounds are the ends of all buckets but the last; counts are those of each bucket alone, null for 0.
CREATE FUNCTION backup_service.metric_histogram(name text, label text, bounds numeric[], counts numeric[], total numeric)
RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	labels text = CASE label WHEN '' THEN '' ELSE '{' || label || '}' END;
	separator text = CASE label WHEN '' THEN '' ELSE ',' END;
	cumulative numeric = 0;
	samples text = '';
BEGIN
	FOR i IN 1 .. cardinality(bounds) + 1 LOOP
		cumulative := cumulative + coalesce(counts[i], 0);
		samples := samples || format(E'%s_bucket{%s%sle="%s"} %s\n', name, label, separator,
									 coalesce(bounds[i]::text, '+Inf'), cumulative);
	END LOOP;
	RETURN samples || format(E'%s_sum%s %s\n%1$s_count%2$s %4$s\n', name, labels, total, cumulative);
END
$$;
COMMENT ON FUNCTION backup_service.metric_histogram IS 'the samples of a histogram of bk_metrics()';

-- Buckets are numbered by src/catalog/histogram.c, which knows the same bounds; so it does those of sizes, below.
CREATE FUNCTION backup_service.metric_seconds()
RETURNS numeric[] LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	RETURN '{0.001,0.0025,0.005,0.01,0.025,0.05,0.1,0.25,0.5,1,2.5,5,10,30,60}'::numeric[];
END
$$;
COMMENT ON FUNCTION backup_service.metric_seconds IS 'where the buckets of durations end in bk_metrics()';

-- The rows of dropped resources are there too.
CREATE FUNCTION backup_service.metrics_made()
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	sizes numeric[] = '{256,1024,4096,16384,65536,262144,1048576,4194304,16777216,67108864,268435456,1073741824}';
	size_counts numeric[];
	duration_counts numeric[];
	made record;
	bucket record;
BEGIN
	SELECT coalesce(sum(r.backups_made - r.incrementals_made - r.differentials_made), 0) AS fulls,
		   coalesce(sum(r.incrementals_made), 0) AS incrementals, coalesce(sum(r.differentials_made), 0) AS differentials,
		   coalesce(sum(r.size_total), 0) AS bytes, trim_scale(coalesce(sum(r.duration_total), 0) / 1000000) AS seconds
	  INTO made FROM backup_service.resource r;
	FOR bucket IN SELECT i, sum(r.size_buckets[i]) AS backups
					FROM backup_service.resource r, generate_subscripts(r.size_buckets, 1) i GROUP BY i LOOP
		size_counts[bucket.i] := bucket.backups;
	END LOOP;
	FOR bucket IN SELECT i, sum(r.duration_buckets[i]) AS backups
					FROM backup_service.resource r, generate_subscripts(r.duration_buckets, 1) i GROUP BY i LOOP
		duration_counts[bucket.i] := bucket.backups;
	END LOOP;
	RETURN backup_service.metric('backups_total', 'counter', 'Backups made.',
			format(E'backups_total{type="full"} %s\nbackups_total{type="incremental"} %s\nbackups_total{type="differential"} %s\n',
				   made.fulls, made.incrementals, made.differentials))
		|| backup_service.metric('backup_size_bytes', 'histogram', 'Payloads of backups made, before compression.',
			backup_service.metric_histogram('backup_size_bytes', '', sizes, size_counts, made.bytes))
		|| backup_service.metric('backup_duration_seconds', 'histogram', 'How long making a backup took.',
			backup_service.metric_histogram('backup_duration_seconds', '', backup_service.metric_seconds(), duration_counts, made.seconds));
END
$$;
COMMENT ON FUNCTION backup_service.metrics_made IS 'what bk_metrics() says of all backups ever made';

-- Those whose records are there, and those whose records are no more.
CREATE FUNCTION backup_service.metrics_restored()
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	bounds numeric[] = backup_service.metric_seconds();
	ended record;
	restores text = '';
	durations text = '';
BEGIN
	-- A bound belongs to the bucket that it ends, to width_bucket() to the next: hence a microsecond less.
	FOR ended IN
		SELECT s.status, coalesce(sum(u.restores), 0) AS restores, trim_scale(coalesce(sum(u.seconds), 0)) AS seconds,
			   array_agg(u.restores ORDER BY b.bucket) AS counts
		  FROM unnest('{completed,failed,cancelled}'::text[]) WITH ORDINALITY s (status, place)
		 CROSS JOIN generate_series(1, cardinality(bounds) + 1) b (bucket)
		  LEFT JOIN (SELECT one.status, one.bucket, sum(one.restores) AS restores, sum(one.seconds) AS seconds
					   FROM (SELECT t.status, t.bucket, t.restores, t.duration_total / 1000000::numeric AS seconds
							   FROM backup_service.restore_total t
							  UNION ALL
							 SELECT o.status, width_bucket(o.seconds - 0.000001, bounds) + 1, 1, o.seconds
							   FROM (SELECT status, greatest(extract(epoch FROM completed_at - coalesce(started_at, created_at)), 0) AS seconds
									   FROM backup_service.restore_operation WHERE completed_at IS NOT NULL) o) one
					  GROUP BY one.status, one.bucket) u ON u.status = s.status AND u.bucket = b.bucket
		 GROUP BY s.place, s.status ORDER BY s.place
	LOOP
		restores := restores || format(E'restores_total{status="%s"} %s\n', ended.status, ended.restores);
		durations := durations || backup_service.metric_histogram('restore_duration_seconds', format('status="%s"', ended.status),
																  bounds, ended.counts, ended.seconds);
	END LOOP;
	RETURN backup_service.metric('restores_total', 'counter', 'Restores that have ended.', restores)
		|| backup_service.metric('restore_duration_seconds', 'histogram', 'How long restores took, without waiting in the queue.', durations);
END
$$;
COMMENT ON FUNCTION backup_service.metrics_restored IS 'what bk_metrics() says of all restores that have ended';

CREATE FUNCTION backup_service.metrics_queue(at timestamptz)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	queued record;
	running bigint = (SELECT count(*) FROM backup_service.restore_operation o WHERE o.status = 'running');
BEGIN
	SELECT count(*) AS restores, coalesce(greatest(extract(epoch FROM at - min(o.created_at)), 0), 0) AS oldest
	  INTO queued FROM backup_service.restore_operation o WHERE o.status = 'queued';
	RETURN backup_service.metric_gauge('restore_queue_depth', 'Restores that are queued.', queued.restores)
		|| backup_service.metric_gauge('restores_running', 'Restores of the queue that are running.', running)
		|| backup_service.metric_gauge('restore_queue_oldest_seconds', 'How long ago the oldest queued restore was asked for.', queued.oldest);
END
$$;
COMMENT ON FUNCTION backup_service.metrics_queue IS 'what bk_metrics() says of restores that have not ended';

CREATE FUNCTION backup_service.metrics_stored(at timestamptz)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	stored record;
	expired bigint = (SELECT count(*) FROM backup_service.backup b WHERE b.expires_at <= at);
	corrupt bigint = (SELECT count(*) FROM backup_service.backup b WHERE b.status = 'corrupt');
BEGIN
	SELECT count(*) AS backups, coalesce(sum(b.stored_size), 0) AS bytes INTO stored FROM backup_service.backup b;
	RETURN backup_service.metric_gauge('backup_stored_bytes', 'What the backups that are there take.', stored.bytes)
		|| backup_service.metric_gauge('backups_stored', 'Backups that are there.', stored.backups)
		|| backup_service.metric_gauge('backups_expired', 'Backups that have expired and are still there.', expired)
		|| backup_service.metric_gauge('backups_corrupt', 'Backups that were damaged when last verified.', corrupt);
END
$$;
COMMENT ON FUNCTION backup_service.metrics_stored IS 'what bk_metrics() says of the backups that are there';

-- From type to type along the index backup_by_type, and to the newest of each.
CREATE FUNCTION backup_service.metrics_last_good(at timestamptz)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	one_type text = (SELECT b.resource_type FROM backup_service.backup b ORDER BY b.resource_type LIMIT 1);
	made_at timestamptz;
	samples text = '';
BEGIN
	WHILE one_type IS NOT NULL LOOP
		made_at := (SELECT b.created_at FROM backup_service.backup b WHERE b.resource_type = one_type AND b.status = 'completed'
					 ORDER BY b.created_at DESC, b.backup_id DESC LIMIT 1);
		IF made_at IS NOT NULL THEN
			samples := samples || format(E'backup_last_good_seconds{resource_type="%s"} %s\n',
										 replace(replace(replace(one_type, E'\\', E'\\\\'), '"', E'\\"'), E'\n', E'\\n'),
										 greatest(extract(epoch FROM at - made_at), 0));
		END IF;
		one_type := (SELECT b.resource_type FROM backup_service.backup b WHERE b.resource_type > one_type ORDER BY b.resource_type LIMIT 1);
	END LOOP;
	RETURN backup_service.metric('backup_last_good_seconds', 'gauge', 'Age of the newest sound backup of each resource type.', samples);
END
$$;
COMMENT ON FUNCTION backup_service.metrics_last_good IS 'what bk_metrics() says of the newest backups';

-- Without a command nothing is to be shipped, and nothing is said.  pg_settings leaves out what its reader may not see.
CREATE FUNCTION backup_service.metrics_archived(at timestamptz)
RETURNS text LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	waiting record;
	failures bigint = coalesce((SELECT j.failures FROM backup_service.job j WHERE j.name = 'archive'), 0);
BEGIN
	IF NOT EXISTS (SELECT FROM pg_settings s WHERE s.name = 'backup_service.archive_command' AND s.setting <> '') THEN
		RETURN '';
	END IF;
	SELECT count(*) AS backups, coalesce(greatest(extract(epoch FROM at - min(b.created_at)), 0), 0) AS oldest
	  INTO waiting FROM backup_service.backup b WHERE b.archived_at IS NULL AND b.status = 'completed';
	RETURN backup_service.metric_gauge('backups_unarchived', 'Backups that wait for backup_service.archive_command.', waiting.backups)
		|| backup_service.metric_gauge('backup_unarchived_oldest_seconds', 'Age of the oldest of them.', waiting.oldest)
		|| backup_service.metric('backup_archive_failures_total', 'counter', 'Failures of backup_service.archive_command.',
			format(E'backup_archive_failures_total %s\n', failures));
END
$$;
COMMENT ON FUNCTION backup_service.metrics_archived IS 'what bk_metrics() says of copies outside, where there is an archive_command';

-- Tables of which something of each row is summed are read whole, for which the planner would have code compiled: that takes longer.
CREATE FUNCTION @extschema@.bk_metrics()
RETURNS text LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
	at timestamptz = clock_timestamp();
	worker boolean = (SELECT h.ok FROM @extschema@.bk_health() h WHERE h.name = 'worker');
BEGIN
	RETURN backup_service.metrics_made()
		|| backup_service.metrics_restored()
		|| backup_service.metrics_queue(at)
		|| backup_service.metrics_stored(at)
		|| backup_service.metrics_last_good(at)
		|| backup_service.metrics_archived(at)
		|| backup_service.metric_gauge('backup_worker_up', 'Whether what the worker is to do will be done.', worker::integer);
END
$$;
COMMENT ON FUNCTION @extschema@.bk_metrics IS 'totals and gauges as Prometheus reads them';
