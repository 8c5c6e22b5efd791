-- Which errors can a caller see, and what do they say?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools
SELECT backup_id AS b FROM bk_create('errors/r', '{"a": 1}') \gset
SELECT backup_id AS i FROM bk_create('errors/r', '{"a": 2}', 'incremental') \gset
CREATE FUNCTION pg_temp.b() RETURNS bigint LANGUAGE sql AS $$ SELECT min(backup_id) FROM bk_backups WHERE resource_id = 'errors/r' $$;

-- Arguments that must be there.
CALL pg_temp.attempt($$ SELECT FROM bk_create(NULL, '1') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', NULL) $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', type => NULL) $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', resource_type => NULL) $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', tags => NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_restore(NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_restore(pg_temp.b(), validate => NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_restore_at(NULL, now()) $$);
CALL pg_temp.attempt($$ SELECT bk_restore_at('errors/r', NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_restore_at('errors/r', now(), validate => NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_restore_at('errors/r', now(), nearest => NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_read(NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_export(NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_verify(NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_diff(NULL, 1) $$);
CALL pg_temp.attempt($$ SELECT bk_diff(1, NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_history(NULL, 'a') $$);
CALL pg_temp.attempt($$ SELECT bk_history('errors/r', NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_delete(NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_delete(pg_temp.b(), NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_consolidate(NULL) $$);
CALL pg_temp.attempt($$ SELECT bk_list(max_rows => NULL) $$);

-- Names: not empty, at most 512 bytes, no control characters.
CALL pg_temp.attempt($$ SELECT FROM bk_create('', '1') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', resource_type => '') $$);
CALL pg_temp.attempt($$ SELECT bk_restore(pg_temp.b(), '') $$);
CALL pg_temp.attempt($$ SELECT bk_restore(pg_temp.b(), resource_id => '') $$);
CALL pg_temp.attempt($$ SELECT bk_restore_at('', now()) $$);
CALL pg_temp.attempt($$ SELECT bk_restore_at('errors/r', now(), '') $$);
CALL pg_temp.attempt($$ SELECT bk_read(1, '') $$);
CALL pg_temp.attempt($$ SELECT bk_export(1, '') $$);
CALL pg_temp.attempt($$ SELECT bk_verify(1, '') $$);
CALL pg_temp.attempt($$ SELECT bk_diff(1, 1, '') $$);
CALL pg_temp.attempt($$ SELECT bk_history('', 'a') $$);
CALL pg_temp.attempt($$ SELECT bk_delete(1, resource_id => '') $$);
CALL pg_temp.attempt($$ SELECT bk_consolidate(1, '') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create(repeat('x', 513), '1') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create(repeat('é', 257), '1') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', resource_type => repeat('x', 513)) $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', source => repeat('x', 513)) $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', version => repeat('x', 513)) $$);
CALL pg_temp.attempt($$ SELECT bk_restore(pg_temp.b(), repeat('x', 513)) $$);
CALL pg_temp.attempt($$ SELECT bk_restore(pg_temp.b(), created_by => repeat('x', 513)) $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create(E'a\nb', '1') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create(E'a\x7f', '1') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create(E'é\u0085', '1') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', resource_type => E'\t') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', source => E'\x1b[31m') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', version => E'1\n') $$);
CALL pg_temp.attempt($$ SELECT bk_restore(pg_temp.b(), E'\x01') $$);
CALL pg_temp.attempt($$ SELECT bk_restore(pg_temp.b(), created_by => E'me\n') $$);
CALL pg_temp.attempt($$ SELECT bk_restore_at('errors/r', now(), created_by => E'me\n') $$);

-- One of a few words.
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', 'weekly') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', 'FULL') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', '') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_list(type => 'weekly') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', compression => 'lz4') $$);
CALL pg_temp.attempt($$ SELECT bk_delete(pg_temp.b(), 'ignore') $$);

-- Tags, retention, rows.
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', tags => '[]') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', tags => 'null') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_list(tags => '"env"') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', retention => '-1 day') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', retention => '0') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', retention => '1 month -1 year') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/new', '1', retention => '300000 years') $$);
CALL pg_temp.attempt($$ SELECT FROM bk_list(max_rows => 0) $$);
CALL pg_temp.attempt($$ SELECT FROM bk_list(max_rows => -5) $$);

-- What is not there.
CALL pg_temp.attempt($$ SELECT bk_restore(-1) $$);
CALL pg_temp.attempt($$ SELECT bk_read(9223372036854775807) $$);
CALL pg_temp.attempt($$ SELECT bk_read(0) $$);
CALL pg_temp.attempt($$ SELECT bk_read(pg_temp.b(), 'errors/none') $$);
CALL pg_temp.attempt($$ SELECT bk_restore_at('errors/none', now()) $$);
CALL pg_temp.attempt($$ SELECT bk_history('errors/none', 'a') $$);
CALL pg_temp.attempt($$ SELECT bk_restore_at('errors/r', '2000-01-01') $$);

-- A read-only transaction.
BEGIN READ ONLY;
CALL pg_temp.attempt($$ SELECT FROM bk_create('errors/r', '1') $$);
CALL pg_temp.attempt($$ SELECT bk_restore(pg_temp.b()) $$);
CALL pg_temp.attempt($$ SELECT bk_restore_at('errors/r', 'infinity') $$);
CALL pg_temp.attempt($$ SELECT bk_delete(pg_temp.b()) $$);
CALL pg_temp.attempt($$ SELECT bk_consolidate(pg_temp.b()) $$);
COMMIT;

-- An id that two resources have, as nodes that were joined may: name the resource.
INSERT INTO backup_service.resource (resource_id, resource_type, owner, created_at) VALUES ('errors/twin', 't', current_user, now());
INSERT INTO backup_service.backup
SELECT 'errors/twin', backup_id, base_id, type, status, resource_type, size, stored_size, document_size, compression, encrypted, checksum,
	   document_digest, iv, mac, wrapped_key, key_version, version, source, tags, created_by, created_at, completed_at
  FROM backup_service.backup WHERE backup_id = :b;
CALL pg_temp.attempt($$ SELECT bk_read(pg_temp.b()) $$);
SELECT bk_read(:b, 'errors/r');
-- (The twin's payload is another's, which is found out.)
INSERT INTO backup_service.chunk SELECT 'errors/twin', backup_id, seq, data FROM backup_service.chunk WHERE backup_id = :b;
CALL pg_temp.attempt($$ SELECT bk_read(pg_temp.b(), 'errors/twin') $$);
DELETE FROM backup_service.chunk WHERE resource_id = 'errors/twin';
DELETE FROM backup_service.backup WHERE resource_id = 'errors/twin';
DELETE FROM backup_service.resource WHERE resource_id = 'errors/twin';

-- Damage: a column with a value that is never written, a base that is gone, no such key version, a wrapped key that is not intact.
CREATE PROCEDURE pg_temp.attempt_with(change text, attempt text) LANGUAGE plpgsql AS
$$
BEGIN
	EXECUTE change;
	CALL pg_temp.attempt(attempt);
	RAISE EXCEPTION USING ERRCODE = 'P9999';
EXCEPTION WHEN SQLSTATE 'P9999' THEN
	NULL;
END
$$;
SELECT format('UPDATE backup_service.backup SET %%s WHERE backup_id = %s', :b) AS change \gset
SELECT 'SELECT bk_restore(' || :b || ', validate => false)' AS restore, 'SELECT bk_restore(' || :i || ', validate => false)' AS restore_next \gset
CALL pg_temp.attempt_with(format(:'change', 'size = 0'), :'restore');
CALL pg_temp.attempt_with(format(:'change', 'stored_size = -1'), :'restore');
CALL pg_temp.attempt_with(format(:'change', 'document_size = 0'), :'restore');
CALL pg_temp.attempt_with(format(:'change', 'iv = ''\x00'''), :'restore');
CALL pg_temp.attempt_with(format(:'change', 'mac = ''\x00'''), :'restore');
CALL pg_temp.attempt_with(format(:'change', 'checksum = ''\x00'''), :'restore');
CALL pg_temp.attempt_with(format(:'change', 'document_digest = ''\x00'''), :'restore');
CALL pg_temp.attempt_with(format(:'change', 'wrapped_key = ''\x00'''), :'restore');
CALL pg_temp.attempt_with(format(:'change', 'created_at = ''infinity'''), :'restore');
CALL pg_temp.attempt_with(format(:'change', 'key_version = 1000000'), :'restore');
CALL pg_temp.attempt_with(format(:'change', 'wrapped_key = set_byte(wrapped_key, 0, get_byte(wrapped_key, 0) # 1)'), :'restore');
CALL pg_temp.attempt_with(format(:'change', 'created_at = created_at + interval ''1 hour'''), :'restore_next');
CALL pg_temp.attempt_with(format('DELETE FROM backup_service.snapshot; DELETE FROM backup_service.backup WHERE backup_id = %s', :i), $$ SELECT bk_restore_at('errors/r', 'infinity') $$);
CALL pg_temp.attempt_with(format('DELETE FROM backup_service.backup WHERE backup_id = %s', :i), $$ SELECT bk_restore_at('errors/r', 'infinity') $$);
CALL pg_temp.attempt_with(format('DELETE FROM backup_service.snapshot WHERE backup_id = %s', :i), $$ SELECT bk_restore_at('errors/r', 'infinity') $$);

-- Keys: not the one that the catalog was written with; a version that the key file has not.
CALL pg_temp.attempt_with('UPDATE backup_service.key SET fingerprint = sha256(''other'')', :'restore');
CALL pg_temp.attempt_with('UPDATE backup_service.key SET fingerprint = sha256(''other'')', $$ SELECT FROM bk_create('errors/r', '1') $$);
CALL pg_temp.attempt_with('UPDATE backup_service.key SET version = version + 1000000', $$ SELECT FROM bk_create('errors/r', '1') $$);

-- A library that is newer than the view.
CREATE FUNCTION pg_temp.bk_consolidate(bigint, text, OUT a int, OUT b int) LANGUAGE C AS '$libdir/backup_service', 'bk_consolidate';
SET client_min_messages = warning;
CALL pg_temp.attempt($$ SELECT pg_temp.bk_consolidate(pg_temp.b(), NULL) $$);
RESET client_min_messages;

-- After all of this, nothing was written.
SELECT count(*) FROM bk_resources WHERE resource_id IN ('errors/new', 'errors/twin') OR resource_id ~ '^x+$';
SELECT pg_temp.n(backup_id) AS backup_id, bk_read(backup_id) FROM bk_backups WHERE resource_id = 'errors/r' ORDER BY created_at;
SELECT count(*) FROM bk_operations WHERE resource_id = 'errors/r';
