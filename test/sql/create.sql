-- What does bk_create() store, and what does it answer?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

-- Every column, with every default.
CREATE TEMP TABLE plain AS SELECT * FROM bk_create('create/plain', '{"b": [1, 2], "a": "x"}');
SELECT pg_temp.n(backup_id) AS backup_id, resource_id, resource_type, type, status, base_id, size, stored_size,
	   compression_ratio, document_size, compression, encrypted
  FROM plain;
SELECT checksum ~ '^sha256:[0-9a-f]{64}$' AS checksum, key_version > 0 AS key_version, version, source, tags,
	   created_by = current_user AS created_by, created_at BETWEEN now() - interval '1 hour' AND clock_timestamp() AS created_at,
	   completed_at >= created_at AS completed_at, expires_at, verified_at
  FROM plain;

-- The checksum is that of the stored bytes.
SELECT b.checksum = 'sha256:' || encode(sha256(string_agg(c.data, ''::bytea ORDER BY c.seq)), 'hex') AS checksum,
	   sum(length(c.data)) = b.stored_size AS stored_size
  FROM plain b JOIN backup_service.chunk c USING (resource_id, backup_id) GROUP BY b.checksum, b.stored_size;

-- Every argument, by name and by position.
CREATE TEMP TABLE named AS
SELECT * FROM bk_create(resource_id => 'create/arguments', data => '{"a": 1}', type => 'full', resource_type => 'config',
						encrypt => false, compression => 'none', retention => '30 days',
						tags => '{"env": "production", "app": "shop"}', source => 'automated', version => '1.0');
CREATE TEMP TABLE positional AS
SELECT * FROM bk_create('create/arguments', '{"a": 2}', 'incremental', 'config', true, 'zstd', '12 hours', '{"n": [1]}', 'psql', '1.1');
SELECT pg_temp.n(backup_id) AS backup_id, resource_type, type, pg_temp.n(base_id) AS base_id, size, stored_size, document_size,
	   compression, encrypted, tags, source, version, expires_at - created_at AS kept
  FROM (TABLE named UNION ALL TABLE positional) b ORDER BY 1;

-- The answer is the row that the view and the list show.
SELECT count(*) FROM (TABLE plain UNION ALL TABLE named UNION ALL TABLE positional) made;
SELECT count(*) FROM (TABLE plain UNION ALL TABLE named UNION ALL TABLE positional
					  EXCEPT SELECT * FROM bk_backups WHERE resource_id LIKE 'create/%') other;
SELECT count(*) FROM (TABLE plain UNION ALL TABLE named UNION ALL TABLE positional
					  EXCEPT SELECT * FROM bk_list()) other;

-- Unencrypted and uncompressed, the chunk is the document's text; encrypted, it is not.
SELECT convert_from(c.data, 'UTF8') FROM named b JOIN backup_service.chunk c USING (resource_id, backup_id);
SELECT position('"b"'::bytea IN c.data) FROM plain b JOIN backup_service.chunk c USING (resource_id, backup_id);

-- What shrinks is compressed, and the ratio is in whole per cent; what does not is stored as it is.
SELECT compression, size, stored_size < size / 20 AS small, compression_ratio = (size - stored_size) * 100 / size AS ratio
  FROM bk_create('create/gzip', to_jsonb(repeat('lorem ipsum ', 10000)));
SELECT compression, size, stored_size < size / 20 AS small, compression_ratio = (size - stored_size) * 100 / size AS ratio
  FROM bk_create('create/zstd', to_jsonb(repeat('lorem ipsum ', 10000)), compression => 'zstd');
SELECT compression, size, stored_size, compression_ratio
  FROM bk_create('create/none', to_jsonb(repeat('lorem ipsum ', 10000)), compression => 'none');

-- A payload of several chunks, and of more than are written at once.
CREATE TEMP TABLE large AS
SELECT * FROM bk_create('create/large', (SELECT jsonb_agg(sha256(i::text::bytea)) FROM generate_series(1, 100000) i), compression => 'none');
SELECT count(*) > 16 AS several, bool_and(seq = n) AS in_order, sum(length(data)) = min(stored_size) AS complete
  FROM (SELECT c.*, b.stored_size, row_number() OVER (ORDER BY seq) - 1 AS n
		  FROM large b JOIN backup_service.chunk c USING (resource_id, backup_id)) c;
SELECT bk_read(backup_id) = (SELECT jsonb_agg(sha256(i::text::bytea)) FROM generate_series(1, 100000) i) AS same FROM large;

-- Retention counts days of 24 hours and calendar months in UTC, whoever asks.
SET timezone = 'America/New_York';
SELECT expires_at - created_at = interval '90 days' AS days FROM bk_create('create/retention', '1', retention => '90 days');
SELECT expires_at AT TIME ZONE 'UTC' = (created_at AT TIME ZONE 'UTC') + interval '7 months' AS months
  FROM bk_create('create/retention', '1', retention => '7 months');
SET timezone = 'UTC';

-- Each backup is later than the one before it, also within one statement and one transaction.
SELECT count(*), count(DISTINCT b.created_at) AS times
  FROM generate_series(1, 50) i, bk_create('create/order', to_jsonb(i), 'incremental') b WHERE i > 0;
SELECT bool_and(later) AS later FROM (
	SELECT created_at > lag(created_at) OVER (ORDER BY backup_id) AS later FROM bk_backups WHERE resource_id = 'create/order') o;

-- An incremental builds on the newest backup, a differential on the newest full one.
SELECT pg_temp.n(backup_id) AS first FROM bk_create('create/base', '{"n": 0, "k": 1}') \gset
SELECT type, pg_temp.n(base_id) - :first AS base FROM bk_create('create/base', '{"n": 1, "k": 1}', 'incremental');
SELECT type, pg_temp.n(base_id) - :first AS base FROM bk_create('create/base', '{"n": 2, "k": 1}', 'differential');
SELECT type, pg_temp.n(base_id) - :first AS base FROM bk_create('create/base', '{"n": 3, "k": 1}', 'incremental');
SELECT type, pg_temp.n(base_id) - :first AS base FROM bk_create('create/base', '{"n": 4, "k": 1}', 'full');
SELECT type, pg_temp.n(base_id) - :first AS base FROM bk_create('create/base', '{"n": 5, "k": 1}', 'differential');
SELECT type, pg_temp.n(base_id) - :first AS base FROM bk_create('create/base', '{"n": 6, "k": 1}', 'differential');
SELECT bk_read(backup_id) FROM bk_backups WHERE resource_id = 'create/base' ORDER BY created_at;

-- What an incremental stores is the delta, without the old values.
SELECT type, document_size FROM bk_create('create/base', '{"n": 6, "new": true}', 'incremental', encrypt => false, compression => 'none');
SELECT b.size = length(c.data) AS size, convert_from(c.data, 'UTF8') AS payload
  FROM bk_backups b JOIN backup_service.chunk c USING (resource_id, backup_id)
 WHERE resource_id = 'create/base' AND NOT encrypted;

-- The resource: its type is that of its newest backup, its owner whoever came first.
SELECT resource_type FROM bk_create('create/resource', '{}', resource_type => 'old');
SELECT resource_type FROM bk_create('create/resource', '{}', resource_type => 'new');
SELECT resource_id, resource_type, owner = current_user AS owner, backups, backups_made,
	   first_backup_at < last_backup_at AS times, created_at <= first_backup_at AS created_at
  FROM bk_resources WHERE resource_id = 'create/resource';

-- A name may have any characters but control characters, up to 512 bytes.
SELECT octet_length(resource_id) FROM bk_create(repeat('é', 256), '{}');
SELECT resource_id FROM bk_create('  a name''s "odd" characters: 資源 \ % _ 🐘 ', '{}');
SELECT count(*) FROM bk_resources WHERE resource_id = '  a name''s "odd" characters: 資源 \ % _ 🐘 ';

-- A session whose backups were each the first of a resource takes the next one for such, too.  Where the resource is there
-- after all, nothing of that is left: not a row, not an id, and its owner decides as ever.
CREATE TEMP TABLE firsts AS SELECT b.* FROM generate_series(1, 5) i, LATERAL bk_create('create/first-' || i, to_jsonb(i)) b;
SELECT backup_id - (SELECT max(backup_id) FROM firsts) AS next_id, type FROM bk_create('create/first-1', '"again"');
SELECT backups, backups_made, size_total, audit_number, (SELECT count(*) FROM backup_service.chunk c WHERE c.resource_id = r.resource_id) AS chunks,
	   (SELECT count(*) FROM bk_snapshots s WHERE s.resource_id = r.resource_id) AS points
  FROM bk_resources b JOIN backup_service.resource r USING (resource_id, backups_made) WHERE resource_id = 'create/first-1';
SELECT array_agg(bk_read(backup_id) ORDER BY backup_id) FROM bk_backups WHERE resource_id = 'create/first-1';
SELECT * FROM bk_audit_verify('create/first-1');
SELECT count(b.*) FROM generate_series(6, 10) i, LATERAL bk_create('create/first-' || i, to_jsonb(i)) b;
CREATE ROLE regress_bk_first IN ROLE backup_service_user;
SET ROLE regress_bk_first;
SELECT FROM bk_create('create/first-1', '"not mine"');
RESET ROLE;
DROP ROLE regress_bk_first;
SELECT bk_resource_drop('create/first-2') > 0 AS dropped;
SELECT count(b.*) FROM generate_series(11, 15) i, LATERAL bk_create('create/first-' || i, to_jsonb(i)) b;
SELECT bk_read(backup_id) FROM bk_create('create/first-2', '"back"');
SELECT backups, backups_made FROM bk_resources WHERE resource_id = 'create/first-2';
