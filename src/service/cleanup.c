/*
 * cleanup.c
 *		Carrying out a plan of retention, a step to a transaction.
 */
#include "service/cleanup_step.h"

#include "catalog/snapshot.h"
#include "service/audit.h"
#include "service/clock.h"
#include "service/find.h"
#include "service/json_text.h"
#include "service/notice.h"
#include "service/point.h"
#include "service/try.h"
#include "settings.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

BkCleanup *
bk_cleanup_begin(BkMemory memory, const char *resource_id, bool waits)
{
	BkMemory	own = bk_memory_new(memory, "backup_service clean-up");
	BkCleanup  *cleanup = bk_alloc_zero(own, sizeof(BkCleanup));
	HASHCTL		control = {.keysize = sizeof(int64), .entrysize = sizeof(int64), .hcxt = own};

	cleanup->memory = own;
	cleanup->resource_id = MemoryContextStrdup(own, resource_id);
	cleanup->waits = waits;
	cleanup->consolidated = hash_create("backups made full", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	return cleanup;
}

void
bk_cleanup_end(BkCleanup *cleanup)
{
	bk_memory_delete(cleanup->memory);
}

const BkPlan *
bk_cleanup_plan(const BkCleanup *cleanup)
{
	return cleanup->plan;
}

bool
bk_cleanup_has_consolidated(const BkCleanup *cleanup, int64 backup_id)
{
	return hash_search(cleanup->consolidated, &backup_id, HASH_FIND, NULL) != NULL;
}

/* Somebody who asks is told, and takes what he asks for; clean-up on its own takes what it may. */
static double
max_fraction(const BkCleanup *cleanup)
{
	return cleanup->waits ? 1.0 : bk_setting_cleanup_max_fraction;
}

/* Plan, in a view. */
static void
make_plan(BkCleanup *cleanup, const BkResource *resource)
{
	MemoryContext outer;

	if (cleanup->plan_memory)
		bk_memory_delete(cleanup->plan_memory);
	cleanup->plan = NULL;
	cleanup->plan_memory = bk_memory_new(cleanup->memory, "backup_service retention plan");
	outer = MemoryContextSwitchTo(cleanup->plan_memory);
	cleanup->plan = palloc(sizeof(BkPlan));
	bk_plan_make(resource, bk_now(), max_fraction(cleanup), cleanup->plan);
	cleanup->next = cleanup->plan->timeline.count;
	MemoryContextSwitchTo(outer);
}

/* Is there anything to do, be it to take back that clean-up has stopped? */
static bool
has_work(const BkCleanup *cleanup, const BkResource *resource)
{
	if (resource->cleanup_stopped_at != 0)
		return cleanup->waits;
	return resource->cleanup_removed != 0
		|| cleanup->plan->waiting > 0
		|| bk_plan_count(cleanup->plan, BK_FATE_EXPIRE) > 0;
}

/* Plan before the lock is taken: mostly there is nothing to do. */
static bool
look(BkCleanupStep *step)
{
	BkCleanup  *cleanup = step->cleanup;
	BkResource	resource;
	bool		worth;

	if (cleanup->plan)
		return true;
	bk_view_open();
	worth = bk_resource_find(cleanup->resource_id, &resource) && !resource.dropped;
	if (worth)
	{
		make_plan(cleanup, &resource);
		worth = has_work(cleanup, &resource);
	}
	bk_view_close();
	return worth;
}

static void
activate(void *argument)
{
	bk_keys_activate(argument);
}

/*
 * Have the master key, where something is to be made full; a key command may take long, so this comes before the
 * lock where it can.
 */
static void
have_key(BkCleanupStep *step)
{
	ErrorData  *error;
	BkKeys	   *keys;

	if (step->keys || bk_plan_count(step->cleanup->plan, BK_FATE_CONSOLIDATE) == 0)
		return;
	if (*step->budget->key_missing)
		return;
	keys = bk_keys_open(step->call);
	if (bk_try(activate, keys, bk_is_key_problem, &error))
	{
		step->keys = keys;
		return;
	}
	*step->budget->key_missing = true;
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("retention leaves backups in place that others build on, since these cannot be made full"),
			 errdetail("%s", error->message),
			 errhint("Bring the master key back; what is left goes when clean-up runs next.")));
}

static bool
lock(BkCleanupStep *step)
{
	BkCleanup  *cleanup = step->cleanup;

	if (cleanup->waits)
		bk_find_resource_to_change(step->call, cleanup->resource_id, &step->resource);
	else if (!bk_resource_try_lock(cleanup->resource_id, &step->resource))
		return false;
	return !step->resource.dropped;
}

/* Nothing has changed since the plan was made; the resource is locked. */
static bool
plan_holds(const BkCleanupStep *step)
{
	const BkPlan *plan = step->cleanup->plan;

	return plan->audit_number == step->resource.audit_number
		&& bk_plan_has_policy(plan)
		&& !bk_timeline_is_read(plan->resource_id);
}

/* Plan anew under the lock, where need be. */
static void
confirm_plan(BkCleanupStep *step, bool anew)
{
	bk_view_open();
	if (anew || !plan_holds(step))
		make_plan(step->cleanup, &step->resource);
	bk_view_close();
	have_key(step);
}

void
bk_cleanup_touch(BkCleanupStep *step)
{
	bk_resource_touch(&step->resource, step->bytes_stored);
	step->bytes_stored = 0;
}

/* The newest points that expire, as many as a step may remove. */
static int
collect_doomed(BkCleanupStep *step, int64 *ids, int *points)
{
	BkCleanup  *cleanup = step->cleanup;
	const BkPlan *plan = cleanup->plan;
	int64		bytes = 0;
	int			count = 0;

	while (cleanup->next > 0 && count < step->budget->removals && bytes < step->budget->bytes)
	{
		int			i = --cleanup->next;

		if (plan->fates[i] != BK_FATE_EXPIRE)
			continue;
		ids[count] = plan->timeline.points[i].backup_id;
		points[count++] = i;
		bytes += plan->timeline.stored_sizes[i];
	}
	return count;
}

static Jsonb *
describe(const BkPlan *plan, int point)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_text(&json, "policy", plan->rules ? plan->policy.name : NULL);
	bk_json_add_text(&json, "reason", bk_retention_why_not(plan->rules, &plan->timeline.points[point]));
	bk_json_end(&json);
	return bk_json_value(&json);
}

static void
record_removal(BkCleanupStep *step, int64 backup_id, int point)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service expiry");
	MemoryContext outer = MemoryContextSwitchTo(memory);

	bk_audit_removed(step->call, &step->resource, "expire", backup_id, describe(step->cleanup->plan, point));
	bk_notice_add(BK_NOTICE_EXPIRED, step->resource.resource_id, backup_id, 0);
	MemoryContextSwitchTo(outer);
	bk_memory_delete(memory);
	CHECK_FOR_INTERRUPTS();
}

/* Remove the next ones. */
static void
remove_points(BkCleanupStep *step)
{
	const char *resource_id = step->resource.resource_id;
	int			most = Min(step->budget->removals, step->cleanup->next);
	int64	   *ids = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int64) * Max(most, 1));
	int		   *points = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int) * Max(most, 1));

	step->removed = collect_doomed(step, ids, points);
	if (step->removed == 0)
		return;
	bk_snapshot_bury(resource_id, ids, step->removed, bk_now());
	bk_backup_delete(resource_id, ids, step->removed);
	bk_point("cleanup-removing");
	for (int i = 0; i < step->removed; i++)
		record_removal(step, ids[i], points[i]);
}

static bool
all_removed(const BkCleanup *cleanup)
{
	for (int i = 0; i < cleanup->next; i++)
		if (cleanup->plan->fates[i] == BK_FATE_EXPIRE)
			return false;
	return true;
}

static void
warn_of_stop(const BkCleanupStep *step)
{
	const BkPlan *plan = step->cleanup->plan;
	int			removed = step->resource.cleanup_removed + step->removed;

	ereport(WARNING,
			(errmsg("clean-up of resource \"%s\" has stopped", plan->resource_id),
			 errdetail("backup_service.cleanup_max_fraction lets %g of a resource's backups go in one run:"
					   " %d went, %d more are to go.", bk_setting_cleanup_max_fraction, removed, plan->waiting),
			 errhint("Look at bk_prune(%s, dry_run => true); bk_prune() without dry_run lets them go.",
					 quote_literal_cstr(plan->resource_id))));
}

/* Write down how far it has come. */
static void
note_progress(BkCleanupStep *step, bool done)
{
	const BkResource *resource = &step->resource;
	bool		stops = done && step->cleanup->plan->waiting > 0;
	int32		removed = done || step->cleanup->waits ? 0 : resource->cleanup_removed + step->removed;

	if (stops)
		warn_of_stop(step);
	if (stops || removed != resource->cleanup_removed || (done && resource->cleanup_stopped_at != 0))
		bk_resource_set_cleanup(resource->resource_id, removed, stops ? bk_now() : 0);
	if (resource->audit_number != step->cleanup->plan->audit_number)
		bk_cleanup_touch(step);
	step->cleanup->plan->audit_number = resource->audit_number;
}

/* The work of a step, with the resource locked. */
static bool
work(BkCleanupStep *step)
{
	BkProgress	progress;
	bool		done;

	confirm_plan(step, false);
	while ((progress = bk_survivors_make_full(step)) == BK_PLAN_IS_OFF)
		confirm_plan(step, true);
	if (progress == BK_ALL_DONE)
		remove_points(step);
	done = progress == BK_ALL_DONE && all_removed(step->cleanup);
	note_progress(step, done);
	return !done;
}

bool
bk_cleanup_step(BkCleanup *cleanup, const BkCall *call, const BkBudget *budget)
{
	BkCleanupStep step = {
		.cleanup = cleanup,
		.call = call,
		.budget = budget,
		.deadline = GetCurrentTimestamp() + budget->milliseconds * INT64CONST(1000),
	};

	if (!look(&step))
		return false;
	have_key(&step);
	return lock(&step) && work(&step);
}
