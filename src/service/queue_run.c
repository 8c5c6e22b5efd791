/*
 * queue_run.c
 *		One restore after the other, step by step.
 */
#include "service/queue_run.h"

#include "service/queue_claim.h"
#include "service/queue_lock.h"
#include "service/queue_work.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* The operation that this process is at work on; NULL for none. */
static BkRun *current;

TimestampTz
bk_queue_run_due(TimestampTz now)
{
	TimestampTz due;

	if (current != NULL)
		return now;
	bk_view_open();
	due = bk_queue_has_orphans() ? now : bk_queue_next_due();
	bk_view_close();
	return due;
}

/* Whatever became of it, this process has no more to do with it. */
static void
leave(void)
{
	bk_queue_lock_release(current->operation.operation_id);
	bk_memory_delete(current->memory);
	current = NULL;
}

/* Find something to do. */
static bool
begin(const BkCall *call, TimestampTz now)
{
	BkMemory	memory;
	bool		failed;

	bk_queue_adopt_orphans(call, now);
	memory = bk_memory_new(TopMemoryContext, "backup_service queued restore");
	current = bk_queue_claim(call, memory, now, &failed);
	if (current == NULL)
		bk_memory_delete(memory);
	return current != NULL || failed;
}

bool
bk_queue_run_step(const BkCall *call, TimestampTz now)
{
	/* A run that has ended in a transaction that was not committed is an orphan now. */
	if (current != NULL && current->ended)
		leave();
	if (current == NULL)
		return begin(call, now);
	bk_queue_work(call, current, now);
	return true;
}
