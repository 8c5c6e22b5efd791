-- Does bk_export() give a file that gunzip reads?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

SELECT backup_id AS full FROM bk_create('export/r', '{"b": [1.0, null], "a": "Zürich 資源 🐘"}') \gset
SELECT backup_id AS inc FROM bk_create('export/r', '{"b": [1.00, null], "a": "Zürich 資源 🐘"}', 'incremental') \gset

-- A gzip file: its magic, its method, and its last four bytes, which are the text's length.
SELECT encode(substr(bk_export(:full), 1, 3), 'hex') AS magic,
	   get_byte(e, length(e) - 4) + get_byte(e, length(e) - 3) * 256 = octet_length(bk_read(:full)::text) AS length
  FROM bk_export(:full) e;

-- What gunzip makes of it is the document's text.
\pset tuples_only
\pset format unaligned
SELECT encode(bk_export(:full), 'base64') \g |base64 -d | gunzip; echo
SELECT encode(bk_export(:inc, 'export/r'), 'base64') \g |base64 -d | gunzip; echo
SELECT encode(bk_export(backup_id), 'base64') FROM bk_create('export/zstd', '{"plain": false}', compression => 'zstd', encrypt => true) \g |base64 -d | gunzip; echo
SELECT encode(bk_export(backup_id), 'base64') FROM bk_create('export/none', '"one\ntext"', compression => 'none', encrypt => false) \g |base64 -d | gunzip; echo
SELECT encode(bk_export(backup_id), 'base64') FROM bk_create('export/large', to_jsonb(repeat('lorem ipsum ', 200000))) \g |base64 -d | gunzip | wc -c

-- An unencrypted gzip payload is such a file as it is stored.
SELECT type FROM bk_create('export/stored', to_jsonb(repeat('lorem ipsum ', 10)), encrypt => false, compression => 'gzip');
SELECT encode(string_agg(c.data, ''::bytea ORDER BY c.seq), 'base64')
  FROM backup_service.chunk c WHERE c.resource_id = 'export/stored' \g |base64 -d | gunzip; echo

-- Such a payload, of many chunks, is what is handed out, from inside its cipher too; what is not stored as gzip is made so.
SELECT backup_id AS open FROM bk_create('export/handed', (SELECT jsonb_agg(md5(i::text)) FROM generate_series(1, 20000) i), encrypt => false) \gset
SELECT backup_id AS secret FROM bk_create('export/handed', bk_read(:open), encrypt => true) \gset
SELECT backup_id AS other FROM bk_create('export/handed', bk_read(:open), compression => 'none') \gset
SELECT count(*) > 4, bk_export(:open) = string_agg(data, ''::bytea ORDER BY seq) FROM backup_service.chunk WHERE backup_id = :open;
SELECT bk_export(:secret) = bk_export(:open), bk_export(:other) = bk_export(:open);
\pset tuples_only
\pset format aligned

-- In a read-only transaction; damage is refused.
BEGIN READ ONLY;
SELECT bk_export(:full) = bk_export(:full) AS same;
COMMIT;
BEGIN;
UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE backup_id = :full;
CALL pg_temp.attempt(format('SELECT bk_export(%s)', :inc));
ROLLBACK;
BEGIN;
UPDATE backup_service.chunk SET data = set_byte(data, 9, get_byte(data, 9) # 1) WHERE backup_id = :secret AND seq = 2;
CALL pg_temp.attempt(format('SELECT bk_export(%s)', :secret));
ROLLBACK;
BEGIN;
UPDATE backup_service.backup SET document_digest = set_byte(document_digest, 0, get_byte(document_digest, 0) # 1) WHERE backup_id = :secret;
CALL pg_temp.attempt(format('SELECT bk_export(%s)', :secret));
ROLLBACK;
CALL pg_temp.attempt('SELECT bk_export(-1)');
CALL pg_temp.attempt(format('SELECT bk_export(%s, ''export/none'')', :full));
