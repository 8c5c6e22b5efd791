/*
 * delete.h
 *		Deleting backups without breaking those that build on them.
 */
#ifndef BK_DELETE_H
#define BK_DELETE_H

#include "catalog/backup.h"
#include "service/call.h"

/* What happens to backups that build on a deleted one. */
typedef enum BkDependents
{
	BK_DEPENDENTS_CONSOLIDATE,	/* direct ones become full */
	BK_DEPENDENTS_CASCADE,		/* all are deleted too */
	BK_DEPENDENTS_RESTRICT		/* 55006 where there is one */
} BkDependents;

/* Delete a backup; returns how many were deleted.  resource_id may be NULL. */
extern int64 bk_delete_backup(const BkCall *call, int64 backup_id, BkDependents dependents, const char *resource_id);

/* Turn an incremental or a differential into a full backup in place; gives its row. */
extern void bk_consolidate_backup(const BkCall *call, int64 backup_id, const char *resource_id, BkBackup *backup);

#endif							/* BK_DELETE_H */
