-- What does bk_verify() say?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

SELECT backup_id AS full FROM bk_create('verify/r', '{"n": 1, "k": 0}') \gset
SELECT backup_id AS inc FROM bk_create('verify/r', '{"n": 2, "k": 0}', 'incremental') \gset
SELECT backup_id AS plain FROM bk_create('verify/r', '{"n": 3, "k": 0}', 'differential', encrypt => false) \gset

-- The specification's answer, for what is sound; when, is kept.
SELECT bk_verify(:full);
SELECT bk_verify(:inc, 'verify/r');
SELECT bk_verify(:plain);
SELECT pg_temp.n(backup_id) AS backup_id, verified_at BETWEEN completed_at AND clock_timestamp() AS verified
  FROM bk_backups WHERE resource_id = 'verify/r' ORDER BY created_at;

-- What expires soon is warned of.
SELECT bk_verify(backup_id)->'warnings' AS warnings FROM bk_create('verify/expiry', '1', retention => '30 days');
SELECT bk_verify(backup_id)->'warnings' AS warnings FROM bk_create('verify/expiry', '1', retention => '7 days');
SELECT bk_verify(backup_id)->'warnings' AS warnings FROM bk_create('verify/expiry', '1', retention => '5 days');
SELECT bk_verify(backup_id)->'warnings' AS warnings FROM bk_create('verify/expiry', '1', retention => '1 day');
-- (The time of expiry is no part of what is authenticated.)
UPDATE backup_service.backup SET expires_at = now() - interval '1 day' WHERE resource_id = 'verify/expiry';
SELECT DISTINCT bk_verify(backup_id) FROM bk_backups WHERE resource_id = 'verify/expiry';

-- So is a document that is far from as large as those before it, once there are three.
CREATE FUNCTION pg_temp.warned(bytes int) RETURNS jsonb LANGUAGE sql AS
$$ SELECT bk_verify(backup_id)->'warnings' FROM bk_create('verify/size', to_jsonb(repeat('x', bytes - 2)), 'incremental') $$;
SET client_min_messages = warning;
SELECT n, pg_temp.warned(n) AS warnings FROM unnest(ARRAY[1000, 4000, 10, 1000, 500, 499, 3000, 3001, 2400]) n;
RESET client_min_messages;
-- Ten count, not all.
SELECT count(*) FROM generate_series(1, 10) i, bk_create('verify/size', to_jsonb(repeat('x', 9998 + 0 * i)));
SELECT pg_temp.warned(4999) AS warnings, pg_temp.warned(5000) AS warnings;

-- In a read-only transaction it answers all the same, and writes nothing.
UPDATE backup_service.backup SET verified_at = NULL WHERE resource_id = 'verify/r';
BEGIN READ ONLY;
SELECT bk_verify(:full)->'valid' AS valid;
COMMIT;
SELECT count(verified_at) FROM bk_backups WHERE resource_id = 'verify/r';

-- A flipped bit in the stored bytes: the checksum finds it without the key.
BEGIN;
UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE backup_id = :full;
SELECT pg_temp.masked(bk_verify(:full)::text);
-- Its dependents have sound bytes and no document.
SELECT pg_temp.masked(bk_verify(:inc)::text);
-- What was found is noted at the damaged one, and at what builds on it.
SELECT pg_temp.n(backup_id) AS backup_id, type, status FROM bk_backups WHERE resource_id = 'verify/r' ORDER BY created_at;
SELECT pg_temp.n(backup_id) AS backup_id, action, detail->>'error' AS error, jsonb_array_length(detail->'dependents') AS dependents
  FROM bk_audit WHERE resource_id = 'verify/r' AND action = 'corrupt';
SELECT count(verified_at) FROM bk_backups WHERE resource_id = 'verify/r';
-- Put back, it is completed again, and the others are when they are verified.
UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE backup_id = :full;
SELECT bk_verify(:full)->'valid' AS valid;
SELECT type, status FROM bk_backups WHERE resource_id = 'verify/r' ORDER BY created_at;
SELECT bk_verify(:inc)->'valid' AS valid, bk_verify(:plain)->'valid' AS valid;
SELECT type, status FROM bk_backups WHERE resource_id = 'verify/r' ORDER BY created_at;
SELECT action FROM bk_audit WHERE resource_id = 'verify/r' ORDER BY number;
ROLLBACK;

-- With a checksum made to fit: the authentication finds it.
BEGIN;
UPDATE backup_service.chunk SET data = set_byte(data, 0, get_byte(data, 0) # 1) WHERE backup_id = :full;
UPDATE backup_service.backup SET checksum = (SELECT sha256(data) FROM backup_service.chunk WHERE backup_id = :full) WHERE backup_id = :full;
SELECT pg_temp.masked(bk_verify(:full)::text);
ROLLBACK;

-- Missing bytes, a changed column, a value that is never written, a missing key version.
BEGIN;
DELETE FROM backup_service.chunk WHERE backup_id = :plain;
SELECT pg_temp.masked(bk_verify(:plain)::text);
ROLLBACK;
BEGIN;
UPDATE backup_service.backup SET document_size = document_size + 1 WHERE backup_id = :plain;
SELECT pg_temp.masked(bk_verify(:plain)::text);
ROLLBACK;
BEGIN;
UPDATE backup_service.backup SET size = 0 WHERE backup_id = :plain;
SELECT pg_temp.masked(bk_verify(:plain)::text);
ROLLBACK;
BEGIN;
UPDATE backup_service.backup SET key_version = 99 WHERE backup_id = :plain;
SELECT pg_temp.masked(bk_verify(:plain)::text);
ROLLBACK;

-- A payload swapped with another's.
BEGIN;
UPDATE backup_service.chunk c SET data = o.data FROM backup_service.chunk o WHERE c.backup_id = :inc AND o.backup_id = :full;
UPDATE backup_service.backup b SET (checksum, mac, iv, wrapped_key, size, stored_size, document_size, document_digest)
	= (o.checksum, o.mac, o.iv, o.wrapped_key, o.size, o.stored_size, o.document_size, o.document_digest)
  FROM backup_service.backup o WHERE b.backup_id = :inc AND o.backup_id = :full;
SELECT pg_temp.masked(bk_verify(:inc)::text);
ROLLBACK;

SELECT count(*), bool_and((bk_verify(backup_id)->>'valid')::boolean) AS valid FROM bk_backups WHERE resource_id = 'verify/r';
CALL pg_temp.attempt('SELECT bk_verify(-1)');
