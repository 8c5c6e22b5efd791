-- One line a case: medians of both sides, their ratio (smaller is better for us), the target.
WITH target (case_name, peer, target, ordinal) AS (VALUES
	('full, gzip 6', 'pgcrypto', 1.0, 1),
	('full, zstd', 'pgcrypto', 0.5, 2),
	('restore to jsonb', 'pgcrypto', NULL, 3),
	('20,000 x 2 kB, one transaction', 'pgcrypto', 0.2, 4),
	('all releases, bytes stored', 'restic', 0.1, 5),
	('all releases, time', 'restic', NULL, 6),
	('restore of a chain of 100', 'our full one', 1.5, 7)),
median AS (
	SELECT case_name, side, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS value
	  FROM measurement GROUP BY case_name, side),
line AS (
	SELECT t.ordinal, t.case_name, t.peer, o.value AS ours, p.value AS theirs, o.value / p.value AS ratio, t.target
	  FROM target t
	  JOIN median o ON o.case_name = t.case_name AND o.side = 'ours'
	  JOIN median p ON p.case_name = t.case_name AND p.side = t.peer)
SELECT '| case | ours | peer | its figure | ratio | target | met |' UNION ALL
SELECT '|---|---|---|---|---|---|---|' UNION ALL
(SELECT format('| %s | %s | %s | %s | %s | %s | %s |', case_name,
			   CASE WHEN case_name LIKE '%bytes%' THEN pg_size_pretty(ours::bigint) ELSE round(ours)::text || ' ms' END,
			   peer,
			   CASE WHEN case_name LIKE '%bytes%' THEN pg_size_pretty(theirs::bigint) ELSE round(theirs)::text || ' ms' END,
			   round(ratio::numeric, 3), coalesce(target::text, '-'),
			   CASE WHEN target IS NULL THEN '-' WHEN ratio <= target THEN 'yes' ELSE 'no' END)
   FROM line ORDER BY ordinal);
