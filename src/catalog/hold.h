/*
 * hold.h
 *		The table backup_service.hold: why a backup must not go.
 */
#ifndef BK_CATALOG_HOLD_H
#define BK_CATALOG_HOLD_H

#include "catalog/statement.h"
#include "datatype/timestamp.h"

typedef struct BkHold
{
	const char *resource_id;
	int64		backup_id;
	const char *name;
	const char *reason;
	TimestampTz until;			/* 0: until it is released */
	const char *created_by;
	TimestampTz created_at;
} BkHold;

/* In place of one of the same name that has ended; false where the backup has one that has not. */
extern bool bk_hold_insert(const BkHold *hold);

/* False where it has none. */
extern bool bk_hold_delete(const char *resource_id, int64 backup_id, const char *name);

/* One of the holds that any of these backups of a locked resource has now; false where none has. */
extern bool bk_hold_find_any(const char *resource_id, const int64 *ids, int count, TimestampTz now, BkHold *hold);

/* The holds that a resource's backups have now, in a view. */
extern int	bk_hold_find_all(const char *resource_id, TimestampTz now, BkHold **holds);

#endif							/* BK_CATALOG_HOLD_H */
