-- The functions; docs/ and README.md describe them.  Nothing is executable by PUBLIC (sql/90_rights.sql).
CREATE FUNCTION @extschema@.bk_create(
	resource_id text, data jsonb, type text = 'full', resource_type text = 'document', encrypt boolean = NULL,
	compression text = NULL, retention interval = NULL, tags jsonb = '{}', source text = NULL, version text = NULL)
RETURNS @extschema@.bk_backups LANGUAGE C AS 'MODULE_PATHNAME', 'bk_create';
COMMENT ON FUNCTION @extschema@.bk_create IS 'back up the state of a resource; call it as FROM bk_create(...)';

CREATE FUNCTION @extschema@.bk_restore(
	backup_id bigint, target_resource_id text = NULL, validate boolean = true, created_by text = NULL,
	resource_id text = NULL)
RETURNS jsonb LANGUAGE C AS 'MODULE_PATHNAME', 'bk_restore';
COMMENT ON FUNCTION @extschema@.bk_restore IS 'the document of a backup, recorded as a restore operation';

CREATE FUNCTION @extschema@.bk_restore_at(
	resource_id text, at timestamptz, target_resource_id text = NULL, validate boolean = true,
	created_by text = NULL, nearest boolean = false)
RETURNS jsonb LANGUAGE C AS 'MODULE_PATHNAME', 'bk_restore_at';
COMMENT ON FUNCTION @extschema@.bk_restore_at IS 'the document of a resource as it was at a time, recorded as a restore operation';

CREATE FUNCTION @extschema@.bk_read(backup_id bigint, resource_id text = NULL)
RETURNS jsonb LANGUAGE C AS 'MODULE_PATHNAME', 'bk_read';
COMMENT ON FUNCTION @extschema@.bk_read IS 'the document of a backup, without an operation; works in a read-only transaction';

CREATE FUNCTION @extschema@.bk_list(
	resource_id text = NULL, resource_type text = NULL, type text = NULL, tags jsonb = NULL,
	since timestamptz = NULL, until timestamptz = NULL, before timestamptz = NULL, before_id bigint = NULL,
	max_rows integer = 100)
RETURNS SETOF @extschema@.bk_backups LANGUAGE C AS 'MODULE_PATHNAME', 'bk_list';
COMMENT ON FUNCTION @extschema@.bk_list IS 'the newest backups that match; before and before_id continue after a row';

CREATE FUNCTION @extschema@.bk_operation_list(
	resource_id text = NULL, target_resource_id text = NULL, status text = NULL, since timestamptz = NULL,
	until timestamptz = NULL, before timestamptz = NULL, before_id bigint = NULL, max_rows integer = 100)
RETURNS SETOF @extschema@.bk_operations LANGUAGE C AS 'MODULE_PATHNAME', 'bk_operation_list';
COMMENT ON FUNCTION @extschema@.bk_operation_list IS 'the newest restore operations that match; before and before_id continue after a row';

CREATE FUNCTION @extschema@.bk_delta(old jsonb, new jsonb)
RETURNS jsonb LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'bk_delta';
COMMENT ON FUNCTION @extschema@.bk_delta IS 'the changes, additions and deletions that make one document another';

CREATE FUNCTION @extschema@.bk_apply(document jsonb, delta jsonb)
RETURNS jsonb LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'bk_apply';
COMMENT ON FUNCTION @extschema@.bk_apply IS 'a document with a delta applied to it';

CREATE FUNCTION @extschema@.bk_diff(from_backup bigint, to_backup bigint, resource_id text = NULL)
RETURNS jsonb LANGUAGE C AS 'MODULE_PATHNAME', 'bk_diff';
COMMENT ON FUNCTION @extschema@.bk_diff IS 'bk_delta() of two stored states';

CREATE FUNCTION @extschema@.bk_history(
	resource_id text, path text, OUT backup_id bigint, OUT created_at timestamptz, OUT value jsonb)
RETURNS SETOF record LANGUAGE C AS 'MODULE_PATHNAME', 'bk_history';
COMMENT ON FUNCTION @extschema@.bk_history IS 'a value of a resource''s documents through time, unchanged repeats left out';

CREATE FUNCTION @extschema@.bk_verify(backup_id bigint, resource_id text = NULL)
RETURNS jsonb LANGUAGE C AS 'MODULE_PATHNAME', 'bk_verify';
COMMENT ON FUNCTION @extschema@.bk_verify IS 'whether a backup can be restored, and if not, why';

CREATE FUNCTION @extschema@.bk_delete(backup_id bigint, dependents text = 'consolidate', resource_id text = NULL)
RETURNS bigint LANGUAGE C AS 'MODULE_PATHNAME', 'bk_delete';
COMMENT ON FUNCTION @extschema@.bk_delete IS 'delete a backup, and say how many were deleted; what builds on it is consolidated, deleted too (cascade), or forbids it (restrict)';

CREATE FUNCTION @extschema@.bk_consolidate(backup_id bigint, resource_id text = NULL)
RETURNS @extschema@.bk_backups LANGUAGE C AS 'MODULE_PATHNAME', 'bk_consolidate';
COMMENT ON FUNCTION @extschema@.bk_consolidate IS 'turn an incremental or a differential backup into a full one in place';

CREATE FUNCTION @extschema@.bk_export(backup_id bigint, resource_id text = NULL)
RETURNS bytea LANGUAGE C AS 'MODULE_PATHNAME', 'bk_export';
COMMENT ON FUNCTION @extschema@.bk_export IS 'the document of a backup as a .json.gz file';

CREATE FUNCTION @extschema@.bk_archive(resource_id text)
RETURNS bytea LANGUAGE C AS 'MODULE_PATHNAME', 'bk_archive';
COMMENT ON FUNCTION @extschema@.bk_archive IS 'all backups of a resource as one sealed archive, which bk_archive_import() and the program bk_recover read';

CREATE FUNCTION @extschema@.bk_archive_import(archive bytea, target_resource_id text = NULL)
RETURNS bigint LANGUAGE C AS 'MODULE_PATHNAME', 'bk_archive_import';
COMMENT ON FUNCTION @extschema@.bk_archive_import IS 'make a resource of an archive, under its own name or another, and say how many backups it has';

CREATE FUNCTION @extschema@.bk_key_rotate(lost boolean = false)
RETURNS integer LANGUAGE C AS 'MODULE_PATHNAME', 'bk_key_rotate';
COMMENT ON FUNCTION @extschema@.bk_key_rotate IS 'make the next master key version active for new backups; says which. lost => true: the active one cannot be had any more';

CREATE FUNCTION @extschema@.bk_rekey(max_backups integer = 1000)
RETURNS bigint LANGUAGE C AS 'MODULE_PATHNAME', 'bk_rekey';
COMMENT ON FUNCTION @extschema@.bk_rekey IS 're-wrap data keys to the active version and say of how many backups; call it again until it says 0';

CREATE FUNCTION @extschema@.bk_key_retire(version integer)
RETURNS void LANGUAGE C AS 'MODULE_PATHNAME', 'bk_key_retire';
COMMENT ON FUNCTION @extschema@.bk_key_retire IS 'mark a master key version that no backup uses any more; nothing is deleted';

CREATE FUNCTION @extschema@.bk_key_copied(version integer)
RETURNS void LANGUAGE C AS 'MODULE_PATHNAME', 'bk_key_copied';
COMMENT ON FUNCTION @extschema@.bk_key_copied IS 'note that a master key version was copied to a safe place';

CREATE FUNCTION @extschema@.bk_verify_keys(OUT version integer, OUT available boolean, OUT problem text)
RETURNS SETOF record LANGUAGE C AS 'MODULE_PATHNAME', 'bk_verify_keys';
COMMENT ON FUNCTION @extschema@.bk_verify_keys IS 'whether each master key version can be had now, and if not, why';

CREATE FUNCTION @extschema@.bk_owner_set(resource_id text, owner name)
RETURNS void LANGUAGE C AS 'MODULE_PATHNAME', 'bk_owner_set';
COMMENT ON FUNCTION @extschema@.bk_owner_set IS 'give a resource to another role';

CREATE FUNCTION @extschema@.bk_audit_seal(max_events integer = 10000)
RETURNS bigint LANGUAGE C AS 'MODULE_PATHNAME', 'bk_audit_seal';
COMMENT ON FUNCTION @extschema@.bk_audit_seal IS 'chain the events of reads that are not in a chain yet, and say how many; call it again until it says 0';

CREATE FUNCTION @extschema@.bk_audit_verify(
	resource_id text = NULL, OUT chain text, OUT number bigint, OUT backup_id bigint, OUT problem text)
RETURNS SETOF record LANGUAGE C AS 'MODULE_PATHNAME', 'bk_audit_verify';
COMMENT ON FUNCTION @extschema@.bk_audit_verify IS 'the first broken link of each chain of audit events, and what was done to backups behind the functions'' back; no row where all is well';

CREATE FUNCTION @extschema@.bk_audit_trim(before timestamptz)
RETURNS bigint LANGUAGE C AS 'MODULE_PATHNAME', 'bk_audit_trim';
COMMENT ON FUNCTION @extschema@.bk_audit_trim IS 'remove audit events older than a time, and say how many; what is left can still be verified';

CREATE FUNCTION @extschema@.bk_worker_start()
RETURNS integer LANGUAGE C AS 'MODULE_PATHNAME', 'bk_worker_start';
COMMENT ON FUNCTION @extschema@.bk_worker_start IS 'start the worker of this database, where backup_service is not in shared_preload_libraries; gives its process id';

CREATE FUNCTION @extschema@.bk_hold(
	backup_id bigint, name text, reason text, until timestamptz = NULL, resource_id text = NULL)
RETURNS void LANGUAGE C AS 'MODULE_PATHNAME', 'bk_hold';
COMMENT ON FUNCTION @extschema@.bk_hold IS 'keep a backup, and what it builds on, from being deleted or expiring';

CREATE FUNCTION @extschema@.bk_release(backup_id bigint, name text, resource_id text = NULL)
RETURNS void LANGUAGE C AS 'MODULE_PATHNAME', 'bk_release';
COMMENT ON FUNCTION @extschema@.bk_release IS 'end a hold';

CREATE FUNCTION @extschema@.bk_restore_enqueue(
	backup_id bigint, target_resource_id text = NULL, validate boolean = true, created_by text = NULL,
	resource_id text = NULL)
RETURNS bigint LANGUAGE C AS 'MODULE_PATHNAME', 'bk_restore_enqueue';
COMMENT ON FUNCTION @extschema@.bk_restore_enqueue IS 'have the worker restore a backup as a new backup of the target (its own resource where none is named); gives the operation''s id';

CREATE FUNCTION @extschema@.bk_restore_at_enqueue(
	resource_id text, at timestamptz, target_resource_id text = NULL, validate boolean = true,
	created_by text = NULL, nearest boolean = false)
RETURNS bigint LANGUAGE C AS 'MODULE_PATHNAME', 'bk_restore_at_enqueue';
COMMENT ON FUNCTION @extschema@.bk_restore_at_enqueue IS 'have the worker restore a resource as it was at a time; gives the operation''s id';

CREATE FUNCTION @extschema@.bk_restore_cancel(operation_id bigint, resource_id text = NULL)
RETURNS void LANGUAGE C AS 'MODULE_PATHNAME', 'bk_restore_cancel';
COMMENT ON FUNCTION @extschema@.bk_restore_cancel IS 'cancel a restore that is queued or running';

CREATE FUNCTION @extschema@.bk_restore_wait(operation_id bigint, timeout interval = NULL, resource_id text = NULL)
RETURNS text LANGUAGE C AS 'MODULE_PATHNAME', 'bk_restore_wait';
COMMENT ON FUNCTION @extschema@.bk_restore_wait IS 'wait until a queued restore has ended, or the time is over, and give its status';

CREATE FUNCTION @extschema@.bk_policy_set(
	name text, keep_for interval = NULL, keep_last integer = NULL, keep_hourly integer = NULL, keep_daily integer = NULL,
	keep_weekly integer = NULL, keep_monthly integer = NULL, keep_yearly integer = NULL, time_zone text = 'UTC',
	week_start integer = 1, expect_every interval = NULL, max_snapshots integer = NULL)
RETURNS void LANGUAGE C AS 'MODULE_PATHNAME', 'bk_policy_set';
COMMENT ON FUNCTION @extschema@.bk_policy_set IS 'make or replace a retention policy; a backup is kept where one of the rules keeps it';

CREATE FUNCTION @extschema@.bk_policy_drop(name text)
RETURNS void LANGUAGE C AS 'MODULE_PATHNAME', 'bk_policy_drop';
COMMENT ON FUNCTION @extschema@.bk_policy_drop IS 'remove a retention policy that is assigned to nothing';

CREATE FUNCTION @extschema@.bk_policy_assign(resource_id text, name text, resource_type text = NULL)
RETURNS void LANGUAGE C AS 'MODULE_PATHNAME', 'bk_policy_assign';
COMMENT ON FUNCTION @extschema@.bk_policy_assign IS 'assign a retention policy to a resource, to a type of resources, or (both null) to all others; a name of null takes it away';

CREATE FUNCTION @extschema@.bk_prune(
	resource_id text = NULL, dry_run boolean = false, OUT backup_id bigint, OUT action text, OUT reason text)
RETURNS SETOF record LANGUAGE C AS 'MODULE_PATHNAME', 'bk_prune';
COMMENT ON FUNCTION @extschema@.bk_prune IS 'remove what retention does not keep of a resource, or of all that one may use; with dry_run only say what would happen';

CREATE FUNCTION @extschema@.bk_retention_explain(
	resource_id text, OUT backup_id bigint, OUT created_at timestamptz, OUT action text, OUT rules text[],
	OUT until timestamptz, OUT until_is_exact boolean, OUT reason text)
RETURNS SETOF record LANGUAGE C AS 'MODULE_PATHNAME', 'bk_retention_explain';
COMMENT ON FUNCTION @extschema@.bk_retention_explain IS 'which backups of a resource are kept, by which rules, and until when';

CREATE FUNCTION @extschema@.bk_policy_simulate(
	resource_id text, keep_for interval = NULL, keep_last integer = NULL, keep_hourly integer = NULL, keep_daily integer = NULL,
	keep_weekly integer = NULL, keep_monthly integer = NULL, keep_yearly integer = NULL, time_zone text = 'UTC',
	week_start integer = 1,
	OUT backup_id bigint, OUT created_at timestamptz, OUT action text, OUT rules text[],
	OUT until timestamptz, OUT until_is_exact boolean, OUT reason text)
RETURNS SETOF record LANGUAGE C AS 'MODULE_PATHNAME', 'bk_policy_simulate';
COMMENT ON FUNCTION @extschema@.bk_policy_simulate IS 'what bk_retention_explain() would say if the resource had a policy of these rules';

CREATE FUNCTION @extschema@.bk_resource_drop(resource_id text)
RETURNS bigint LANGUAGE C AS 'MODULE_PATHNAME', 'bk_resource_drop';
COMMENT ON FUNCTION @extschema@.bk_resource_drop IS 'remove a resource with all of its backups, and say how many those were; its audit trail stays, and its name is free';

CREATE FUNCTION @extschema@.bk_health(OUT name text, OUT ok boolean, OUT critical boolean, OUT detail text)
RETURNS SETOF record LANGUAGE C AS 'MODULE_PATHNAME', 'bk_health';
COMMENT ON FUNCTION @extschema@.bk_health IS 'whether all is well, a row for each thing that may not be; critical: where it is not, backups or restores fail, or soon will';
