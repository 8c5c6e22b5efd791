/*
 * prune.c
 *		bk_prune() and bk_retention_explain().
 */
#include "service/prune.h"

#include "service/cleanup.h"
#include "service/clock.h"
#include "service/find.h"
#include "service/rights.h"
#include "settings.h"
#include "utils/memutils.h"

/* How many resources are read at a time. */
#define PAGE	1000

typedef struct Prune
{
	const BkCall *call;
	bool		dry_run;
	bool		key_missing;
	BkTellFate	tell;
	void	   *context;
} Prune;

/* What was made full under an earlier plan is only kept by the last. */
static bool
was_consolidated(const BkCleanup *cleanup, const BkPlan *plan, int point)
{
	return cleanup && bk_cleanup_has_consolidated(cleanup, plan->timeline.points[point].backup_id);
}

/* Tell what has happened, or (cleanup NULL) would. */
static void
tell_plan(const Prune *prune, const BkPlan *plan, const BkCleanup *cleanup)
{
	for (int i = 0; i < plan->timeline.count; i++)
	{
		BkFate		fate = bk_plan_fate(plan, i);
		char	   *reason;

		if (fate == BK_FATE_GONE)
			continue;
		reason = bk_plan_reason(plan, i);
		if (fate != BK_FATE_CONSOLIDATE && was_consolidated(cleanup, plan, i))
		{
			fate = BK_FATE_CONSOLIDATE;
			reason = psprintf("%s; made full, since its base goes", reason);
		}
		prune->tell(prune->context, plan->timeline.points[i].backup_id, fate, reason);
		CHECK_FOR_INTERRUPTS();
	}
}

static void
try_resource(const Prune *prune, const char *resource_id)
{
	BkResource	resource;
	BkPlan		plan;

	bk_view_open();
	bk_find_resource(prune->call, resource_id, &resource);
	bk_plan_make(&resource, bk_now(), 1.0, &plan);
	bk_view_close();
	tell_plan(prune, &plan, NULL);
}

static void
prune_resource(Prune *prune, const char *resource_id)
{
	BkCleanup  *cleanup = bk_cleanup_begin(CurrentMemoryContext, resource_id, true);
	BkBudget	budget = {
		.removals = PG_INT64_MAX,
		.bytes = PG_INT64_MAX,
		.milliseconds = PG_INT32_MAX,
		.key_missing = &prune->key_missing,
	};
	BkResource	resource;

	/* Rights first, also where there is nothing to do. */
	bk_view_open();
	bk_find_resource(prune->call, resource_id, &resource);
	bk_view_close();
	while (bk_cleanup_step(cleanup, prune->call, &budget))
		CHECK_FOR_INTERRUPTS();
	if (bk_cleanup_plan(cleanup))
		tell_plan(prune, bk_cleanup_plan(cleanup), cleanup);
	bk_cleanup_end(cleanup);
}

/* One resource, in memory of its own. */
static void
visit(Prune *prune, const char *resource_id)
{
	BkMemory	memory = bk_memory_new(prune->call->memory, "backup_service prune");
	MemoryContext outer = MemoryContextSwitchTo(memory);

	if (prune->dry_run)
		try_resource(prune, resource_id);
	else
		prune_resource(prune, resource_id);
	MemoryContextSwitchTo(outer);
	bk_memory_delete(memory);
}

/* All that the caller may use, in order of their ids, so that two who do this do not lock each other out. */
static void
visit_all(Prune *prune)
{
	const char *after = "";
	int			count;

	do
	{
		BkResourceEntry *entries;

		bk_view_open();
		count = bk_resource_find_after(after, bk_now(), PAGE, &entries);
		bk_view_close();
		for (int i = 0; i < count; i++)
			if (bk_may_use(prune->call, entries[i].owner))
				visit(prune, entries[i].resource_id);
		if (count > 0)
			after = entries[count - 1].resource_id;
	} while (count == PAGE);
}

void
bk_prune_resources(const BkCall *call, const char *resource_id, bool dry_run, BkTellFate tell, void *context)
{
	Prune		prune = {.call = call, .dry_run = dry_run, .tell = tell, .context = context};

	if (resource_id)
		visit(&prune, resource_id);
	else
		visit_all(&prune);
}

void
bk_explain_retention(const BkCall *call, const char *resource_id, const BkRetentionPolicy *rules, BkPlan *plan)
{
	BkResource	resource;

	bk_view_open();
	bk_find_resource(call, resource_id, &resource);
	if (rules)
	{
		/* Clean-up under other rules would begin anew. */
		resource.cleanup_removed = 0;
		resource.cleanup_stopped_at = 0;
		bk_plan_make_for(&resource, rules, bk_now(), bk_setting_cleanup_max_fraction, plan);
	}
	else
		bk_plan_make(&resource, bk_now(), bk_setting_cleanup_max_fraction, plan);
	bk_view_close();
}
