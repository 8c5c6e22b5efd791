/*
 * helpers.c
 *		Starting restorers and noticing their end.
 */
#include "common/common.h"
#include "worker/helpers.h"

#include "miscadmin.h"
#include "service/clock.h"
#include "service/spawn.h"
#include "settings.h"
#include "utils/memutils.h"
#include "worker/claim.h"

/* One that has found nothing that it can do is not followed by another one at once. */
#define PAUSE_SECONDS	1

typedef struct Helper
{
	BackgroundWorkerHandle *handle; /* NULL where none runs */
	TimestampTz not_before;		/* no other is started in its place */
} Helper;

/* By number, from 1. */
static Helper helpers[BK_MAX_RESTORE_WORKERS];

static bool
is_running(Helper *helper)
{
	pid_t		pid;

	if (helper->handle == NULL)
		return false;
	if (GetBackgroundWorkerPid(helper->handle, &pid) != BGWH_STOPPED)
		return true;
	pfree(helper->handle);
	helper->handle = NULL;
	return false;
}

static void
start(Helper *helper, int number)
{
	MemoryContext memory = MemoryContextSwitchTo(TopMemoryContext);

	if (!bk_spawn_restorer(MyDatabaseId, number, &helper->handle))
		helper->handle = NULL;
	helper->not_before = bk_now() + PAUSE_SECONDS * USECS_PER_SEC;
	MemoryContextSwitchTo(memory);
}

/* Where no slot is free, the worker does alone what is to be done. */
void
bk_helpers_add(void)
{
	TimestampTz now = bk_now();

	if (bk_claim_is_crowded())
		return;
	for (int number = 1; number < bk_setting_max_restore_workers; number++)
		if (!is_running(&helpers[number]) && helpers[number].not_before <= now)
		{
			start(&helpers[number], number);
			return;
		}
}
