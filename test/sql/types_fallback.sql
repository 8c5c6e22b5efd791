-- When is an incremental or a differential made full?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

-- Where there is no base.
SELECT type, base_id FROM bk_create('fallback/none', '{"a": 1}', 'incremental');
SELECT type, base_id FROM bk_create('fallback/none differential', '{"a": 1}', 'differential');

-- A differential wants a full backup; a consolidated one is as good as any.
SELECT type FROM bk_create('fallback/none', '{"a": 2}', 'differential');

-- Where all backups were deleted.
SELECT backup_id AS only FROM bk_create('fallback/deleted', '1') \gset
SELECT bk_delete(:only);
SELECT type FROM bk_create('fallback/deleted', '2', 'incremental');

-- Where the chain has reached its greatest length: the count is of backups, the full one included.
SET backup_service.max_chain_length = 3;
SELECT type FROM bk_create('fallback/chain', '{"n": 1, "k": 0}');
SELECT type FROM bk_create('fallback/chain', '{"n": 2, "k": 0}', 'incremental');
SELECT type FROM bk_create('fallback/chain', '{"n": 3, "k": 0}', 'incremental');
SELECT type FROM bk_create('fallback/chain', '{"n": 4, "k": 0}', 'incremental');
SELECT type FROM bk_create('fallback/chain', '{"n": 5, "k": 0}', 'incremental');

-- A differential's chain has two backups, so it falls back only where one is all that is allowed.
SET backup_service.max_chain_length = 2;
SELECT type FROM bk_create('fallback/chain', '{"n": 6, "k": 0}', 'differential');
SELECT type FROM bk_create('fallback/chain', '{"n": 7, "k": 0}', 'differential');
SELECT type FROM bk_create('fallback/chain', '{"n": 8, "k": 0}', 'incremental');
SET backup_service.max_chain_length = 1;
SELECT type FROM bk_create('fallback/chain', '{"n": 9, "k": 0}', 'incremental');
SELECT type FROM bk_create('fallback/chain', '{"n": 10, "k": 0}', 'differential');
SET backup_service.max_chain_length = 100;
SELECT type, bk_read(backup_id) FROM bk_backups WHERE resource_id = 'fallback/chain' ORDER BY created_at;

-- Where the delta would be larger than the document, and more than 8 kB.
CREATE FUNCTION pg_temp.words(seed int, count int) RETURNS jsonb LANGUAGE sql AS
$$ SELECT jsonb_object_agg(md5(seed || '.' || i), md5(i || '.' || seed)) FROM generate_series(1, count) i $$;
SELECT type FROM bk_create('fallback/size', pg_temp.words(1, 200));
SELECT type, size = document_size AS whole FROM bk_create('fallback/size', pg_temp.words(2, 200), 'incremental');
SELECT type, size = document_size AS whole FROM bk_create('fallback/size', pg_temp.words(3, 200), 'differential');

-- Small ones are kept as deltas, whatever the document's size.
SELECT type, size > document_size AS larger FROM bk_create('fallback/small', '{"a": 1}');
SELECT type, size > document_size AS larger FROM bk_create('fallback/small', '[]', 'incremental');
SELECT type, size > document_size AS larger FROM bk_create('fallback/small', pg_temp.words(1, 100), 'incremental');
SELECT bk_read(backup_id) = pg_temp.words(1, 100) AS same FROM bk_list('fallback/small', max_rows => 1);

-- A large delta that is smaller than its document is one.
SELECT type FROM bk_create('fallback/half', pg_temp.words(1, 200) || pg_temp.words(2, 600));
SELECT type, size > 8192 AS large, size < document_size AS smaller
  FROM bk_create('fallback/half', pg_temp.words(3, 200) || pg_temp.words(2, 600), 'incremental');

-- A damaged base, or one that is marked corrupt, is not built on.  (A warning names the base by its id.)
SELECT backup_id AS good FROM bk_create('fallback/damaged', '{"n": 1, "k": 0}') \gset
SELECT backup_id AS bad FROM bk_create('fallback/damaged', '{"n": 2, "k": 0}') \gset
UPDATE backup_service.backup SET status = 'corrupt' WHERE backup_id = :bad;
SELECT type, base_id = :good AS on_the_good_one FROM bk_create('fallback/damaged', '{"n": 3, "k": 0}', 'differential');
UPDATE backup_service.backup SET status = 'completed' WHERE backup_id = :bad;
UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE backup_id = :bad;
SET client_min_messages = error;
SELECT type FROM bk_create('fallback/damaged', '{"n": 4, "k": 0}', 'differential');
RESET client_min_messages;
SELECT bk_read(backup_id) FROM bk_list('fallback/damaged', max_rows => 1);

-- The messages are notices: a session can do without.
SET client_min_messages = warning;
SELECT type FROM bk_create('fallback/quiet', '1', 'incremental');
