/*
 * find.c
 *		Look-ups with the check of rights that belongs to them.
 */
#include "service/find.h"

#include "service/rights.h"

void
bk_no_such_backup(int64 backup_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("backup " INT64_FORMAT " does not exist", backup_id),
			 errhint("SELECT * FROM bk_list() shows the backups that you can use.")));
	pg_unreachable();
}

/* The server's log learns that it is there; the caller does not. */
static bool
may_use(const BkCall *call, const char *owner)
{
	if (bk_may_use(call, owner))
		return true;
	call->attempt->denied = true;
	return false;
}

/* The call is about this backup, which may not be there, as far as is known before it is looked up. */
static void
note_attempt(const BkCall *call, int64 backup_id, const char *resource_id)
{
	call->attempt->resource_id = resource_id;
	call->attempt->backup_id = backup_id;
}

/* What was looked up must be there, and be the caller's. */
static void
check_found(const BkCall *call, int64 backup_id, bool found, const BkBackup *backup)
{
	if (found)
		call->attempt->resource_id = backup->resource_id;
	if (!found || !may_use(call, backup->owner))
		bk_no_such_backup(backup_id);
}

void
bk_find_backup(const BkCall *call, int64 backup_id, const char *resource_id, BkBackup *backup)
{
	bool		found;

	note_attempt(call, backup_id, resource_id);
	found = resource_id ? bk_backup_find(resource_id, backup_id, backup) : bk_backup_find_by_id(backup_id, backup);
	check_found(call, backup_id, found, backup);
}

void
bk_find_backup_to_read(const BkCall *call, int64 backup_id, const char *resource_id, BkBackup *backup)
{
	note_attempt(call, backup_id, resource_id);
	check_found(call, backup_id, bk_backup_find_to_read(resource_id, backup_id, backup), backup);
}

BK_NORETURN static void
no_such_resource(const char *resource_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("resource \"%s\" does not exist", resource_id),
			 errhint("SELECT * FROM bk_resources shows the resources that you can use.")));
	pg_unreachable();
}

void
bk_find_resource(const BkCall *call, const char *resource_id, BkResource *resource)
{
	call->attempt->resource_id = resource_id;
	if (!bk_resource_find(resource_id, resource) || resource->dropped || !may_use(call, resource->owner))
		no_such_resource(resource_id);
}

void
bk_find_backup_to_change(const BkCall *call, int64 backup_id, const char *resource_id,
						 BkResource *resource, BkBackup *backup)
{
	/* Rights first: nobody waits for, or holds, a lock on what is not his. */
	bk_view_open();
	bk_find_backup(call, backup_id, resource_id, backup);
	bk_view_close();

	if (!bk_resource_lock(backup->resource_id, resource))
		bk_no_such_backup(backup_id);
	bk_view_open();
	bk_find_backup(call, backup_id, resource->resource_id, backup);
	bk_view_close();
}

void
bk_find_resource_to_change(const BkCall *call, const char *resource_id, BkResource *resource)
{
	bk_view_open();
	bk_find_resource(call, resource_id, resource);
	bk_view_close();

	if (!bk_resource_lock(resource_id, resource))
		no_such_resource(resource_id);
	bk_view_open();
	bk_find_resource(call, resource_id, resource);
	bk_view_close();
}
