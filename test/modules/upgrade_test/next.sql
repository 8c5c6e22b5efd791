-- A next version that is made up: what a release may add.
ALTER TABLE backup_service.backup ADD COLUMN next_label text NOT NULL DEFAULT '';
COMMENT ON COLUMN backup_service.backup.next_label IS 'made up';
CREATE INDEX backup_by_next_label ON backup_service.backup (resource_id, next_label);
CREATE TABLE backup_service.next_thing (
	resource_id text COLLATE "C" PRIMARY KEY
);
COMMENT ON TABLE backup_service.next_thing IS 'made up';
SELECT pg_catalog.pg_extension_config_dump('backup_service.next_thing', '');
UPDATE backup_service.policy SET keep_last = 8 WHERE name = 'daily';
CREATE FUNCTION @extschema@.bk_next() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'next'; END $$;
COMMENT ON FUNCTION @extschema@.bk_next IS 'made up';
REVOKE ALL ON FUNCTION @extschema@.bk_next() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION @extschema@.bk_next() TO backup_service_user;
