/*
 * cleanup.h
 *		Removing from one resource what retention does not keep.
 *
 * The whole set that is to go is decided at once.  Then whatever is kept and builds on it is made full,
 * each once, the oldest first, so that every chain that has to be read is as short as can be.  Then the set
 * goes, the newest first, so that nothing ever builds on what is not there.  Each step leaves a state in which
 * all is sound, so the work may be cut into any number of transactions; whatever changes in between
 * (a backup, a hold, a running restore, a policy) has it decided anew.
 */
#ifndef BK_CLEANUP_H
#define BK_CLEANUP_H

#include "service/call.h"
#include "service/plan.h"

typedef struct BkCleanup BkCleanup;

/* What one step may do before it ends; it always does something. */
typedef struct BkBudget
{
	int64		removals;
	int64		bytes;			/* stored ones of what is removed */
	int64		milliseconds;
	bool	   *key_missing;	/* a master key that could not be had is looked for no more, nor warned of again */
} BkBudget;

/*
 * Begin on a resource that the caller may use.  Somebody who asks for it (waits) waits for the lock, and is not held to
 * backup_service.cleanup_max_fraction; clean-up on its own is, and leaves a locked resource, or one that
 * it has stopped at, alone.
 */
extern BkCleanup *bk_cleanup_begin(BkMemory memory, const char *resource_id, bool waits);

/* Do a part; true where there is more.  May be called in one transaction after the other. */
extern bool bk_cleanup_step(BkCleanup *cleanup, const BkCall *call, const BkBudget *budget);

/* What was done: the plan that was carried out, NULL for none; and whether a point of it was made full on the way. */
extern const BkPlan *bk_cleanup_plan(const BkCleanup *cleanup);
extern bool bk_cleanup_has_consolidated(const BkCleanup *cleanup, int64 backup_id);

extern void bk_cleanup_end(BkCleanup *cleanup);

#endif							/* BK_CLEANUP_H */
