/*
 * prune.h
 *		Retention as somebody asks for it: done, tried, or explained.
 */
#ifndef BK_PRUNE_H
#define BK_PRUNE_H

#include "service/call.h"
#include "service/plan.h"

/* Called for each backup in order of time; reason is in short-lived memory. */
typedef void (*BkTellFate) (void *context, int64 backup_id, BkFate fate, const char *reason);

/* Remove what retention does not keep, or only say what would go: of one resource, or (NULL) of all of the caller's. */
extern void bk_prune_resources(const BkCall *call, const char *resource_id, bool dry_run,
							   BkTellFate tell, void *context);

/* What is decided on a resource's backups now: by its policy, or (rules not NULL) by others. */
extern void bk_explain_retention(const BkCall *call, const char *resource_id, const BkRetentionPolicy *rules,
								 BkPlan *plan);

#endif							/* BK_PRUNE_H */
