/*
 * consolidate.h
 *		Making an incremental or a differential a full backup in place.
 */
#ifndef BK_CONSOLIDATE_H
#define BK_CONSOLIDATE_H

#include "catalog/backup.h"
#include "catalog/resource.h"
#include "service/call.h"
#include "service/keys.h"

/*
 * Rewrite a backup of a locked resource as full: same id and time, new data key and IV.  keys are
 * active.  leaving_base is why, or 0.  Returns the bytes stored, which the caller hands to
 * bk_resource_touch().
 */
extern int64 bk_consolidate_locked(const BkCall *call, BkKeys *keys, BkResource *resource, BkBackup *backup,
								   int64 leaving_base);

#endif							/* BK_CONSOLIDATE_H */
