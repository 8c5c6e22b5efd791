/*
 * delete.c
 *		Deletion and consolidation.
 */
#include "service/delete.h"

#include "catalog/resource.h"
#include "catalog/snapshot.h"
#include "service/audit.h"
#include "service/clock.h"
#include "service/consolidate.h"
#include "service/find.h"
#include "service/hold.h"
#include "service/json_text.h"
#include "service/queue.h"

void
bk_consolidate_backup(const BkCall *call, int64 backup_id, const char *resource_id, BkBackup *backup)
{
	BkKeys	   *keys = bk_keys_open(call);
	BkResource	resource;

	bk_keys_activate(keys);
	bk_find_backup_to_change(call, backup_id, resource_id, &resource, backup);
	if (backup->type == BK_TYPE_FULL)
	{
		ereport(NOTICE, (errmsg("backup " INT64_FORMAT " is full already", backup_id)));
		return;
	}
	bk_resource_touch(&resource, bk_consolidate_locked(call, keys, &resource, backup, 0));
}

/* Turn every direct dependent of a backup into a full one. */
static void
consolidate_dependents(const BkCall *call, BkKeys *keys, BkResource *resource, int64 backup_id,
					   const int64 *ids, int count)
{
	for (int i = 0; i < count; i++)
	{
		BkBackup	dependent;

		bk_view_open();
		bk_find_backup(call, ids[i], resource->resource_id, &dependent);
		bk_view_close();
		bk_resource_touch(resource, bk_consolidate_locked(call, keys, resource, &dependent, backup_id));
	}
}

static void
refuse(int64 backup_id, const int64 *ids, int count)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("backup " INT64_FORMAT " is still needed", backup_id),
			 errdetail_plural("%d backup builds on it: backup " INT64_FORMAT ".",
							  "%d backups build on it, the first is backup " INT64_FORMAT ".",
							  count, count, ids[0]),
			 errhint("Pass dependents => 'consolidate' to make those full first, or 'cascade' to delete them too.")));
}

static int
find_dependents(const BkBackup *backup, bool all, int64 **ids)
{
	int			count;

	bk_view_open();
	count = bk_backup_find_dependents(backup->resource_id, backup->backup_id, all, ids);
	bk_view_close();
	return count;
}

/*
 * Have the master key before any lock is taken, where backups will have to be
 * rewritten; deleting alone needs no key.
 */
static void
activate_if_needed(const BkCall *call, BkKeys *keys, int64 backup_id, const char *resource_id)
{
	BkBackup	backup;
	int64	   *ids;

	bk_view_open();
	bk_find_backup(call, backup_id, resource_id, &backup);
	bk_view_close();
	if (find_dependents(&backup, false, &ids) > 0)
		bk_keys_activate(keys);
}

/* Deal with what builds on a backup of a locked resource; *doomed are the backups to delete. */
static int
resolve_dependents(const BkCall *call, BkKeys *keys, BkResource *resource, const BkBackup *backup,
				   BkDependents dependents, int64 **doomed)
{
	int64	   *ids;
	int			count = find_dependents(backup, dependents == BK_DEPENDENTS_CASCADE, &ids);

	*doomed = palloc(sizeof(int64) * (count + 1));
	(*doomed)[0] = backup->backup_id;
	if (count == 0)
		return 1;
	if (dependents == BK_DEPENDENTS_RESTRICT)
		refuse(backup->backup_id, ids, count);
	if (dependents == BK_DEPENDENTS_CONSOLIDATE)
	{
		bk_keys_activate(keys);
		consolidate_dependents(call, keys, resource, backup->backup_id, ids, count);
		return 1;
	}
	memcpy(*doomed + 1, ids, sizeof(int64) * count);
	return count + 1;
}

int64
bk_delete_backup(const BkCall *call, int64 backup_id, BkDependents dependents, const char *resource_id)
{
	BkKeys	   *keys = bk_keys_open(call);
	BkResource	resource;
	BkBackup	backup;
	int64	   *doomed;
	int			count;

	if (dependents == BK_DEPENDENTS_CONSOLIDATE)
		activate_if_needed(call, keys, backup_id, resource_id);
	bk_find_backup_to_change(call, backup_id, resource_id, &resource, &backup);
	bk_check_not_held(&backup);
	bk_check_not_pinned(resource.resource_id, &backup.backup_id, 1);
	count = resolve_dependents(call, keys, &resource, &backup, dependents, &doomed);
	bk_check_not_pinned(resource.resource_id, doomed, count);
	bk_snapshot_bury(backup.resource_id, doomed, count, bk_now());
	bk_backup_delete(backup.resource_id, doomed, count);
	for (int i = 0; i < count; i++)
		bk_audit_removed(call, &resource, "delete", doomed[i],
						 i == 0 ? NULL : bk_json_of_int64("deleted_base", backup.backup_id));
	bk_resource_touch(&resource, 0);
	return count;
}
