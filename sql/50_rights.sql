-- Everything is revoked from PUBLIC; the roles of sql/10_roles.sql get what they are for.
DO $$
DECLARE
	function pg_catalog.regprocedure;
BEGIN
	FOR function IN
		SELECT p.oid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.objid
		 WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
		   AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
		   AND d.refobjid = (SELECT oid FROM pg_catalog.pg_extension WHERE extname = 'backup_service')
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', function);
		EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO backup_service_operator', function);
	END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION
	@extschema@.bk_create, @extschema@.bk_restore, @extschema@.bk_restore_at, @extschema@.bk_read, @extschema@.bk_list,
	@extschema@.bk_delta, @extschema@.bk_apply, @extschema@.bk_diff, @extschema@.bk_history, @extschema@.bk_verify,
	@extschema@.bk_delete, @extschema@.bk_consolidate, @extschema@.bk_export, @extschema@.bk_owner_set,
	@extschema@.bk_hold, @extschema@.bk_release,
	@extschema@.bk_restore_enqueue, @extschema@.bk_restore_at_enqueue, @extschema@.bk_restore_cancel, @extschema@.bk_restore_wait,
	@extschema@.bk_prune, @extschema@.bk_retention_explain, @extschema@.bk_policy_simulate, @extschema@.bk_resource_drop
	TO backup_service_user;
-- Lists, the trail's verification and pure functions tell an auditor no document.
GRANT EXECUTE ON FUNCTION @extschema@.bk_list, @extschema@.bk_delta, @extschema@.bk_apply, @extschema@.bk_audit_verify
	TO backup_service_auditor;

GRANT EXECUTE ON FUNCTION @extschema@.bk_health, @extschema@.bk_metrics TO backup_service_auditor;

GRANT SELECT ON @extschema@.bk_backups, @extschema@.bk_resources, @extschema@.bk_snapshots, @extschema@.bk_operations,
	@extschema@.bk_audit, @extschema@.bk_holds, @extschema@.bk_policies
	TO backup_service_user, backup_service_operator, backup_service_auditor;
GRANT SELECT ON @extschema@.bk_keys TO backup_service_operator, backup_service_auditor;
