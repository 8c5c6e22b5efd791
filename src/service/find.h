/*
 * find.h
 *		Looking up backups and resources that the caller may use.
 *
 * By id, what is not the caller's answers exactly as what is not there.
 */
#ifndef BK_FIND_H
#define BK_FIND_H

#include "catalog/backup.h"
#include "catalog/resource.h"
#include "service/call.h"

/*
 * Read a backup's row, in a view; resource_id may be NULL, or spares a look-up.
 * 42704 where the caller can use no such backup.
 */
extern void bk_find_backup(const BkCall *call, int64 backup_id, const char *resource_id, BkBackup *backup);

/* The same for who reads the document, without the labels. */
extern void bk_find_backup_to_read(const BkCall *call, int64 backup_id, const char *resource_id, BkBackup *backup);

/* Read a resource's row, in a view; 42704 where the caller can use no such resource. */
extern void bk_find_resource(const BkCall *call, const char *resource_id, BkResource *resource);

/*
 * Find a backup, become the one writer of its resource, and read the row again
 * under the lock.  Opens and closes views of its own.
 */
extern void bk_find_backup_to_change(const BkCall *call, int64 backup_id, const char *resource_id,
									 BkResource *resource, BkBackup *backup);

/* The same for a resource. */
extern void bk_find_resource_to_change(const BkCall *call, const char *resource_id, BkResource *resource);

/* Raise 42704 for a backup. */
BK_NORETURN extern void bk_no_such_backup(int64 backup_id);

#endif							/* BK_FIND_H */
