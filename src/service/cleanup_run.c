/*
 * cleanup_run.c
 *		The walk of a run over the resources.
 */
#include "service/cleanup_run.h"

#include "catalog/job.h"
#include "service/cleanup.h"
#include "service/try.h"
#include "settings.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define JOB_NAME		"cleanup"

/* How many resources are read at a time. */
#define PAGE			1000

/* What one transaction does at most, since writers of the resources that it has locked wait for its end. */
#define BATCH_MS		50
#define BATCH_REMOVALS	1000
#define BATCH_BYTES		(32 * 1024 * 1024)

typedef struct Run
{
	/* info */
	BkMemory	memory;

	/* variables */
	BkMemory	page_memory;	/* of the page */
	BkResourceEntry *page;
	int			count;
	int			next;
	BkCleanup  *cleanup;		/* of the resource that is being cleaned up; NULL between two */
	bool		key_missing;	/* for this run */
} Run;

/* What this process is at; NULL between runs. */
static Run *run;

TimestampTz
bk_cleanup_run_due(TimestampTz now)
{
	TimestampTz last;
	bool		found;

	if (bk_setting_cleanup_interval == 0)
		return DT_NOEND;
	if (run)
		return now;
	bk_view_open();
	found = bk_job_last_run(JOB_NAME, &last);
	bk_view_close();
	return found ? last + bk_setting_cleanup_interval * USECS_PER_SEC : now;
}

static void
begin_run(TimestampTz now)
{
	BkMemory	memory = bk_memory_new(TopMemoryContext, "backup_service clean-up run");

	bk_job_note_run(JOB_NAME, now);
	run = bk_alloc_zero(memory, sizeof(Run));
	run->memory = memory;
}

static void
end_run(void)
{
	bk_memory_delete(run->memory);
	run = NULL;
}

/* The resources after those that were visited; false where there are none. */
static bool
turn_page(TimestampTz now)
{
	BkMemory	memory = bk_memory_new(run->memory, "backup_service clean-up page");
	MemoryContext outer = MemoryContextSwitchTo(memory);
	const char *after = run->count == 0 ? "" : run->page[run->count - 1].resource_id;

	bk_view_open();
	run->count = bk_resource_find_after(after, now, PAGE, &run->page);
	bk_view_close();
	run->next = 0;
	MemoryContextSwitchTo(outer);
	if (run->page_memory)
		bk_memory_delete(run->page_memory);
	run->page_memory = memory;
	return run->count > 0;
}

/* Go to the next resource that may have something to clean up; false where there is none. */
static bool
go_on(TimestampTz now)
{
	for (;;)
	{
		while (run->next < run->count)
		{
			const BkResourceEntry *entry = &run->page[run->next++];

			if (!entry->may_expire)
				continue;
			run->cleanup = bk_cleanup_begin(run->memory, entry->resource_id, false);
			return true;
		}
		if (!turn_page(now))
			return false;
	}
}

/* One step, for bk_try(). */
typedef struct Visit
{
	const BkCall *call;
	BkMemory	memory;
	BkBudget	budget;
	bool		more;
} Visit;

static void
take_step(void *argument)
{
	Visit	   *visit = argument;
	MemoryContext outer = MemoryContextSwitchTo(visit->memory);

	visit->more = bk_cleanup_step(run->cleanup, visit->call, &visit->budget);
	MemoryContextSwitchTo(outer);
}

/* One resource's trouble is not the others'; what ends the process, or the query, is everybody's. */
static bool
is_trouble(const ErrorData *error)
{
	return ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_OPERATOR_INTERVENTION;
}

static void
visit_resource(Visit *visit)
{
	ErrorData  *error;

	if (!bk_try(take_step, visit, is_trouble, &error))
	{
		visit->more = false;
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("clean-up leaves resource \"%s\" alone for this time: %s",
						run->page[run->next - 1].resource_id, error->message),
				 error->detail ? errdetail("%s", error->detail) : 0,
				 error->hint ? errhint("%s", error->hint) : 0));
	}
	if (!visit->more)
	{
		bk_cleanup_end(run->cleanup);
		run->cleanup = NULL;
	}
}

bool
bk_cleanup_run_batch(const BkCall *call, TimestampTz now)
{
	TimestampTz started = GetCurrentTimestamp();
	Visit		visit = {.call = call};

	if (run == NULL)
		begin_run(now);
	do
	{
		if (run->cleanup == NULL && !go_on(now))
		{
			end_run();
			return false;
		}
		visit.memory = bk_memory_new(call->memory, "backup_service clean-up step");
		visit.budget = (BkBudget) {
			.removals = BATCH_REMOVALS,
			.bytes = BATCH_BYTES,
			.milliseconds = BATCH_MS,
			.key_missing = &run->key_missing,
		};
		visit_resource(&visit);
		bk_memory_delete(visit.memory);
		/* What is left of a resource is for the next transaction. */
	} while (!visit.more && GetCurrentTimestamp() - started < BATCH_MS * INT64CONST(1000));
	return true;
}
