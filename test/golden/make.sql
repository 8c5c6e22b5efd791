-- A catalog with what a format has: each compression, encrypted or not, each type; more than a chunk; consolidated; held; deleted;
-- before and after the rotation of keys, re-wrapped or not; an audit trail of all that.
CREATE EXTENSION backup_service;
CREATE FUNCTION pg_temp.document(n int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('n', n, 'keys', '{"": 1, "a.b": [], "odd \"key\"": {"x": -0.0010}, "été": "☃ 😀 \\ \u0001"}'::jsonb,
		'rows', (SELECT jsonb_agg(jsonb_build_object('id', i, 'name', 'row number ' || i * n)) FROM generate_series(1, 10) i WHERE i % 7 <> n))
$$;
SET client_min_messages = error;

-- Chains under the first master key.
SELECT count(*) FROM unnest('{gzip,zstd,none}'::text[]) compression, unnest('{t,f}'::bool[]) encrypt,
	unnest('{full,incremental,incremental,differential,incremental}'::text[]) WITH ORDINALITY state(type, n),
	LATERAL bk_create('chain/' || compression || CASE WHEN encrypt THEN '/encrypted' ELSE '' END, pg_temp.document(n::int), type,
		compression => compression, encrypt => encrypt);
SELECT backup_id FROM bk_create('long', to_jsonb(repeat('more than a chunk. ', 3600)), compression => 'none', tags => '{"size": "large"}');

-- Consolidated: the third is full in its place; the first of another chain has gone, and the second is full.
SELECT count(*) FROM generate_series(1, 4) n, LATERAL bk_create('consolidated', pg_temp.document(n), 'incremental');
SELECT bk_consolidate(backup_id + 2) FROM (SELECT min(backup_id) backup_id FROM bk_list('consolidated')) first;
SELECT count(*) FROM generate_series(1, 3) n, LATERAL bk_create('deleted', pg_temp.document(n), 'incremental');
SELECT bk_delete(min(backup_id)) FROM bk_list('deleted');
SELECT bk_hold(max(backup_id), 'law', 'for ever') FROM bk_list('chain/gzip');

-- After a rotation: new ones under the second key, some re-wrapped to it, the others still under the first.
SELECT bk_key_rotate();
SELECT bk_rekey(10);
SELECT count(*) FROM unnest('{incremental,full}'::text[]) WITH ORDINALITY state(type, n), LATERAL bk_create('chain/gzip/encrypted', pg_temp.document(n::int + 5), type);

-- Restores, and reads in the trail.
SELECT bk_restore(min(backup_id)) FROM bk_list('chain/zstd');
SELECT bk_audit_seal();
