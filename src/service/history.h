/*
 * history.h
 *		One value of a resource's documents through time.
 */
#ifndef BK_HISTORY_H
#define BK_HISTORY_H

#include "catalog/backup.h"
#include "service/call.h"

/* From when on the value was what; value.data is NULL where it was not there. */
typedef struct BkHistoryEntry
{
	int64		backup_id;
	TimestampTz created_at;
	BkText		value;			/* canonical text */
} BkHistoryEntry;

/*
 * The value at a path in all backups of a resource, oldest first; repeats, and
 * absence before the first value, are left out.  Returns the number of entries.
 */
extern int	bk_value_history(const BkCall *call, const char *resource_id, BkText path, BkHistoryEntry **entries);

#endif							/* BK_HISTORY_H */
