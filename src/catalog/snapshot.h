/*
 * snapshot.h
 *		The table backup_service.snapshot: recovery points in time.
 */
#ifndef BK_CATALOG_SNAPSHOT_H
#define BK_CATALOG_SNAPSHOT_H

#include "catalog/statement.h"
#include "datatype/timestamp.h"

typedef struct BkSnapshot
{
	TimestampTz created_at;
	int64		backup_id;
	bool		removed;		/* a tombstone */
} BkSnapshot;

/* Keep the newest max_live live points, and those of held backups; whatever else is older than them leaves. */
extern void bk_snapshot_trim(const char *resource_id, int32 max_live, TimestampTz now);

/* Turn the points of these backups, whose rows are still there, into tombstones. */
extern void bk_snapshot_bury(const char *resource_id, const int64 *ids, int count, TimestampTz removed_at);

/* A whole row. */
typedef struct BkPoint
{
	TimestampTz created_at;
	int64		backup_id;
	TimestampTz removed_at;		/* 0: it is live */
	bool		counts;
} BkPoint;

/* The points of a resource in order of time, in a view. */
extern int	bk_snapshot_find_all(const char *resource_id, BkPoint **points);

/* Write a point of a locked resource, in the place of one that is there. */
extern void bk_snapshot_put(const char *resource_id, const BkPoint *point);

/* Take a point off the timeline. */
extern void bk_snapshot_delete(const char *resource_id, TimestampTz created_at, int64 backup_id);

/* Forget a resource's timeline, tombstones and all. */
extern void bk_snapshot_delete_all(const char *resource_id);

/* The newest point at or before a time, in a view; false where there is none. */
extern bool bk_snapshot_find(const char *resource_id, TimestampTz at, BkSnapshot *snapshot);

/* The nearest live point at or before, or after, a time, in a view. */
extern bool bk_snapshot_find_live(const char *resource_id, TimestampTz at, bool after, BkSnapshot *snapshot);

/*
 * The first backup after one time, and at or before another; 0 where there is none.  Points leave oldest first, so
 * where after is a point's time, somebody has taken that backup's point off the timeline.
 */
extern int64 bk_snapshot_find_missing(const char *resource_id, TimestampTz after, TimestampTz at);

#endif							/* BK_CATALOG_SNAPSHOT_H */
