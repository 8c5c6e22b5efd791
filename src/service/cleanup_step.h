/*
 * cleanup_step.h
 *		What one step of a resource's clean-up works on; of cleanup.c and survivors.c only.
 */
#ifndef BK_CLEANUP_STEP_H
#define BK_CLEANUP_STEP_H

#include "service/cleanup.h"
#include "service/keys.h"
#include "utils/hsearch.h"

struct BkCleanup
{
	/* info */
	BkMemory	memory;
	char	   *resource_id;
	bool		waits;

	/* variables */
	BkPlan	   *plan;			/* NULL: to be made */
	BkMemory	plan_memory;	/* of it */
	int			next;			/* of the points that expire, those from here on have gone */
	HTAB	   *consolidated;	/* ids of what was made full */
};

/* One step, in one transaction. */
typedef struct BkCleanupStep
{
	/* info */
	BkCleanup  *cleanup;
	const BkCall *call;
	const BkBudget *budget;

	/* variables */
	BkKeys	   *keys;			/* NULL where they cannot be had */
	BkResource	resource;		/* locked */
	TimestampTz deadline;
	int			removed;
	int64		bytes_stored;
} BkCleanupStep;

typedef enum BkProgress
{
	BK_ALL_DONE,
	BK_TIME_IS_OVER,
	BK_PLAN_IS_OFF				/* a backup has turned out to be corrupt: others may have to take its place */
} BkProgress;

/* Make full, the oldest first, what is kept and builds on what goes; the resource is locked. */
extern BkProgress bk_survivors_make_full(BkCleanupStep *step);

/* Write down where the resource's chain of events ends, for what reads its row anew. */
extern void bk_cleanup_touch(BkCleanupStep *step);

#endif							/* BK_CLEANUP_STEP_H */
