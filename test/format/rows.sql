-- The rows of the audit trail as test/format/chain.py reads them.
CREATE FUNCTION pg_temp.micros(t timestamptz) RETURNS bigint LANGUAGE sql AS $$ SELECT (extract(epoch FROM t) * 1000000)::bigint $$;
SELECT json_build_object(
	'events', (SELECT coalesce(json_agg(json_build_object('resource_id', resource_id, 'number', number, 'at', pg_temp.micros(at), 'action', action,
			'outcome', outcome, 'session_role', session_role, 'role', role, 'application', application, 'client', client,
			'backup_id', backup_id, 'state', encode(state, 'hex'), 'detail', detail::text, 'hash', encode(hash, 'hex'))), '[]') FROM backup_service.audit_event),
	'checkpoints', (SELECT coalesce(json_agg(json_build_object('resource_id', resource_id, 'number', number, 'hash', encode(hash, 'hex'),
			'owner', owner, 'backups', encode(backups, 'hex'))), '[]') FROM backup_service.audit_checkpoint),
	'resources', (SELECT coalesce(json_agg(json_build_object('resource_id', resource_id, 'owner', owner, 'audit_number', audit_number,
			'audit_hash', encode(audit_hash, 'hex'))), '[]') FROM backup_service.resource),
	'backups', (SELECT coalesce(json_agg(json_build_object('resource_id', resource_id, 'backup_id', backup_id, 'mac', encode(mac, 'hex'),
			'resource_type', resource_type, 'version', version, 'source', source, 'tags', tags::text,
			'completed_at', pg_temp.micros(completed_at), 'expires_at', pg_temp.micros(expires_at))), '[]') FROM backup_service.backup));
