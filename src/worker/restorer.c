/*
 * restorer.c
 *		A process that does queued restores beside a database's worker, until none is left.
 */
#include "worker/worker.h"

#include "access/xact.h"
#include "commands/dbcommands.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "service/clock.h"
#include "service/queue_run.h"
#include "service/roster_table.h"
#include "settings.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "worker/batch.h"
#include "worker/session.h"

/* From 1: with backup_service.max_restore_workers at or below it, it has no place. */
static int	number;

/* Other databases' work waits for a worker slot, or fewer are wanted now. */
static bool
is_superfluous(void)
{
	return number >= bk_setting_max_restore_workers || bk_roster->crowded;
}

static TimestampTz
next_due(const BkCall *call, TimestampTz now)
{
	return !bk_queue_run_is_busy() && is_superfluous() ? DT_NOEND : bk_queue_run_due(now);
}

static const BkJob job = {
	.name = "restore",
	.next_due = next_due,
	.run_batch = bk_queue_run_step,
};

/* What it has not brought to its end is the worker's again.  Its locks are gone by now. */
static void
at_restorer_exit(int code, Datum database)
{
	bk_roster_wake(DatumGetObjectId(database));
}

static void
connect_to(Oid database)
{
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	bk_session_begin("backup_service restorer");
	StartTransactionCommand();
	bk_batch_begin(MemoryContextStrdup(TopMemoryContext, get_database_name(MyDatabaseId)));
	CommitTransactionCommand();
	MemoryContextSwitchTo(TopMemoryContext);
}

static void
serve(void)
{
	BkJobState	state = {.due = DT_NOBEGIN};

	for (;;)
	{
		BkOutcome	outcome = bk_batch_run(&job, &state);

		if (outcome == BK_NO_EXTENSION || outcome == BK_OTHER_VERSION)
			return;
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		if (state.due <= bk_now())
			continue;
		if (!bk_queue_run_is_busy())
			return;
		bk_session_rest(state.due);
	}
}

void
bk_restorer_main(Datum argument)
{
	memcpy(&number, MyBgworkerEntry->bgw_extra, sizeof(number));
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	if (!bk_roster_attach())
		proc_exit(0);
	/* Before it is connected, so that it runs after the session's locks have been released. */
	before_shmem_exit(at_restorer_exit, argument);
	connect_to(DatumGetObjectId(argument));
	serve();
	proc_exit(0);
}
