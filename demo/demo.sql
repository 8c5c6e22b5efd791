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
