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
	@extschema@.bk_operation_list,
	@extschema@.bk_delta, @extschema@.bk_apply, @extschema@.bk_diff, @extschema@.bk_history, @extschema@.bk_verify,
	@extschema@.bk_delete, @extschema@.bk_consolidate, @extschema@.bk_export, @extschema@.bk_archive, @extschema@.bk_archive_import,
	@extschema@.bk_owner_set,
	@extschema@.bk_hold, @extschema@.bk_release,
	@extschema@.bk_restore_enqueue, @extschema@.bk_restore_at_enqueue, @extschema@.bk_restore_cancel, @extschema@.bk_restore_wait,
	@extschema@.bk_prune, @extschema@.bk_retention_explain, @extschema@.bk_policy_simulate, @extschema@.bk_resource_drop
	TO backup_service_user;

-- The API over HTTP, and what its functions are made of.
GRANT USAGE ON SCHEMA backup_service_api, backup_service_http
	TO backup_service_user, backup_service_operator, backup_service_auditor;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA backup_service_api, backup_service_http TO backup_service_user;
-- That users may not call bk_metrics() is not enough: PL/pgSQL looks once in a transaction.
REVOKE EXECUTE ON FUNCTION backup_service_api.metrics, backup_service_http.metrics FROM backup_service_user;
GRANT EXECUTE ON FUNCTION
	backup_service_api.root, backup_service_api.health, backup_service_api.metrics,
	backup_service_api.backups_list, backup_service_api.backups_get,
	backup_service_api.operations_list, backup_service_api.operations_get,
	backup_service_http.checks, backup_service_http.respond, backup_service_http.iso, backup_service_http.moment,
	backup_service_http.shown, backup_service_http.number_of, backup_service_http.find_backup,
	backup_service_http.find_operation, backup_service_http.backup, backup_service_http.operation,
	backup_service_http.decode, backup_service_http.encode, backup_service_http.parameters, backup_service_http.tags,
	backup_service_http.page_size, backup_service_http.cursor, backup_service_http.page_headers,
	backup_service_http.count_backups, backup_service_http.count_operations,
	backup_service_http.backup_with, backup_service_http.operation_with
	TO backup_service_auditor;

-- Lists, the trail's verification and pure functions tell an auditor no document.
GRANT EXECUTE ON FUNCTION @extschema@.bk_list, @extschema@.bk_operation_list, @extschema@.bk_delta, @extschema@.bk_apply, @extschema@.bk_audit_verify
	TO backup_service_auditor;

GRANT EXECUTE ON FUNCTION @extschema@.bk_health, @extschema@.bk_metrics TO backup_service_auditor;

GRANT SELECT ON @extschema@.bk_backups, @extschema@.bk_resources, @extschema@.bk_snapshots, @extschema@.bk_operations,
	@extschema@.bk_audit, @extschema@.bk_holds, @extschema@.bk_policies, @extschema@.bk_unarchived
	TO backup_service_user, backup_service_operator, backup_service_auditor;
GRANT SELECT ON @extschema@.bk_keys TO backup_service_operator, backup_service_auditor;
