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
CALL pg_temp.attempt('SELECT bk_export(-1)');
CALL pg_temp.attempt(format('SELECT bk_export(%s, ''export/none'')', :full));
