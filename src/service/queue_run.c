/*
 * queue_run.c
 *		One restore after the other, step by step.
 */
#include "service/queue_run.h"

#include "service/clock.h"
#include "service/point.h"
#include "service/queue_claim.h"
#include "service/queue_lock.h"
#include "service/queue_work.h"
#include "settings.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* How long what other sessions have locked is left alone. */
#define PAUSE_MS	250

/* What has waited for less is done by the one that is at work sooner than by a new process. */
#define WAITED_MS	100

/* The operation that this process is at work on; NULL for none. */
static BkRun *current;

/* When it looks again at what it could not have. */
static TimestampTz paused_until = DT_NOBEGIN;

TimestampTz
bk_queue_run_due(TimestampTz now)
{
	TimestampTz due = now;

	if (current == NULL)
	{
		bk_view_open();
		if (!bk_queue_has_orphans())
			due = bk_queue_next_due();
		bk_view_close();
	}
	return due == DT_NOEND ? due : Max(due, paused_until);
}

/* Whatever became of it, this process has no more to do with it. */
static void
leave(void)
{
	bk_point("restore-ended");
	bk_queue_lock_release();
	bk_memory_delete(current->memory);
	current = NULL;
}

/* Find something to do; false where there is nothing that can be had. */
static bool
begin(const BkCall *call, TimestampTz now)
{
	BkMemory	memory;
	bool		failed;

	/* What an error has left behind. */
	bk_queue_lock_release();
	bk_queue_adopt_orphans(call, now);
	memory = bk_memory_new(call->memory, "backup_service queued restore");
	current = bk_queue_claim(call, memory, now, &failed);
	if (current != NULL)
		MemoryContextSetParent(memory, TopMemoryContext);
	return current != NULL || failed;
}

bool
bk_queue_run_step(const BkCall *call, TimestampTz now)
{
	bool		went_on;

	/* A run that has ended in a transaction that was not committed is an orphan now. */
	if (current != NULL && current->ended)
		leave();
	went_on = current ? bk_queue_work(call, current, now) : begin(call, now);
	if (!went_on)
		paused_until = now + PAUSE_MS * INT64CONST(1000);
	return went_on;
}

bool
bk_queue_run_is_busy(void)
{
	return current != NULL;
}

bool
bk_queue_run_wants_help(void)
{
	BkQueued   *running;
	bool		wanted;

	if (current == NULL || bk_setting_max_restore_workers == 1)
		return false;
	bk_view_open();
	wanted = bk_queue_next_due() <= bk_now() - WAITED_MS * INT64CONST(1000)
		&& bk_queue_find_running(bk_setting_max_restore_workers, &running) < bk_setting_max_restore_workers;
	bk_view_close();
	return wanted;
}
