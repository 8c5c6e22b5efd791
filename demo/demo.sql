-- The main job on real data: ISO 3166-2 (5,000 subdivisions of countries), ISO 639-3 (7,900 languages) and this
-- server's own catalog as JSON.  Each step says what it does and how long it took.
\set QUIET on
CREATE DATABASE demo;
\connect demo
SET client_min_messages = warning;
CREATE EXTENSION backup_service;
SET timezone = 'UTC';

CREATE TABLE document (name text PRIMARY KEY, data jsonb);
INSERT INTO document VALUES
	('subdivisions', pg_read_file(:'data' || '/iso_3166-2.json')::jsonb),
	('languages', pg_read_file(:'data' || '/iso_639-3.json')::jsonb),
	('catalog', (SELECT jsonb_build_object('functions', jsonb_agg(to_jsonb(p) ORDER BY p.oid)) FROM pg_proc p));

\echo
\echo '1. Three resources are backed up in full; the first backup makes the master key.'
\timing on
SELECT backup_id, resource_id, type, size, stored_size, compression_ratio || ' %' AS saved, encrypted
  FROM document d, bk_create(d.name, d.data, source => 'demo', tags => '{"step": "first"}') b;
\timing off
SET client_min_messages = notice;

\echo
\echo '2. Real edits, each kept as an incremental backup: a subdivision is renamed, one is added, ten are dropped.'
UPDATE document SET data = jsonb_set(data, '{3166-2,100,name}', '"A New Name"') WHERE name = 'subdivisions';
\timing on
SELECT backup_id, type, base_id, size, stored_size FROM document d, bk_create(d.name, d.data, 'incremental') WHERE d.name = 'subdivisions';
\timing off
SELECT clock_timestamp() AS between_edits \gset
CREATE TABLE original AS SELECT * FROM document WHERE name = 'subdivisions';
UPDATE document SET data = jsonb_insert(data, '{3166-2,0}', '{"code": "XX-01", "name": "Atlantis", "type": "Island"}') WHERE name = 'subdivisions';
\timing on
SELECT backup_id, type, base_id, size, stored_size FROM document d, bk_create(d.name, d.data, 'incremental') WHERE d.name = 'subdivisions';
\timing off
UPDATE document SET data = data #- '{3166-2,20}' #- '{3166-2,30}' #- '{3166-2,40}' #- '{3166-2,50}' #- '{3166-2,60}'
	#- '{3166-2,70}' #- '{3166-2,80}' #- '{3166-2,90}' #- '{3166-2,100}' #- '{3166-2,110}' WHERE name = 'subdivisions';
\timing on
SELECT backup_id, type, base_id, size, stored_size FROM document d, bk_create(d.name, d.data, 'incremental') WHERE d.name = 'subdivisions';
\timing off

\echo
\echo '3. A differential holds all that changed since the full backup.'
\timing on
SELECT backup_id, type, base_id, size, stored_size FROM document d, bk_create(d.name, d.data, 'differential') WHERE d.name = 'subdivisions';
\timing off

\echo
\echo '4. What the catalog holds now.'
SELECT backup_id, resource_id, type, base_id, document_size, stored_size,
	   trunc(100 - stored_size * 100.0 / document_size, 1) || ' %' AS saved
  FROM bk_list() ORDER BY created_at, backup_id;

\echo
\echo '5. What changed between two backups, and one value through time.'
SELECT b.backup_id, b.base_id, bk_diff(b.base_id, b.backup_id)::text AS "bk_diff(base_id, backup_id)"
  FROM bk_list('subdivisions', type => 'incremental') b WHERE b.size < 200 ORDER BY b.backup_id;
SELECT * FROM bk_history('subdivisions', '["3166-2"][0].name');

\echo
\echo '6. A restore to a moment between two backups is the document of that moment, to the byte.'
\timing on
SELECT bk_restore_at('subdivisions', :'between_edits', created_by => 'the demo') AS restored \gset
\timing off
SELECT :'restored'::jsonb::text = data::text AS "same as the original" FROM original;
SELECT operation_id, backup_id, type, status, progress, validated, created_by FROM bk_operations;

\echo
\echo '7. Every backup is verified; then one bit of one chunk is turned, as a failing disk or an intruder would.'
\timing on
SELECT backup_id, bk_verify(backup_id)->'valid' AS valid FROM bk_list() ORDER BY backup_id;
\timing off
UPDATE backup_service.chunk SET data = set_bit(data, 4711, 1 - get_bit(data, 4711))
 WHERE backup_id = (SELECT backup_id FROM bk_list('languages')) AND seq = 0;
\set ON_ERROR_STOP off
SELECT bk_restore((SELECT backup_id FROM bk_list('languages')));
\set ON_ERROR_STOP on
SELECT jsonb_pretty(bk_verify((SELECT backup_id FROM bk_list('languages')))) AS "bk_verify";

\echo
\echo '8. The full backup is deleted; what builds on it is made full first, so nothing else is lost.'
\timing on
SELECT bk_delete((SELECT backup_id FROM bk_list('subdivisions', type => 'full')));
\timing off
SELECT backup_id, type, base_id, stored_size, bk_verify(backup_id)->'valid' AS valid FROM bk_list('subdivisions') ORDER BY created_at;

\echo
\echo '9. A restore that the worker does, while this session looks on: the document becomes a new backup of another resource.'
SELECT backup_id AS big FROM bk_create('measurements', (SELECT jsonb_agg(md5(i::text)) FROM generate_series(1, 700000) i), compression => 'none') \gset
CREATE PROCEDURE watch(operation bigint) LANGUAGE plpgsql AS $$
DECLARE
	seen record;
	before text = '';
BEGIN
	LOOP
		SELECT status, progress, bytes_done, bytes_total INTO seen FROM bk_operations WHERE operation_id = operation;
		IF before <> seen::text THEN
			RAISE INFO '% %, % of % bytes', seen.status, to_char(seen.progress, '990%'), seen.bytes_done, coalesce(seen.bytes_total::text, '?');
			before := seen::text;
		END IF;
		EXIT WHEN seen.status NOT IN ('queued', 'running');
		PERFORM pg_sleep(0.01);
	END LOOP;
END $$;
\set VERBOSITY terse
SELECT bk_restore_enqueue(:big, 'measurements of yesterday') AS operation \gset
CALL watch(:operation);
\set VERBOSITY default
SELECT backup_id, resource_id, type, source, size FROM bk_list('measurements of yesterday');

\echo
\echo '10. A policy, explained before it is set: what would be kept, and why.'
SELECT backup_id, action, reason FROM bk_policy_simulate('subdivisions', keep_last => 2, keep_daily => 7);
SELECT bk_policy_set('two, and a month', keep_last => 2, keep_for => '30 days', time_zone => 'Europe/Berlin');
SELECT bk_policy_assign('subdivisions', 'two, and a month');
SELECT backup_id, action, rules, until::timestamp(0) FROM bk_retention_explain('subdivisions');

\echo
\echo '11. An expiry.  The newest good backup stays, whatever its retention says; a held one too.'
SELECT backup_id FROM generate_series(1, 3) n, bk_create('scratch', to_jsonb(n), retention => '1 second');
SELECT bk_hold((SELECT min(backup_id) FROM bk_list('scratch')), 'case 4711', 'evidence');
SELECT pg_sleep(1.1);
SELECT backup_id, action, reason FROM bk_prune('scratch');

\echo
\echo '12. The worker''s scrub finds the damage of step 7 by itself.'
CREATE PROCEDURE wait_for_scrub() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 200 LOOP
		EXIT WHEN EXISTS (SELECT FROM bk_backups WHERE status = 'corrupt');
		PERFORM pg_sleep(0.1);
	END LOOP;
END $$;
CALL wait_for_scrub();
SELECT backup_id, resource_id, status FROM bk_backups WHERE resource_id = 'languages';
SELECT name, ok, critical, detail FROM bk_health() WHERE NOT ok;

\echo
\echo '13. Who did what; and nothing was done behind the functions'' back that the trail does not cover.'
SELECT action, outcome, role, count(*) FROM bk_audit GROUP BY action, outcome, role ORDER BY count(*) DESC, action;
SELECT count(*) AS "rows of bk_audit_verify()" FROM bk_audit_verify();
