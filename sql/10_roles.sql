-- The three roles that rights are granted to; membership is all an administrator hands out.
-- Roles belong to the cluster, so another database's extension may have made them already.
DO $$
DECLARE
	role_name pg_catalog.text;
BEGIN
	FOREACH role_name IN ARRAY ARRAY['backup_service_user', 'backup_service_operator', 'backup_service_auditor'] LOOP
		BEGIN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role_name);
		EXCEPTION WHEN duplicate_object THEN
			NULL;
		END;
	END LOOP;
END
$$;
