/*
 * launcher.c
 *		The process that starts a worker for each database when there is work for it.
 *
 * It is connected to no database, holds no transaction but to read pg_database when it
 * is about to start a worker, and sleeps until somebody wakes it or something is due.
 */
#include "worker/worker.h"

#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "service/clock.h"
#include "service/spawn.h"
#include "storage/ipc.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "worker/databases.h"
#include "worker/pick.h"
#include "worker/session.h"

/* Slots that other extensions' workers leave are found that much later; those of ours at once. */
#define CROWDED_RETRY_SECONDS	2

/* That there are too few is not said before ours at rest have had time to end, nor again for that long. */
#define CROWDED_SILENCE_SECONDS	3600

/* A worker that was started and, as far as the launcher knows, runs. */
typedef struct Started
{
	Oid			database;
	int			number;			/* of its start, see pick.h */
	BackgroundWorkerHandle *handle;
} Started;

static List *started;			/* in TopMemoryContext */
static TimestampTz crowded_since;	/* 0: it is not */

/* Which databases are there? */
static void
scan(void)
{
	Oid		   *databases;
	int			count = bk_databases_find(&databases);
	int			left_out = bk_pick_set_databases(databases, count);

	if (left_out > 0)
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("backup_service has no room for %d of %d databases", left_out, count),
				 errhint("Name those that have the extension in backup_service.databases.")));
}

static bool
is_served(Oid database)
{
	Oid		   *databases;
	int			count = bk_databases_find(&databases);

	for (int i = 0; i < count; i++)
		if (databases[i] == database)
			return true;
	return false;
}

/* Forget the workers that have ended; one that never claimed its database has failed. */
static void
forget_ended(void)
{
	ListCell   *cell;

	foreach(cell, started)
	{
		Started    *worker = lfirst(cell);
		pid_t		pid;

		if (GetBackgroundWorkerPid(worker->handle, &pid) != BGWH_STOPPED)
			continue;
		bk_pick_start_over(worker->database, worker->number, true);
		pfree(worker->handle);
		pfree(worker);
		started = foreach_delete_current(started, cell);
	}
}

/* False where no worker slot is free. */
static bool
start(Oid database)
{
	MemoryContext memory = MemoryContextSwitchTo(TopMemoryContext);
	int			number = bk_pick_start(database);
	BackgroundWorkerHandle *handle;
	bool		registered = bk_spawn_worker(database, BK_WORKER_LAUNCHED, &handle);

	if (registered)
	{
		Started    *worker = palloc(sizeof(Started));

		*worker = (Started) {database, number, handle};
		started = lappend(started, worker);
	}
	else
		bk_pick_start_over(database, number, false);
	MemoryContextSwitchTo(memory);
	return registered;
}

static void
warn_of_crowd(void)
{
	static TimestampTz warned_at;
	TimestampTz now = bk_now();

	if (now < crowded_since + CROWDED_RETRY_SECONDS * USECS_PER_SEC
		|| (warned_at != 0 && now < warned_at + CROWDED_SILENCE_SECONDS * USECS_PER_SEC))
		return;
	warned_at = now;
	ereport(WARNING,
			(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
			 errmsg("no background worker slot is free for backup_service"),
			 errdetail("Its work waits until another background worker ends."),
			 errhint("Raise max_worker_processes, which is %d.", max_worker_processes)));
}

/* Databases wait for worker slots, or no longer. */
static void
set_crowded(bool crowded)
{
	if (crowded && crowded_since == 0)
		crowded_since = bk_now();
	if (crowded)
		warn_of_crowd();
	if (crowded || crowded_since != 0)
		bk_pick_set_crowded(crowded);
	if (!crowded)
		crowded_since = 0;
}

/* Start what is due; returns when to come back. */
static TimestampTz
start_workers(void)
{
	TimestampTz due;
	Oid			database;

	while (OidIsValid(database = bk_pick_database(bk_now(), &due)))
	{
		if (!is_served(database))
			bk_pick_exclude(database);
		else if (!start(database))
		{
			set_crowded(true);
			return bk_now() + CROWDED_RETRY_SECONDS * USECS_PER_SEC;
		}
	}
	set_crowded(false);
	return due;
}

static void
reload(void)
{
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	/* backup_service.databases may have changed. */
	bk_roster_rescan();
}

void
bk_launcher_main(Datum argument)
{
	MemoryContext scratch;

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	bk_session_begin("backup_service launcher");
	bk_pick_begin();
	ereport(LOG, (errmsg("backup_service launcher started")));

	scratch = AllocSetContextCreate(TopMemoryContext, "backup_service launcher", ALLOCSET_DEFAULT_SIZES);
	while (!ShutdownRequestPending)
	{
		TimestampTz due;

		MemoryContextSwitchTo(scratch);
		MemoryContextReset(scratch);
		bk_session_serve_interrupts();
		bk_session_report("starting workers");
		if (ConfigReloadPending)
			reload();
		if (bk_pick_take_rescan())
			scan();
		forget_ended();
		due = start_workers();
		bk_session_rest(due);
	}
	/* Not 0, after which the postmaster would not start it again. */
	proc_exit(1);
}
