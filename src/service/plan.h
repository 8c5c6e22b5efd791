/*
 * plan.h
 *		What retention decides on a resource, and what clean-up does about each backup.
 */
#ifndef BK_PLAN_H
#define BK_PLAN_H

#include "catalog/policy.h"
#include "catalog/resource.h"
#include "catalog/timeline.h"

typedef enum BkFate
{
	BK_FATE_GONE,				/* a tombstone */
	BK_FATE_KEEP,
	BK_FATE_CONSOLIDATE,		/* kept; made full, since its base goes */
	BK_FATE_EXPIRE,
	BK_FATE_WAIT,				/* to go, but not in this run */
	BK_FATE_NEEDED				/* to go, but what builds on it cannot be made full */
} BkFate;

typedef struct BkPlan
{
	/* what was asked */
	const char *resource_id;
	TimestampTz now;
	int64		audit_number;	/* of the resource's last event; any change makes a later one */

	/* what was found; the arrays go with those of timeline */
	const BkRetentionPolicy *rules; /* NULL: none */
	BkPolicy	policy;			/* where the rules are from */
	BkTimeline	timeline;
	int		   *bases;			/* which point each builds on; -1 for none that is there */

	/* what is decided */
	BkRetentionDecision *decisions;
	BkFate	   *fates;
	int			live;			/* points that are not tombstones */
	int			waiting;		/* points of BK_FATE_WAIT */
} BkPlan;

/* Plan on the rules of the resource's policy, in a view; at most a fraction of the backups goes, less what has gone. */
extern void bk_plan_make(const BkResource *resource, TimestampTz now, double max_fraction, BkPlan *plan);

/* The same for other rules. */
extern void bk_plan_make_for(const BkResource *resource, const BkRetentionPolicy *rules, TimestampTz now,
							 double max_fraction, BkPlan *plan);

/* Whether the plan is of the policy that the resource has now, in a view. */
extern bool bk_plan_has_policy(const BkPlan *plan);

extern int	bk_plan_count(const BkPlan *plan, BkFate fate);

/* What becomes of a point: where another's failure has kept its base, it need not be made full. */
extern BkFate bk_plan_fate(const BkPlan *plan, int point);

/* Whether a point has still to be made full; its base_id is 0 once it is. */
extern bool bk_plan_must_consolidate(const BkPlan *plan, int point);

/* A point cannot be made full: what it builds on stays. */
extern void bk_plan_keep_bases(BkPlan *plan, int point);

/* What bk_prune() says of a point, palloc'd. */
extern const char *bk_fate_name(BkFate fate);
extern char *bk_plan_reason(const BkPlan *plan, int point);

#endif							/* BK_PLAN_H */
