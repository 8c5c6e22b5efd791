/*
 * drop.c
 *		Dropping resources.
 */
#include "service/drop.h"

#include "catalog/backup.h"
#include "catalog/snapshot.h"
#include "service/audit.h"
#include "service/clock.h"
#include "service/find.h"
#include "service/hold.h"
#include "service/json_text.h"
#include "service/queue.h"

int64
bk_drop_resource(const BkCall *call, const char *resource_id)
{
	BkResource	resource;
	int64	   *ids;
	int			count;

	bk_find_resource_to_change(call, resource_id, &resource);
	bk_view_open();
	count = bk_backup_find_all(resource_id, &ids);
	bk_view_close();
	bk_check_none_held(resource_id, ids, count);
	bk_check_not_pinned(resource_id, ids, count);
	bk_snapshot_delete_all(resource_id);
	bk_backup_delete(resource_id, ids, count);
	for (int i = 0; i < count; i++)
		bk_audit_removed(call, &resource, "delete", ids[i], NULL);
	/* The event of no backup is the one that ends the resource: bk_audit_verify() compares its row with it. */
	bk_audit_resource(call, &resource, "drop", 0, bk_json_of_int64("backups", count));
	bk_resource_touch(&resource, 0);
	bk_resource_set_dropped(resource_id, bk_now());
	return count;
}

static Jsonb *
describe_heir(const char *from, const char *to)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_text(&json, "from", from);
	bk_json_add_text(&json, "to", to);
	bk_json_add_bool(&json, "dropped", true);
	bk_json_end(&json);
	return bk_json_value(&json);
}

/* What the trail says of the owner is told by this event, be he the same. */
void
bk_take_over_resource(const BkCall *call, BkResource *resource, TimestampTz now)
{
	bk_resource_revive(resource->resource_id, call->role_name, now);
	bk_audit_resource(call, resource, "owner_set", 0, describe_heir(resource->owner, call->role_name));
	bk_resource_touch(resource, 0);
	resource->owner = pstrdup(call->role_name);
	resource->dropped = false;
}
