/*
 * finding.c
 *		Statuses of verified backups, with their events and notices.
 *
 * The events do not say what state the backup is in, so that a row that was tampered with
 * does not become the trail's.
 */
#include "service/finding.h"

#include "catalog/resource.h"
#include "catalog/verification.h"
#include "service/audit.h"
#include "service/json_text.h"
#include "service/notice.h"
#include "utils/timestamp.h"

static bool
is_corrupt(const BkBackup *backup)
{
	return strcmp(backup->status, "corrupt") == 0;
}

/* Whether the row of a locked resource is still what was verified; *current is as it is now. */
static bool
still_holds(const BkBackup *backup, BkBackup *current)
{
	bool		found;

	bk_view_open();
	found = bk_backup_find(backup->resource_id, backup->backup_id, current);
	bk_view_close();
	return found && current->base_id == backup->base_id
		&& memcmp(current->mac, backup->mac, sizeof(backup->mac)) == 0;
}

static void
record(const BkCall *call, BkResource *resource, const char *action, int64 backup_id, Jsonb *detail)
{
	bk_audit_resource(call, resource, action, backup_id, detail);
	bk_resource_touch(resource, 0);
	bk_notice_add(action, resource->resource_id, backup_id, 0);
}

static void
recover(const BkCall *call, BkResource *resource, const BkBackup *backup, TimestampTz now, BkFinding *finding)
{
	bk_verification_set(backup, "completed", now);
	finding->is_news = true;
	record(call, resource, BK_NOTICE_RECOVERED, backup->backup_id, NULL);
}

bool
bk_finding_note_sound(const BkCall *call, const BkBackup *backup, TimestampTz now, BkFinding *finding)
{
	BkResource	resource;
	BkBackup	current;

	memset(finding, 0, sizeof(*finding));
	if (!bk_resource_try_lock(backup->resource_id, &resource))
		return false;
	if (!is_corrupt(backup))
		bk_backup_set_verified(backup, now);
	else if (still_holds(backup, &current) && is_corrupt(&current))
		recover(call, &resource, backup, now, finding);
	return true;
}

bool
bk_finding_note_at_rest(const BkBackup *backup, TimestampTz now)
{
	BkResource	resource;

	if (!bk_resource_try_lock(backup->resource_id, &resource))
		return false;
	bk_backup_set_verified(backup, now);
	return true;
}

/* What builds on it cannot be restored either, and must not be built on. */
static void
condemn(const BkBackup *backup, TimestampTz now, BkFinding *finding)
{
	bk_view_open();
	finding->count = bk_backup_find_dependents(backup->resource_id, backup->backup_id, true, &finding->dependents);
	bk_view_close();
	bk_verification_set(backup, "corrupt", now);
	bk_verification_set_corrupt(backup->resource_id, finding->dependents, finding->count);
}

static Jsonb *
ids_of_dependents(const BkFinding *finding)
{
	StringInfoData json;

	if (finding->count == 0)
		return NULL;
	initStringInfo(&json);
	for (int i = 0; i < finding->count; i++)
		appendStringInfo(&json, "%s" INT64_FORMAT, i == 0 ? "[" : ", ", finding->dependents[i]);
	appendStringInfoChar(&json, ']');
	return bk_json_value(&json);
}

static Jsonb *
describe(const char *error, const BkFinding *finding)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_text(&json, "error", error);
	bk_json_add_jsonb(&json, "dependents", ids_of_dependents(finding));
	bk_json_end(&json);
	return bk_json_value(&json);
}

bool
bk_finding_note_damage(const BkCall *call, const BkBackup *backup, const char *error, TimestampTz now,
					   BkFinding *finding)
{
	BkResource	resource;
	BkBackup	current;

	memset(finding, 0, sizeof(*finding));
	if (!bk_resource_try_lock(backup->resource_id, &resource))
		return false;
	if (!still_holds(backup, &current))
		return true;
	condemn(backup, now, finding);
	finding->is_news = !is_corrupt(&current);
	if (finding->is_news)
		record(call, &resource, BK_NOTICE_CORRUPT, backup->backup_id, describe(error, finding));
	return true;
}
