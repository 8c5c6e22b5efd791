-- Everything is revoked from PUBLIC; the roles of sql/10_roles.sql get what they are for.
DO $$
DECLARE
	function pg_catalog.regprocedure;
	name pg_catalog.text;
BEGIN
	FOR function IN
		SELECT p.oid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.objid
		 WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
		   AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
		   AND d.refobjid = (SELECT oid FROM pg_catalog.pg_extension WHERE extname = 'backup_service')
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', function);
		EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO backup_service_user, backup_service_operator', function);
	END LOOP;
	FOREACH name IN ARRAY ARRAY['bk_backups', 'bk_resources', 'bk_snapshots', 'bk_operations'] LOOP
		EXECUTE pg_catalog.format('GRANT SELECT ON @extschema@.%I TO backup_service_user, backup_service_operator, backup_service_auditor', name);
	END LOOP;
END
$$;
-- Lists and pure functions tell an auditor no document.
GRANT EXECUTE ON FUNCTION @extschema@.bk_list, @extschema@.bk_delta, @extschema@.bk_apply TO backup_service_auditor;
