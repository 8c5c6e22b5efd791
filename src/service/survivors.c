/*
 * survivors.c
 *		Making full what is kept when its base goes, and what comes of damage that is found
 *		on the way.
 */
#include "service/cleanup_step.h"

#include "service/chain.h"
#include "service/clock.h"
#include "service/consolidate.h"
#include "service/find.h"
#include "service/finding.h"
#include "service/point.h"
#include "service/try.h"
#include "utils/timestamp.h"

static bool
is_over(const BkCleanupStep *step)
{
	return GetCurrentTimestamp() >= step->deadline;
}

/* One backup to be made full, for bk_try(). */
typedef struct Consolidation
{
	BkCleanupStep *step;
	int64		backup_id;
	int64		base_id;
} Consolidation;

static void
consolidate(void *argument)
{
	Consolidation *consolidation = argument;
	BkCleanupStep *step = consolidation->step;
	BkBackup	backup;

	bk_view_open();
	if (!bk_backup_find(step->resource.resource_id, consolidation->backup_id, &backup))
		bk_no_such_backup(consolidation->backup_id);
	bk_view_close();
	step->bytes_stored += bk_consolidate_locked(step->call, step->keys, &step->resource, &backup,
												consolidation->base_id);
}

/* Damage, or the key of a version. */
static bool
is_expected(const ErrorData *error)
{
	return bk_is_damage(error) || bk_is_key_problem(error);
}

/* A chain that is read from its beginning, for bk_try(). */
typedef struct Reading
{
	BkState    *state;
	BkBackup	backup;
} Reading;

static void
read_document(void *argument)
{
	Reading    *reading = argument;

	bk_state_go_to(reading->state, &reading->backup);
	(void) bk_state_text(reading->state, true);
}

/* Of a chain that ends in damage, the backup where it begins: what is older is sound, and may have to take its place. */
static void
find_damage(BkCleanupStep *step, int point, Reading *reading, ErrorData **error)
{
	const BkPlan *plan = step->cleanup->plan;
	const char *resource_id = step->resource.resource_id;
	List	   *chain = NIL;
	ListCell   *cell;

	reading->state = bk_state_open(step->keys, CurrentMemoryContext);
	for (int i = point; i >= 0; i = plan->bases[i])
		chain = lcons_int(i, chain);
	bk_view_open();
	foreach(cell, chain)
	{
		int64		backup_id = plan->timeline.points[lfirst_int(cell)].backup_id;
		ErrorData  *damage;

		if (!bk_backup_find(resource_id, backup_id, &reading->backup))
			bk_no_such_backup(backup_id);
		if (!bk_try(read_document, reading, bk_is_damage, &damage))
		{
			*error = damage;
			break;
		}
	}
	bk_view_close();
}

/* What cannot be restored, because it or what it builds on is damaged, is corrupt. */
static void
mark_corrupt(BkCleanupStep *step, int point, ErrorData *error)
{
	Reading		reading;
	BkFinding	finding;

	find_damage(step, point, &reading, &error);
	bk_cleanup_touch(step);
	(void) bk_finding_note_damage(step->call, &reading.backup, bk_error_text(error), bk_now(), &finding);
	if (!bk_resource_lock(step->resource.resource_id, &step->resource))
		elog(ERROR, "the locked row of resource \"%s\" is gone", step->resource.resource_id);
}

static void
warn_of_failure(int64 backup_id, const ErrorData *error)
{
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("backup " INT64_FORMAT " cannot be made full, so what it builds on stays", backup_id),
			 errdetail("%s", bk_error_text(error)),
			 bk_is_damage(error)
			 ? errhint("It is marked as corrupt: bk_verify() says more, and bk_delete() removes it.")
			 : errhint("Bring the master key back; what is left goes when clean-up runs next.")));
}

/* Make one point full.  False where that was not to be, and the plan with it. */
static bool
consolidate_point(BkCleanupStep *step, int point)
{
	BkPlan	   *plan = step->cleanup->plan;
	BkResource	before = step->resource;
	int64		bytes_before = step->bytes_stored;
	Consolidation consolidation = {
		.step = step,
		.backup_id = plan->timeline.points[point].backup_id,
		.base_id = plan->timeline.points[point].base_id,
	};
	ErrorData  *error;

	if (step->keys == NULL)
	{
		bk_plan_keep_bases(plan, point);
		return true;
	}
	if (bk_try(consolidate, &consolidation, is_expected, &error))
	{
		(void) hash_search(step->cleanup->consolidated, &consolidation.backup_id, HASH_ENTER, NULL);
		plan->timeline.points[point].base_id = 0;
		return true;
	}
	/* What the subtransaction did to the chain of events is undone. */
	step->resource = before;
	step->bytes_stored = bytes_before;
	warn_of_failure(consolidation.backup_id, error);
	bk_plan_keep_bases(plan, point);
	if (!bk_is_damage(error))
		return true;
	mark_corrupt(step, point, error);
	return false;
}

BkProgress
bk_survivors_make_full(BkCleanupStep *step)
{
	BkPlan	   *plan = step->cleanup->plan;
	bool		begun = false;

	for (int i = 0; i < plan->timeline.count; i++)
	{
		if (!bk_plan_must_consolidate(plan, i))
			continue;
		if (begun && is_over(step))
			return BK_TIME_IS_OVER;
		begun = true;
		if (!consolidate_point(step, i))
			return BK_PLAN_IS_OFF;
		bk_point("cleanup-consolidating");
		CHECK_FOR_INTERRUPTS();
	}
	return BK_ALL_DONE;
}
