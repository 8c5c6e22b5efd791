/*
 * timeline.h
 *		All points of a resource, as the rules of retention look at them: its backups,
 *		also those that have left the timeline, and its tombstones.
 */
#ifndef BK_CATALOG_TIMELINE_H
#define BK_CATALOG_TIMELINE_H

#include "catalog/statement.h"
#include "retention/retention.h"

typedef struct BkTimeline
{
	int			count;
	BkRetentionPoint *points;	/* in order of (created_at, backup_id) */
	int64	   *stored_sizes;	/* of each; 0 of a tombstone */
} BkTimeline;

/* Read it, in a view; holds are those that last beyond a time. */
extern void bk_timeline_read(const char *resource_id, TimestampTz now, BkTimeline *timeline);

/* Whether a running restore reads any backup of a locked resource. */
extern bool bk_timeline_is_read(const char *resource_id);

#endif							/* BK_CATALOG_TIMELINE_H */
