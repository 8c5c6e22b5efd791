-- Does a resource come back out of its archive, and is whatever else refused?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

-- Everything that a history can have: a chain, a tombstone, a backup that has left the timeline, holds, labels, expiry.
SELECT backup_id AS first FROM bk_create('archive/r', '{"n": 1, "t": "Zürich 資源 🐘"}', tags => '{"env": "x", "é": [1.00]}', retention => '10 years', version => 'v1', source => 's1') \gset
SELECT FROM bk_create('archive/r', '{"n": 2, "t": "Zürich 資源 🐘"}', 'incremental', resource_type => 'other', encrypt => false);
SELECT backup_id AS gone FROM bk_create('archive/r', '{"n": 3, "t": "Zürich 資源 🐘"}', 'incremental') \gset
SELECT FROM bk_create('archive/r', '{"n": 4, "t": "Zürich 資源 🐘"}', 'differential', compression => 'none');
SELECT backup_id AS large FROM bk_create('archive/r', (SELECT jsonb_object_agg(i, md5(i::text)) FROM generate_series(1, 20000) i), compression => 'none') \gset
SELECT FROM bk_create('archive/r', '{"n": 6}', 'incremental', compression => 'zstd');
SELECT bk_delete(:gone);
SELECT bk_hold(:first, 'legal', 'the auditors come', '2100-01-01'), bk_hold(:large, 'for ever', 'it is large');
SET backup_service.max_snapshots = 4;
SELECT FROM bk_create('archive/r', '{"n": 7}', 'incremental');
RESET backup_service.max_snapshots;
SELECT bk_archive('archive/r') AS archive \gset

-- It begins as a file that no transfer as text survives unseen, and is sealed.
SELECT encode(substr(:'archive'::bytea, 1, 9), 'hex') AS head;

-- Into this server, under another name: everything but the ids is the same.
SELECT bk_archive_import(:'archive', 'archive/copy');
CREATE FUNCTION pg_temp.told(resource text) RETURNS TABLE (backup jsonb, document jsonb, valid text) LANGUAGE sql AS $$
	SELECT to_jsonb(b) - '{backup_id,base_id,resource_id,verified_at,archived_at,key_version}'::text[]
		   || jsonb_build_object('base', (SELECT o.created_at FROM bk_backups o WHERE o.backup_id = b.base_id AND o.resource_id = b.resource_id)),
		   bk_read(b.backup_id), bk_verify(b.backup_id) ->> 'valid'
	  FROM bk_backups b WHERE b.resource_id = resource
$$;
SELECT * FROM pg_temp.told('archive/r') EXCEPT SELECT * FROM pg_temp.told('archive/copy');
SELECT * FROM pg_temp.told('archive/copy') EXCEPT SELECT * FROM pg_temp.told('archive/r');
SELECT count(*), count(DISTINCT document), bool_and(valid::boolean) AS valid FROM pg_temp.told('archive/copy');
CREATE FUNCTION pg_temp.points(resource text) RETURNS TABLE (created_at timestamptz, removed_at timestamptz, counts boolean, there boolean) LANGUAGE sql AS $$
	SELECT s.created_at, s.removed_at, s.counts, EXISTS (SELECT FROM bk_backups b WHERE b.resource_id = resource AND b.backup_id = s.backup_id AND b.created_at = s.created_at)
	  FROM backup_service.snapshot s WHERE s.resource_id = resource
$$;
SELECT * FROM pg_temp.points('archive/r') EXCEPT SELECT * FROM pg_temp.points('archive/copy');
SELECT * FROM pg_temp.points('archive/copy') EXCEPT SELECT * FROM pg_temp.points('archive/r');
SELECT count(*) AS points, count(removed_at) AS removed, count(*) FILTER (WHERE there) AS there FROM pg_temp.points('archive/copy');
SELECT h.name, h.reason, h.until, b.document_size FROM bk_holds h JOIN bk_backups b USING (backup_id) WHERE h.resource_id = 'archive/copy' ORDER BY 1;

-- No chunk is another, the audit trail holds, and says where it comes from.
SELECT count(*) = 0 AS same_bytes FROM (SELECT b.created_at, c.seq, c.data FROM backup_service.chunk c JOIN backup_service.backup b USING (resource_id, backup_id) WHERE resource_id = 'archive/r'
	EXCEPT SELECT b.created_at, c.seq, c.data FROM backup_service.chunk c JOIN backup_service.backup b USING (resource_id, backup_id) WHERE resource_id = 'archive/copy') d;
SELECT * FROM bk_audit_verify('archive/copy');
SELECT action, pg_temp.n(backup_id) AS backup, detail->>'from' AS "from", pg_temp.n((detail->>'backup_id')::bigint) AS was, detail - '{from,backup_id,made_at}'::text[] AS more
  FROM bk_audit WHERE resource_id = 'archive/copy' AND action = 'import' ORDER BY number;
SELECT action, detail FROM bk_audit WHERE resource_id = 'archive/r' AND action = 'archive';
SELECT backups, backups_made, resource_type, owner = current_user AS mine FROM bk_resources WHERE resource_id = 'archive/copy';

-- It goes on as any other: the next is later, and builds on the newest.
SELECT type, base_id = (SELECT max(backup_id) FROM bk_backups WHERE resource_id = 'archive/copy' AND backup_id < c.backup_id) AS newest, bk_read(backup_id)
  FROM bk_create('archive/copy', '{"n": 8}', 'incremental') c;

-- Once only; under its own name when that is free again.
CALL pg_temp.attempt(format('SELECT bk_archive_import(%L)', :'archive'));
CALL pg_temp.attempt(format('SELECT bk_archive_import(%L, %L)', :'archive', 'archive/copy'));
SELECT bk_release(:first, 'legal'), bk_release(:large, 'for ever');
SELECT bk_resource_drop('archive/r');
SELECT bk_archive_import(:'archive');
SELECT count(*), bool_and(valid::boolean) AS valid FROM pg_temp.told('archive/r');
SELECT * FROM bk_audit_verify('archive/r');

-- Atomic: an error leaves nothing.
BEGIN;
SAVEPOINT s;
SELECT bk_archive_import(:'archive', 'archive/undone');
ROLLBACK TO s;
SELECT count(*) FROM bk_resources WHERE resource_id = 'archive/undone';
ROLLBACK;

-- A resource without backups, and one of tombstones alone.
SELECT backup_id AS only FROM bk_create('archive/empty', '1') \gset
SELECT bk_delete(:only);
SELECT bk_archive_import(bk_archive('archive/empty'), 'archive/empty copy');
SELECT backups FROM bk_resources WHERE resource_id = 'archive/empty copy';
CALL pg_temp.attempt($$ SELECT bk_restore_at('archive/empty copy', 'infinity') $$);

-- Refused: arguments, what is no archive, another format, cut, longer, changed anywhere.
CALL pg_temp.attempt('SELECT bk_archive(NULL)');
CALL pg_temp.attempt($$ SELECT bk_archive('archive/none') $$);
CALL pg_temp.attempt('SELECT bk_archive_import(NULL)');
CALL pg_temp.attempt($$ SELECT bk_archive_import('\x00', '') $$);
CALL pg_temp.attempt($$ SELECT bk_archive_import('') $$);
CALL pg_temp.attempt($$ SELECT bk_archive_import('not an archive') $$);
SELECT :'archive'::bytea AS a, octet_length(:'archive'::bytea) AS n \gset
CREATE FUNCTION pg_temp.refused(archive bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM bk_archive_import(archive, 'archive/refused');
	RETURN 'taken';
EXCEPTION WHEN invalid_parameter_value OR system_error OR data_corrupted THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN sqlstate || regexp_replace(' ' || sqlerrm || ' ' || detail, '\m(\d{3,20}|[0-9a-f]{64})\M', '(number)', 'g');
END $$;
SELECT pg_temp.refused(set_byte(:'a', 8, 2));
SELECT pg_temp.refused(substr(:'a'::bytea, 1, 20));
SELECT pg_temp.refused(substr(:'a'::bytea, 1, :n - 1));
SELECT pg_temp.refused(:'a'::bytea || '\x00');
SELECT pg_temp.refused(set_byte(:'a', 9, 255));
SELECT pg_temp.refused(set_byte(:'a', 17, 128));
SELECT pg_temp.refused(set_byte(:'a', :n - 1, 255 - get_byte(:'a', :n - 1)));
SELECT pg_temp.refused(set_byte(:'a', :n - 100000, 255 - get_byte(:'a', :n - 100000)));
-- Every one of the first bytes, which are read before the seal can be checked, and every 10,000th after that.
SELECT DISTINCT substr(pg_temp.refused(set_byte(:'a', i, get_byte(:'a', i) # bit)), 1, 5) AS refused FROM generate_series(0, 250) i, unnest(ARRAY[1, 128]) bit ORDER BY 1;
SELECT DISTINCT pg_temp.refused(set_byte(:'a', i, 255 - get_byte(:'a', i))) FROM generate_series(251, :n - 1, 9973) i;
-- Cut at any place; two archives that lend each other a piece.
SELECT DISTINCT pg_temp.refused(substr(:'a'::bytea, 1, i)) FROM generate_series(0, :n - 1, 9973) i ORDER BY 1;
SELECT pg_temp.refused(substr(:'a'::bytea, 1, :n - 32) || substr(bk_archive('archive/r'), :n - 31));
SELECT count(*) FROM bk_resources WHERE resource_id = 'archive/refused';

-- A damaged backup is not archived.
BEGIN;
UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE resource_id = 'archive/copy' AND seq = 0 AND backup_id = (SELECT max(backup_id) FROM backup_service.backup WHERE resource_id = 'archive/copy');
CALL pg_temp.attempt($$ SELECT bk_archive('archive/copy') $$);
ROLLBACK;
BEGIN;
DELETE FROM backup_service.backup WHERE resource_id = 'archive/copy' AND created_at = (SELECT min(created_at) FROM backup_service.backup WHERE resource_id = 'archive/copy');
CALL pg_temp.attempt($$ SELECT bk_archive('archive/copy') $$);
DELETE FROM backup_service.snapshot s WHERE resource_id = 'archive/copy' AND NOT EXISTS (SELECT FROM backup_service.backup b WHERE b.backup_id = s.backup_id);
CALL pg_temp.attempt($$ SELECT bk_archive('archive/copy') $$);
ROLLBACK;

-- In a read-only transaction one can archive, not import.
BEGIN READ ONLY;
SELECT octet_length(bk_archive('archive/r')) = :n AS archived;
CALL pg_temp.attempt(format('SELECT bk_archive_import(%L, %L)', 'x', 'y'));
COMMIT;

-- An archive is its owner's, and a taken name is told as bk_create() tells it.
CREATE ROLE regress_bk_archive_ann IN ROLE backup_service_user;
CREATE ROLE regress_bk_archive_bea IN ROLE backup_service_user;
CREATE ROLE regress_bk_archive_op IN ROLE backup_service_operator;
SET ROLE regress_bk_archive_ann;
SELECT FROM bk_create('archive/ann', '"hers"');
SELECT bk_archive('archive/ann') AS hers \gset
SET ROLE regress_bk_archive_bea;
CALL pg_temp.attempt($$ SELECT bk_archive('archive/ann') $$);
CALL pg_temp.attempt(format('SELECT bk_archive_import(%L, %L)', :'hers', 'archive/bea'));
SET ROLE regress_bk_archive_ann;
CALL pg_temp.attempt(format('SELECT bk_archive_import(%L, %L)', :'hers', 'archive/r'));
SELECT bk_archive_import(:'hers', 'archive/ann too');
SET ROLE regress_bk_archive_op;
SELECT bk_archive_import(:'hers', 'archive/of operator');
RESET ROLE;
SELECT resource_id, owner FROM bk_resources WHERE resource_id LIKE 'archive/%' AND owner <> current_user ORDER BY 1;
SELECT count(bk_resource_drop(resource_id)) AS dropped FROM bk_resources WHERE resource_id LIKE 'archive/ann%' OR resource_id = 'archive/of operator';
DROP ROLE regress_bk_archive_ann;
-- Of a role that is no more, an operator's.
SET ROLE regress_bk_archive_bea;
CALL pg_temp.attempt(format('SELECT bk_archive_import(%L, %L)', :'hers', 'archive/bea'));
SET ROLE regress_bk_archive_op;
SELECT bk_archive_import(:'hers', 'archive/of operator');
RESET ROLE;
SELECT bk_release(backup_id, name) FROM bk_holds WHERE resource_id LIKE 'archive/%';
SELECT count(bk_resource_drop(resource_id)) AS dropped FROM bk_resources WHERE resource_id LIKE 'archive/%';
DROP ROLE regress_bk_archive_bea, regress_bk_archive_op;
