/*
 * archive.h
 *		Resources as archives, and archives as resources.
 */
#ifndef BK_SERVICE_ARCHIVE_H
#define BK_SERVICE_ARCHIVE_H

#include "service/call.h"

#include "fmgr.h"

/*
 * One sealed archive of all of a resource's backups, tombstones and holds, each payload proven, as a
 * bytea in the call's result_memory.  42704 where the caller can use no such resource; 54000
 * where it does not fit into one value.
 */
extern bytea *bk_archive_resource(const BkCall *call, const char *resource_id);

/*
 * Make a resource of an archive's, under another name where that is not NULL; returns how many
 * backups it has.  The archive is proven as a whole, then every payload, which gets its new MAC.
 */
extern int64 bk_archive_take(const BkCall *call, BkText bytes, const char *target_resource_id);

#endif							/* BK_SERVICE_ARCHIVE_H */
