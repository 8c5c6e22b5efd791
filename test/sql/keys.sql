-- What do the key functions say that change nothing outside the database?  (Rotation: test/t/010_keys.pl.)
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

SELECT type FROM bk_create('keys/r', '{}');

-- The version that this server's key source has; its number depends on the server.
SELECT state, backups > 0 AS used, copied_at IS NULL AS not_copied, created_by IS NOT NULL AS has_maker FROM bk_keys;
SELECT version AS active FROM bk_keys WHERE state = 'active' \gset
SELECT available, problem FROM bk_verify_keys();

-- Noting that it was copied.
SELECT bk_key_copied(:active);
SELECT copied_at BETWEEN created_at AND clock_timestamp() AS copied FROM bk_keys;
CALL pg_temp.attempt('SELECT bk_key_copied(0)');
CALL pg_temp.attempt('SELECT bk_key_copied(NULL)');

-- What is needed is not retired.
SELECT set_config('keys.active', :'active', false) = :'active' AS set;
DO $$
BEGIN
	PERFORM bk_key_retire(current_setting('keys.active')::int);
EXCEPTION WHEN object_in_use THEN
	RAISE INFO '% %', SQLSTATE, regexp_replace(SQLERRM, '\d+', 'N');
END
$$;
CALL pg_temp.attempt('SELECT bk_key_retire(0)');
CALL pg_temp.attempt('SELECT bk_key_retire(NULL)');

-- With one version there is nothing to re-wrap.
SELECT bk_rekey(), bk_rekey(1);
CALL pg_temp.attempt('SELECT bk_rekey(0)');
CALL pg_temp.attempt('SELECT bk_rekey(NULL)');

-- Nothing of this in a read-only transaction, but to look.
BEGIN READ ONLY;
SELECT available FROM bk_verify_keys();
CALL pg_temp.attempt('SELECT bk_key_rotate()');
CALL pg_temp.attempt('SELECT bk_rekey()');
CALL pg_temp.attempt('SELECT bk_key_retire(1)');
CALL pg_temp.attempt('SELECT bk_key_copied(1)');
COMMIT;

-- Nor for users.
CREATE ROLE regress_bk_keys_user IN ROLE backup_service_user;
SET ROLE regress_bk_keys_user;
CALL pg_temp.attempt('SELECT bk_key_rotate()');
CALL pg_temp.attempt('SELECT bk_rekey()');
CALL pg_temp.attempt('SELECT bk_key_retire(1)');
CALL pg_temp.attempt('SELECT bk_key_copied(1)');
CALL pg_temp.attempt('SELECT bk_verify_keys()');
CALL pg_temp.attempt('SELECT * FROM bk_keys');
RESET ROLE;
DROP ROLE regress_bk_keys_user;
