-- What the report is made of: a line a case, and how its figures are shown.

CREATE FUNCTION shown(value numeric, unit text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN unit = 'ms' AND value < 10 THEN round(value, 2) || ' ms'
				WHEN unit = 'ms' THEN round(value) || ' ms'
				WHEN unit = 'bytes' AND value < 10e6 THEN round(value / 1000) || ' kB'
				WHEN unit = 'bytes' THEN round(value / 1e6) || ' MB'
				ELSE round(value, 1) || ' ' || unit END
$$;

CREATE VIEW line AS
WITH median AS (
	SELECT case_name, side, count(*) AS rounds, (percentile_cont(0.5) WITHIN GROUP (ORDER BY value))::numeric AS value,
		   (percentile_cont(0.5) WITHIN GROUP (ORDER BY processor))::numeric AS processor
	  FROM measurement GROUP BY case_name, side),
measured AS (
	SELECT t.*, o.value AS ours_value, p.value AS peer_value, round(o.value / p.value, 3) AS ratio,
		   round(o.processor / p.processor, 3) AS processor_ratio
	  FROM target t
	  JOIN median o ON o.case_name = t.case_name AND o.side = 'ours'
	  JOIN median p ON p.case_name = t.case_name AND p.side = t.peer)
SELECT ordinal, case_name, shown(ours_value, unit) AS ours, peer, shown(peer_value, unit) AS peer_has, ours_value, peer_value, unit,
	   ratio, processor_ratio, target, more_is_better,
	   CASE WHEN more_is_better THEN ratio >= target ELSE ratio <= target END AS met
  FROM measured;

-- Markdown has | between cells.
CREATE FUNCTION as_markdown() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT '| case | ours | peer | its figure | ratio | of processor time | target | met |' UNION ALL
	SELECT '|---|---|---|---|---|---|---|---|' UNION ALL
	(SELECT format('| %s | %s | %s | %s | %s | %s | %s | %s |', case_name, ours, replace(peer, '|', '\|'), peer_has, ratio,
				   coalesce(processor_ratio::text, ''), coalesce(CASE WHEN more_is_better THEN '>= ' ELSE '' END || target, '-'),
				   CASE met WHEN true THEN 'yes' WHEN false THEN '**no**' ELSE '-' END)
	   FROM line ORDER BY ordinal)
$$;

CREATE FUNCTION as_json() RETURNS text LANGUAGE sql AS $$
	SELECT jsonb_pretty(jsonb_build_object(
		'about', (SELECT jsonb_object_agg(name, value) FROM about),
		'cases', (SELECT jsonb_agg(jsonb_build_object('case', case_name, 'ours', ours_value, 'peer', peer, 'its', peer_value, 'unit', unit,
													  'ratio', ratio,
													  'processor_ratio', processor_ratio, 'target', target, 'more_is_better', more_is_better, 'met', met) ORDER BY ordinal) FROM line),
		'measurements', (SELECT jsonb_agg(to_jsonb(m)) FROM measurement m)))
$$;

-- For bench/picture: smaller is better in all that it shows.
CREATE VIEW bar AS
SELECT row_number() OVER (ORDER BY ordinal) AS place, case_name || ' / ' || peer AS label, ratio, coalesce(target, 'NaN') AS target, coalesce(met::int, 2) AS met
  FROM line WHERE NOT more_is_better;
