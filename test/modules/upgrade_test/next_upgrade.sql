-- To the version that is made up: the form that an upgrade script has (test/upgrade/README.md).
SET LOCAL search_path = pg_catalog, pg_temp;
DO $$ BEGIN EXECUTE 'ALTER TABLE backup_service.backup ADD COLUMN IF NOT EXISTS next_label text NOT NULL DEFAULT '''''; END $$;
COMMENT ON COLUMN backup_service.backup.next_label IS 'made up';
DO $$ BEGIN EXECUTE 'CREATE INDEX IF NOT EXISTS backup_by_next_label ON backup_service.backup (resource_id, next_label)'; END $$;
CREATE TABLE IF NOT EXISTS backup_service.next_thing (
	resource_id text COLLATE "C" PRIMARY KEY
);
COMMENT ON TABLE backup_service.next_thing IS 'made up';
SELECT pg_catalog.pg_extension_config_dump('backup_service.next_thing', '');
DO $$
DECLARE
	here bool := true;
BEGIN
	IF to_regclass('pg_catalog.pg_dist_local_group') IS NOT NULL THEN
		EXECUTE 'SELECT groupid = 0 FROM pg_catalog.pg_dist_local_group' INTO here;
	END IF;
	IF here THEN
		UPDATE backup_service.policy SET keep_last = 8 WHERE name = 'daily';
	END IF;
END $$;
CREATE OR REPLACE FUNCTION @extschema@.bk_next() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'next'; END $$;
COMMENT ON FUNCTION @extschema@.bk_next IS 'made up';
REVOKE ALL ON FUNCTION @extschema@.bk_next() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.bk_next() TO backup_service_user;
