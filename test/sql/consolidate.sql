-- Does a consolidated backup stay what it was?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

SELECT backup_id AS full FROM bk_create('consolidate/r', '{"n": 1, "k": 0}') \gset
SELECT backup_id AS inc1 FROM bk_create('consolidate/r', '{"n": 2, "k": 0}', 'incremental', retention => '10 days', tags => '{"a": 1}', source => 's', version => 'v') \gset
SELECT backup_id AS inc2 FROM bk_create('consolidate/r', '{"n": 3, "k": 0}', 'incremental', encrypt => false, compression => 'none') \gset
SELECT backup_id AS diff FROM bk_create('consolidate/r', '{"n": 4, "k": 0}', 'differential') \gset
CREATE TEMP TABLE before AS SELECT * FROM bk_backups WHERE resource_id = 'consolidate/r';
CREATE TEMP TABLE timeline AS SELECT * FROM bk_snapshots WHERE resource_id = 'consolidate/r';
CREATE TEMP TABLE secrets AS SELECT backup_id, iv, wrapped_key, mac, document_digest FROM backup_service.backup WHERE resource_id = 'consolidate/r';

-- The answer is the row, which is full now.
CREATE TEMP TABLE answer AS SELECT * FROM bk_consolidate(:inc1);
SELECT count(*) FROM (TABLE answer EXCEPT SELECT * FROM bk_backups) other;
SELECT pg_temp.n(backup_id) AS backup_id, type, base_id, size = document_size AS whole FROM answer;

-- Its id, its time and its labels are what they were; the payload, with all that belongs to it, is new.
SELECT a.created_at = b.created_at AS created_at, a.expires_at = b.expires_at AS expires_at, a.tags = b.tags AS tags, a.source, a.version,
	   a.created_by = b.created_by AS created_by, a.resource_type = b.resource_type AS resource_type,
	   a.encrypted = b.encrypted AS encrypted, a.document_size = b.document_size AS document_size,
	   a.checksum <> b.checksum AS new_checksum, a.completed_at > b.completed_at AS new_completed_at
  FROM answer a JOIN before b USING (backup_id);
SELECT s.iv <> b.iv AS new_iv, s.wrapped_key <> b.wrapped_key AS new_key, s.mac <> b.mac AS new_mac, s.document_digest <> b.document_digest AS new_digest
  FROM secrets s JOIN backup_service.backup b USING (backup_id) WHERE backup_id = :inc1;

-- An unencrypted one stays unencrypted.
SELECT type, encrypted, compression FROM bk_consolidate(:inc2, 'consolidate/r');
SELECT type FROM bk_consolidate(:diff);

-- Everything is restored as before, and the timeline has not changed.
SELECT pg_temp.n(backup_id) AS backup_id, type, base_id, bk_restore(backup_id), bk_verify(backup_id)->'valid' AS valid
  FROM bk_backups WHERE resource_id = 'consolidate/r' ORDER BY created_at;
SELECT count(*) FROM (TABLE timeline EXCEPT SELECT * FROM bk_snapshots) other;
SELECT count(*) FROM (SELECT * FROM bk_snapshots WHERE resource_id = 'consolidate/r' EXCEPT TABLE timeline) other;
SELECT backups_made FROM bk_resources WHERE resource_id = 'consolidate/r';

-- What builds on a consolidated backup still does; new differentials build on it, being the newest full one.
SELECT backup_id AS next1 FROM bk_create('consolidate/r', '{"n": 5, "k": 0}', 'incremental') \gset
SELECT backup_id AS next2 FROM bk_create('consolidate/r', '{"n": 6, "k": 0}', 'incremental') \gset
SELECT FROM bk_consolidate(:next1);
SELECT type, base_id = :next1 AS on_consolidated FROM bk_create('consolidate/r', '{"n": 7, "k": 0}', 'differential');
SELECT type, bk_read(backup_id) FROM bk_backups WHERE resource_id = 'consolidate/r' ORDER BY created_at;

-- A full backup is left alone, with a notice.  (Its id is set, so that it can be shown.)
SELECT last_value FROM backup_service.backup_backup_id_seq \gset
SELECT setval('backup_service.backup_backup_id_seq', 987654321, false);
SELECT FROM bk_create('consolidate/full', '{"n": 1}');
SELECT setval('backup_service.backup_backup_id_seq', :last_value) = :last_value AS set_back;
CREATE TEMP TABLE full_before AS SELECT * FROM bk_backups WHERE resource_id = 'consolidate/full';
SELECT backup_id, type FROM bk_consolidate(987654321);
SELECT count(*) FROM (TABLE full_before EXCEPT SELECT * FROM bk_backups) other;

-- Rolled back, nothing has changed.
SELECT backup_id AS last FROM bk_create('consolidate/r', '{"n": 8, "k": 0}', 'incremental') \gset
BEGIN;
SELECT type FROM bk_consolidate(:last);
SELECT bk_read(:last);
ROLLBACK;
SELECT type, bk_read(backup_id) FROM bk_backups WHERE backup_id = :last;

-- What is damaged is not made into something that looks sound.
UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE backup_id = :last;
CALL pg_temp.attempt(format('SELECT FROM bk_consolidate(%s)', :last));
SELECT type FROM bk_backups WHERE backup_id = :last;
CALL pg_temp.attempt('SELECT FROM bk_consolidate(-1)');
DELETE FROM backup_service.resource WHERE resource_id = 'consolidate/full';
