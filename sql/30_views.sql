-- What each role sees of the catalog: its own resources, and those of roles whose privileges it has.
-- A resource whose owner is no role any more is seen by operators, auditors and superusers alone.  No barrier by itself: those
-- who read it are barriers, and one within another would be read whole to find one backup by its id.
CREATE VIEW backup_service.visible_resource AS
SELECT r.*
  FROM backup_service.resource r
 WHERE r.dropped_at IS NULL
   AND EXISTS (SELECT FROM pg_catalog.pg_roles o
				WHERE o.rolname IN (r.owner, 'backup_service_operator', 'backup_service_auditor')
				  AND pg_catalog.pg_has_role(o.oid, 'USAGE'));
COMMENT ON VIEW backup_service.visible_resource IS 'resources that the current role may see listed';

CREATE VIEW @extschema@.bk_backups WITH (security_barrier) AS
SELECT b.backup_id, b.resource_id, b.resource_type, b.type, b.status, b.base_id, b.size, b.stored_size,
	   CASE WHEN b.size > b.stored_size THEN ((b.size - b.stored_size) * 100 / b.size)::integer ELSE 0 END AS compression_ratio,
	   b.document_size, b.compression, b.encrypted,
	   'sha256:' || pg_catalog.encode(b.checksum, 'hex') AS checksum,
	   b.key_version, b.version, b.source, b.tags, b.created_by, b.created_at, b.completed_at, b.expires_at, b.verified_at,
	   b.archived_at
  FROM backup_service.backup b
  JOIN backup_service.visible_resource r ON r.resource_id = b.resource_id;
COMMENT ON VIEW @extschema@.bk_backups IS 'every backup of resources that the current role may see';

CREATE VIEW @extschema@.bk_unarchived WITH (security_barrier) AS
SELECT b.backup_id, b.resource_id, b.type, b.status, b.stored_size, b.created_at
  FROM backup_service.backup b
  JOIN backup_service.visible_resource r ON r.resource_id = b.resource_id
 WHERE b.archived_at IS NULL;
COMMENT ON VIEW @extschema@.bk_unarchived IS 'backups that have no copy outside: backup_service.archive_command has not shipped them';

CREATE VIEW @extschema@.bk_resources WITH (security_barrier) AS
SELECT r.resource_id, r.resource_type, r.owner, r.created_at,
	   coalesce(b.backups, 0) AS backups, coalesce(b.stored_size, 0) AS stored_size,
	   b.first_backup_at, b.last_backup_at, r.backups_made,
	   coalesce(r.policy, t.policy, d.policy) AS policy, r.cleanup_stopped_at
  FROM backup_service.visible_resource r
  LEFT JOIN backup_service.policy_assignment t ON t.resource_type = r.resource_type
  LEFT JOIN backup_service.policy_assignment d ON d.resource_type = ''
  LEFT JOIN (SELECT resource_id, pg_catalog.count(*) AS backups, pg_catalog.sum(stored_size)::bigint AS stored_size,
					pg_catalog.min(created_at) AS first_backup_at, pg_catalog.max(created_at) AS last_backup_at
			   FROM backup_service.backup GROUP BY resource_id) b ON b.resource_id = r.resource_id;
COMMENT ON VIEW @extschema@.bk_resources IS 'every resource that the current role may see, with the sums of its backups';

CREATE VIEW @extschema@.bk_snapshots WITH (security_barrier) AS
SELECT s.resource_id, s.created_at, s.backup_id, s.removed_at
  FROM backup_service.snapshot s
  JOIN backup_service.visible_resource r ON r.resource_id = s.resource_id;
COMMENT ON VIEW @extschema@.bk_snapshots IS 'recovery points; removed_at is set where the backup was deleted or has expired';

CREATE VIEW @extschema@.bk_operations WITH (security_barrier) AS
SELECT o.operation_id, o.resource_id, o.backup_id, o.target_resource_id, o.type, o.status, o.progress,
	   o.validated, o.validation_errors, o.role, o.created_by, o.created_at, o.completed_at,
	   o.attempts, o.next_attempt_at, o.started_at, o.bytes_done, o.bytes_total, o.error, o.restored_backup_id
  FROM backup_service.restore_operation o
  JOIN backup_service.visible_resource r ON r.resource_id = o.resource_id AND r.created_at <= o.created_at;
COMMENT ON VIEW @extschema@.bk_operations IS 'restores: what, for whom, when, and how they ended';

CREATE VIEW @extschema@.bk_keys WITH (security_barrier) AS
SELECT k.version, k.state, coalesce(b.backups, 0) AS backups, k.created_at, k.created_by, k.copied_at
  FROM backup_service.key k
  LEFT JOIN (SELECT key_version, pg_catalog.count(*) AS backups FROM backup_service.backup GROUP BY key_version) b
	ON b.key_version = k.version;
COMMENT ON VIEW @extschema@.bk_keys IS 'master key versions, and how many backups use each';

-- Auditors and operators see every event, also of keys, policies and resources that are no more; others those of their
-- resources, but for what happened before a name was dropped and taken by them.
CREATE VIEW @extschema@.bk_audit WITH (security_barrier) AS
SELECT e.resource_id, e.number, e.at, e.action, e.outcome, e.session_role, e.role, e.application, e.client,
	   e.backup_id, e.detail, pg_catalog.encode(e.hash, 'hex') AS hash
  FROM (SELECT resource_id, number, at, action, outcome, session_role, role, application, client, backup_id, detail, hash
		  FROM backup_service.audit_event
		 UNION ALL
		SELECT resource_id, NULL, at, action, outcome, session_role, role, application, client, backup_id, detail, NULL
		  FROM backup_service.audit_unsealed) e
 WHERE EXISTS (SELECT FROM pg_catalog.pg_roles o
				WHERE o.rolname IN ('backup_service_operator', 'backup_service_auditor')
				  AND pg_catalog.pg_has_role(o.oid, 'USAGE'))
	OR EXISTS (SELECT FROM backup_service.visible_resource r WHERE r.resource_id = e.resource_id AND r.created_at <= e.at);
COMMENT ON VIEW @extschema@.bk_audit IS 'who did what; number and hash are null until an event of a read is sealed, resource_id is empty for events of keys and policies';

CREATE VIEW @extschema@.bk_holds WITH (security_barrier) AS
SELECT h.backup_id, h.resource_id, h.name, h.reason, h.until, h.created_by, h.created_at
  FROM backup_service.hold h
  JOIN backup_service.visible_resource r ON r.resource_id = h.resource_id;
COMMENT ON VIEW @extschema@.bk_holds IS 'holds on backups: why they must stay, until when, and who said so';

CREATE VIEW @extschema@.bk_policies WITH (security_barrier) AS
SELECT p.name, p.keep_for, p.keep_last, p.keep_hourly, p.keep_daily, p.keep_weekly, p.keep_monthly, p.keep_yearly,
	   p.time_zone, p.week_start, p.expect_every, p.max_snapshots, p.ready_made, a.resource_types, p.created_by, p.updated_at
  FROM backup_service.policy p
  LEFT JOIN (SELECT policy, pg_catalog.array_agg(resource_type ORDER BY resource_type) AS resource_types
			   FROM backup_service.policy_assignment GROUP BY policy) a ON a.policy = p.name;
COMMENT ON VIEW @extschema@.bk_policies IS 'retention policies; resource_types are those that have one unless a resource has its own, '''' stands for all others';
