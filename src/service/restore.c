/*
 * restore.c
 *		Reading, restoring and comparing stored documents.
 */
#include "service/restore.h"

#include "catalog/operation.h"
#include "catalog/snapshot.h"
#include "delta/delta.h"
#include "service/audit.h"
#include "service/chain.h"
#include "service/clock.h"
#include "service/find.h"
#include "service/json_text.h"
#include "service/notice.h"
#include "service/stored.h"
#include "service/try.h"
#include "utils/timestamp.h"

/* Rebuild a found backup's document, in a view. */
static BkDocument
rebuild(const BkCall *call, BkKeys *keys, const BkBackup *backup, bool validate)
{
	BkState    *state = bk_state_open(keys, call->memory);

	bk_state_go_to(state, backup);
	return bk_state_document(state, validate);
}

BkDocument
bk_read_document(const BkCall *call, const char *action, int64 backup_id, const char *resource_id)
{
	BkBackup	backup;
	BkDocument	document;

	bk_view_open();
	bk_find_backup_to_read(call, backup_id, resource_id, &backup);
	document = rebuild(call, bk_keys_open(call), &backup, true);
	bk_view_close();
	bk_audit_read(call, action, backup.resource_id, backup.backup_id, NULL);
	return document;
}

/* The .gz file that a full backup's payload is, inside its cipher. */
static BkText
stored_gzip(const BkCall *call, BkKeys *keys, const BkBackup *backup)
{
	BkDek	   *dek = bk_alloc_secret(call->memory, sizeof(BkDek));
	BkText		gzip;
	BkText		document = bk_stored_read(keys, call->memory, backup, dek, &gzip);

	bk_stored_prove_document(backup, dek, document);
	return gzip;
}

BkText
bk_export_document(const BkCall *call, int64 backup_id, const char *resource_id)
{
	BkKeys	   *keys = bk_keys_open(call);
	BkBackup	backup;
	BkText		gzip;

	bk_view_open();
	bk_find_backup_to_read(call, backup_id, resource_id, &backup);
	if (backup.base_id == 0 && backup.compression == BK_COMPRESSION_GZIP)
		gzip = stored_gzip(call, keys, &backup);
	else
		gzip = bk_payload_gzip(call->memory, rebuild(call, keys, &backup, true).text);
	bk_view_close();
	bk_audit_read(call, "export", backup.resource_id, backup.backup_id, NULL);
	return gzip;
}

Jsonb *
bk_describe_operation(int64 operation_id, const char *target_resource_id, const char *created_by, bool validated)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_int64(&json, "operation_id", operation_id);
	bk_json_add_text(&json, "target_resource_id", target_resource_id);
	bk_json_add_text(&json, "created_by", created_by);
	bk_json_add_bool(&json, "validated", validated);
	bk_json_end(&json);
	return bk_json_value(&json);
}

Jsonb *
bk_describe_failed_operation(int64 operation_id, const char *target_resource_id, const char *error)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_int64(&json, "operation_id", operation_id);
	bk_json_add_text(&json, "target_resource_id", target_resource_id);
	bk_json_add_text(&json, "error", error);
	bk_json_end(&json);
	return bk_json_value(&json);
}

Jsonb *
bk_validation_errors(const ErrorData *error)
{
	StringInfoData json;

	if (!bk_is_damage(error))
		return NULL;
	bk_json_begin_array(&json);
	bk_json_add_element(&json, bk_error_text(error));
	bk_json_end_array(&json);
	return bk_json_value(&json);
}

/* A restore that ends now; completed unless damage was met. */
static BkOperation
ended(const BkCall *call, const BkRestoreRequest *request, const BkBackup *backup, TimestampTz started_at,
	  const ErrorData *damage)
{
	return (BkOperation) {
		.resource_id = backup->resource_id,
		.backup_id = backup->backup_id,
		.target_resource_id = request->target_resource_id,
		.type = backup->type,
		.validated = request->validate && damage == NULL,
		.role = call->role_name,
		.created_by = request->created_by ? request->created_by : call->role_name,
		.created_at = started_at,
		.completed_at = bk_now(),
		.error = damage ? bk_error_text(damage) : NULL,
		.validation_errors = damage ? bk_validation_errors(damage) : NULL,
	};
}

static int64
record(const BkCall *call, const BkRestoreRequest *request, const BkBackup *backup, TimestampTz started_at)
{
	BkOperation operation = ended(call, request, backup, started_at, NULL);
	int64		operation_id = bk_operation_insert(&operation);

	bk_audit_read(call, "restore", backup->resource_id, backup->backup_id,
				  bk_describe_operation(operation_id, operation.target_resource_id, operation.created_by,
										operation.validated));
	bk_notice_add(BK_NOTICE_RESTORED, backup->resource_id, backup->backup_id, operation_id);
	return operation_id;
}

static int64
record_failure(const BkCall *call, const BkRestoreRequest *request, const BkBackup *backup, TimestampTz started_at,
			   const ErrorData *damage)
{
	BkOperation operation = ended(call, request, backup, started_at, damage);
	int64		operation_id = bk_operation_insert(&operation);

	bk_audit_read_failed(call, "restore", backup->resource_id, backup->backup_id,
						 bk_describe_failed_operation(operation_id, operation.target_resource_id, operation.error));
	bk_notice_add(BK_NOTICE_FAILED, backup->resource_id, backup->backup_id, operation_id);
	return operation_id;
}

BkDocument
bk_restore_document(const BkCall *call, const BkRestoreRequest *request,
					int64 backup_id, const char *resource_id)
{
	TimestampTz started_at = bk_now();
	BkBackup	backup;
	BkDocument	document;

	bk_view_open();
	bk_find_backup_to_read(call, backup_id, resource_id, &backup);
	document = rebuild(call, bk_keys_open(call), &backup, request->validate);
	bk_view_close();
	record(call, request, &backup, started_at);
	return document;
}

/* What rebuild() needs and gives, for bk_try(). */
typedef struct Rebuilding
{
	const BkCall *call;
	const BkBackup *backup;
	bool		validate;
	BkText		text;
} Rebuilding;

static void
rebuild_tried(void *argument)
{
	Rebuilding *rebuilding = argument;

	rebuilding->text = rebuild(rebuilding->call, bk_keys_open(rebuilding->call), rebuilding->backup,
							   rebuilding->validate).text;
}

void
bk_restore_or_record_failure(const BkCall *call, const BkRestoreRequest *request,
							 int64 backup_id, const char *resource_id, BkRestored *restored)
{
	TimestampTz started_at = bk_now();
	BkBackup	backup;
	Rebuilding	rebuilding = {.call = call, .backup = &backup, .validate = request->validate};
	ErrorData  *damage;
	bool		sound;

	bk_view_open();
	bk_find_backup_to_read(call, backup_id, resource_id, &backup);
	sound = bk_try(rebuild_tried, &rebuilding, bk_is_damage, &damage);
	bk_view_close();
	if (sound)
		*restored = (BkRestored) {record(call, request, &backup, started_at), rebuilding.text, NULL};
	else
		*restored = (BkRestored) {record_failure(call, request, &backup, started_at, damage), {NULL, 0},
			bk_error_text(damage)};
}

/* "backup 3 of 2026-01-01 12:00:00+00", or "none". */
static char *
describe(bool found, const BkSnapshot *snapshot)
{
	if (!found)
		return "none";
	return psprintf("backup " INT64_FORMAT " of %s", snapshot->backup_id, timestamptz_to_str(snapshot->created_at));
}

/* What a time means on a timeline. */
typedef enum PointKind
{
	POINT_LIVE,					/* a backup */
	POINT_TOMBSTONE,			/* one that is gone */
	POINT_NONE					/* nothing yet */
} PointKind;

static PointKind
find_point(const char *resource_id, TimestampTz at, BkSnapshot *snapshot)
{
	if (!bk_snapshot_find(resource_id, at, snapshot))
		return POINT_NONE;
	return snapshot->removed ? POINT_TOMBSTONE : POINT_LIVE;
}

/* Raise 42704: the time has no state any more, or has none yet. */
static void
no_such_state(const char *resource_id, TimestampTz at, PointKind kind)
{
	BkSnapshot	earlier;
	BkSnapshot	later;
	bool		has_earlier = bk_snapshot_find_live(resource_id, at, false, &earlier);
	bool		has_later = bk_snapshot_find_live(resource_id, at, true, &later);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("resource \"%s\" has no state of %s", resource_id, timestamptz_to_str(at)),
			 kind == POINT_TOMBSTONE ? errdetail("The backup that held it was deleted, has expired, or has left the timeline.")
			 : errdetail("The time lies before the resource's timeline."),
			 errhint("Nearest earlier: %s; nearest later: %s. Restore one by its id%s.",
					 describe(has_earlier, &earlier), describe(has_later, &later),
					 has_earlier ? ", or pass nearest => true for the earlier one" : "")));
}

/* Without its point, a backup would silently make way for an older state. */
static void
check_no_point_missing(const char *resource_id, TimestampTz at, const BkSnapshot *snapshot)
{
	int64		missing = bk_snapshot_find_missing(resource_id, snapshot->created_at, at);

	if (missing != 0)
		bk_fail((BkOrigin) {missing}, "timeline", "its recovery point is missing");
}

/* The point to restore: the one that the time means or, where allowed, the nearest earlier one. */
static void
choose_point(const char *resource_id, TimestampTz at, bool nearest, BkSnapshot *snapshot)
{
	PointKind	kind = find_point(resource_id, at, snapshot);

	if (kind == POINT_LIVE)
	{
		check_no_point_missing(resource_id, at, snapshot);
		return;
	}
	if (!nearest || !bk_snapshot_find_live(resource_id, at, false, snapshot))
		no_such_state(resource_id, at, kind);
	ereport(WARNING,
			(errmsg("resource \"%s\" has no state of %s any more", resource_id, timestamptz_to_str(at)),
			 errdetail("Restored is the nearest earlier one: %s.", describe(true, snapshot))));
}

/* The point's backup.  That has its time under its MAC, so a point cannot be moved to another state. */
static void
find_backup_of_point(const char *resource_id, const BkSnapshot *snapshot, BkBackup *backup)
{
	BkOrigin	origin = {snapshot->backup_id};

	if (!bk_backup_find(resource_id, snapshot->backup_id, backup))
		bk_fail(origin, "timeline", "its row is missing");
	if (backup->created_at != snapshot->created_at)
		bk_fail(origin, "timeline", "its recovery point has another time than the backup");
}

void
bk_find_backup_at(const BkCall *call, const char *resource_id, TimestampTz at, bool nearest, BkBackup *backup)
{
	BkResource	resource;
	BkSnapshot	snapshot;

	bk_find_resource(call, resource_id, &resource);
	choose_point(resource_id, at, nearest, &snapshot);
	find_backup_of_point(resource_id, &snapshot, backup);
}

BkDocument
bk_restore_document_at(const BkCall *call, const BkRestoreRequest *request,
					   const char *resource_id, TimestampTz at, bool nearest,
					   int64 *backup_id)
{
	TimestampTz started_at = bk_now();
	BkBackup	backup;
	BkDocument	document;

	bk_view_open();
	bk_find_backup_at(call, resource_id, at, nearest, &backup);
	document = rebuild(call, bk_keys_open(call), &backup, request->validate);
	bk_view_close();
	record(call, request, &backup, started_at);
	*backup_id = backup.backup_id;
	return document;
}

BkText
bk_compare_documents(const BkCall *call, int64 from_backup, int64 to_backup, const char *resource_id)
{
	BkKeys	   *keys = bk_keys_open(call);
	BkBackup	from;
	BkBackup	to;
	BkText		from_text;
	BkText		to_text;

	bk_view_open();
	bk_find_backup_to_read(call, from_backup, resource_id, &from);
	bk_find_backup_to_read(call, to_backup, resource_id, &to);
	from_text = rebuild(call, keys, &from, true).text;
	to_text = rebuild(call, keys, &to, true).text;
	bk_view_close();
	bk_audit_read(call, "diff", from.resource_id, from.backup_id, bk_json_of_int64("with", to.backup_id));
	bk_audit_read(call, "diff", to.resource_id, to.backup_id, bk_json_of_int64("with", from.backup_id));
	return bk_delta_between(call->memory, from_text, to_text, BK_DELTA_COMPLETE, SIZE_MAX);
}
