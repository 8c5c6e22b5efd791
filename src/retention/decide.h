/*
 * decide.h
 *		What one call of bk_retention_decide() works on; of this layer only.
 */
#ifndef BK_DECIDE_H
#define BK_DECIDE_H

#include "retention/calendar.h"

/* The newest bucket of a rule is this while no point counts. */
#define BK_NO_BUCKET	PG_INT64_MIN

typedef struct BkDecide
{
	/* What is asked. */
	const BkRetentionPolicy *policy;	/* NULL: none */
	const BkRetentionPoint *points;
	int			count;
	TimestampTz now;

	/* What is found. */
	BkRetentionDecision *decisions;
	BkLocalTime *locals;		/* of each point; NULL where no rule has buckets */
	int64		newest[BK_COUNTED_RULES];	/* the newest bucket in which a point counts */

	BkMemory	memory;
} BkDecide;

static inline void
bk_decide_keep(BkDecide *decide, int point, BkReason reason)
{
	decide->decisions[point].reasons |= BK_REASON_BIT(reason);
}

static inline bool
bk_decide_is_live(const BkDecide *decide, int point)
{
	return (decide->points[point].flags & BK_POINT_REMOVED) == 0;
}

static inline bool
bk_decide_follows_policy(const BkDecide *decide, int point)
{
	return (decide->points[point].flags & BK_POINT_OWN_RETENTION) == 0;
}

/* Whether the point takes a place in the rules. */
static inline bool
bk_decide_counts(const BkDecide *decide, int point)
{
	return (decide->points[point].flags & (BK_POINT_CORRUPT | BK_POINT_OWN_RETENTION)) == 0;
}

/* What keeps a point whatever the policy says. */
extern void bk_decide_guards(BkDecide *decide);

/* Until when the point is kept, once all of its reasons are known. */
extern void bk_decide_until(const BkDecide *decide, int point);

#endif							/* BK_DECIDE_H */
