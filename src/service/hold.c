/*
 * hold.c
 *		Making, ending and obeying holds.
 */
#include "service/hold.h"

#include "catalog/hold.h"
#include "service/audit.h"
#include "service/clock.h"
#include "service/find.h"
#include "service/json_text.h"
#include "utils/timestamp.h"

/* A change of holds is one of the resource. */
static void
record(const BkCall *call, BkResource *resource, const char *action, int64 backup_id, Jsonb *detail)
{
	bk_audit_resource(call, resource, action, backup_id, detail);
	bk_resource_touch(resource, 0);
}

static Jsonb *
describe(const BkHold *hold)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_text(&json, "name", hold->name);
	bk_json_add_text(&json, "reason", hold->reason);
	if (hold->until != 0)
		bk_json_add_time(&json, "until", hold->until);
	bk_json_end(&json);
	return bk_json_value(&json);
}

static void
check_until(TimestampTz until, TimestampTz now)
{
	if (until != 0 && until <= now)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the end of a hold must lie in the future"),
				 errdetail("It is %s.", timestamptz_to_str(until)),
				 errhint("Leave until out for a hold that lasts until bk_release().")));
}

void
bk_hold_backup(const BkCall *call, int64 backup_id, const char *resource_id,
			   const char *name, const char *reason, TimestampTz until)
{
	BkResource	resource;
	BkBackup	backup;
	BkHold		hold;

	bk_find_backup_to_change(call, backup_id, resource_id, &resource, &backup);
	hold = (BkHold) {
		.resource_id = backup.resource_id,
		.backup_id = backup.backup_id,
		.name = name,
		.reason = reason,
		.until = until,
		.created_by = call->role_name,
		.created_at = bk_now(),
	};
	check_until(until, hold.created_at);
	if (!bk_hold_insert(&hold))
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("backup " INT64_FORMAT " has a hold \"%s\" already", backup_id, name),
				 errhint("Choose another name, or end that one with bk_release() first.")));
	record(call, &resource, "hold", backup_id, describe(&hold));
}

void
bk_release_backup(const BkCall *call, int64 backup_id, const char *resource_id, const char *name)
{
	BkResource	resource;
	BkBackup	backup;

	bk_find_backup_to_change(call, backup_id, resource_id, &resource, &backup);
	if (!bk_hold_delete(backup.resource_id, backup_id, name))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("backup " INT64_FORMAT " has no hold \"%s\"", backup_id, name),
				 errhint("SELECT * FROM bk_holds shows the holds.")));
	record(call, &resource, "release", backup_id, bk_json_of_text("name", name));
}

/* The backup, and all that builds on it. */
static int
find_with_dependents(const BkBackup *backup, int64 **ids)
{
	int64	   *dependents;
	int			count;

	bk_view_open();
	count = bk_backup_find_dependents(backup->resource_id, backup->backup_id, true, &dependents);
	bk_view_close();
	*ids = palloc(sizeof(int64) * (count + 1));
	(*ids)[0] = backup->backup_id;
	memcpy(*ids + 1, dependents, sizeof(int64) * count);
	return count + 1;
}

/* backup_id is the one that was to be changed. */
BK_NORETURN static void
refuse_held(int64 backup_id, const BkHold *hold)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 hold->backup_id == backup_id
			 ? errmsg("backup " INT64_FORMAT " is held", backup_id)
			 : errmsg("backup " INT64_FORMAT " is held, since backup " INT64_FORMAT " builds on it",
					  backup_id, hold->backup_id),
			 errdetail("Role \"%s\" holds backup " INT64_FORMAT " as \"%s\": %s",
					   hold->created_by, hold->backup_id, hold->name, hold->reason),
			 errhint("bk_release() ends a hold; SELECT * FROM bk_holds shows all of them.")));
	pg_unreachable();
}

void
bk_check_not_held(const BkBackup *backup)
{
	int64	   *ids;
	int			count = find_with_dependents(backup, &ids);
	BkHold		hold;

	if (bk_hold_find_any(backup->resource_id, ids, count, bk_now(), &hold))
		refuse_held(backup->backup_id, &hold);
}

void
bk_check_none_held(const char *resource_id, const int64 *ids, int count)
{
	BkHold		hold;

	if (bk_hold_find_any(resource_id, ids, count, bk_now(), &hold))
		refuse_held(hold.backup_id, &hold);
}
