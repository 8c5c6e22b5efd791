-- Which settings are there, what do they do, and who may set them?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

-- What the server says to a refused value differs between its versions; the state does not.
CREATE PROCEDURE pg_temp.refused(statement text) LANGUAGE plpgsql AS
$$
BEGIN
	EXECUTE statement;
	RAISE INFO 'no error';
EXCEPTION WHEN OTHERS THEN
	RAISE INFO '%', SQLSTATE;
END
$$;

-- All of them, as they are before anybody sets them.
SELECT name, vartype, boot_val, context, enumvals, min_val, max_val FROM pg_settings WHERE name LIKE 'backup_service.%' ORDER BY name COLLATE "C";
SELECT name FROM pg_settings WHERE name LIKE 'backup_service.%' AND short_desc !~ '^[A-Z].*\.$';

-- compression and encrypt: for backups that are not told.
SET backup_service.compression = 'gzip';
SET backup_service.encrypt = on;
SELECT compression, encrypted FROM bk_create('settings/r', to_jsonb(repeat('x', 1000)));
SET backup_service.compression = 'zstd';
SELECT compression, encrypted FROM bk_create('settings/r', to_jsonb(repeat('x', 1000)));
SET backup_service.compression = 'none';
SET backup_service.encrypt = off;
SELECT compression, encrypted FROM bk_create('settings/r', to_jsonb(repeat('x', 1000)));
SELECT compression, encrypted FROM bk_create('settings/r', to_jsonb(repeat('x', 1000)), compression => 'gzip', encrypt => true);
SELECT DISTINCT bk_read(backup_id) = to_jsonb(repeat('x', 1000)) AS same FROM bk_backups WHERE resource_id = 'settings/r';
SET backup_service.compression = 'gzip';
SET backup_service.encrypt = on;

-- max_chain_length.
SET backup_service.max_chain_length = 2;
SELECT type FROM bk_create('settings/chain', '{"n": 1, "k": 0}');
SELECT type FROM bk_create('settings/chain', '{"n": 2, "k": 0}', 'incremental');
SELECT type FROM bk_create('settings/chain', '{"n": 3, "k": 0}', 'incremental');
SET backup_service.max_chain_length = 100;

-- max_snapshots: see snapshots.sql.

-- Refused values, and names that do not exist.
CALL pg_temp.refused($$ SET backup_service.compression = 'lz4' $$);
CALL pg_temp.refused($$ SET backup_service.encrypt = 'maybe' $$);
CALL pg_temp.refused($$ SET backup_service.max_chain_length = 0 $$);
CALL pg_temp.refused($$ SET backup_service.max_chain_length = 10001 $$);
CALL pg_temp.refused($$ SET backup_service.max_snapshots = -1 $$);
CALL pg_temp.refused($$ SET backup_service.nonesuch = 1 $$);

-- Where the master key comes from is for the configuration file alone.
CALL pg_temp.refused($$ SET backup_service.key_file = '/tmp/other' $$);
CALL pg_temp.refused($$ SET backup_service.key_file_create = off $$);

-- A user may choose how his own backups are stored, not how long a timeline is, nor see where the key is.
CREATE ROLE regress_bk_user IN ROLE backup_service_user;
SET ROLE regress_bk_user;
SET backup_service.compression = 'zstd';
SET backup_service.encrypt = on;
SET backup_service.max_chain_length = 10;
CALL pg_temp.refused($$ SET backup_service.max_snapshots = 1 $$);
CALL pg_temp.refused($$ SHOW backup_service.key_file $$);
SELECT name FROM pg_settings WHERE name LIKE 'backup_service.%' ORDER BY name COLLATE "C";
RESET ROLE;
DROP ROLE regress_bk_user;
