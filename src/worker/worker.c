/*
 * worker.c
 *		A database's worker: runs jobs when they are due or somebody wakes it, and
 *		rests on its latch in between, without a transaction.
 */
#include "worker/worker.h"

#include "access/xact.h"
#include "commands/dbcommands.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "service/clock.h"
#include "service/spawn.h"
#include "settings.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "worker/batch.h"
#include "worker/claim.h"
#include "worker/databases.h"
#include "worker/session.h"

/* Wake-ups that follow each other faster are answered together. */
#define GATHER_MS	20

typedef struct Worker
{
	/* info */
	BkWorkerKind kind;
	char	   *database;		/* its name */

	/* variables */
	BkJobState	look;			/* for the extension; DT_NOEND: it is there and fits */
	bool		fits;			/* the library has fitted the SQL before */
	bool		refused;		/* it does not, and a new process shall try when look is due */
	TimestampTz asked_at;		/* when somebody last woke the worker */
	TimestampTz busy_at;		/* when there was last something to do */
} Worker;

/* During a job SIGTERM ends the process as it ends any backend; at rest it ends without a word. */
static volatile sig_atomic_t in_job = true;

static void
on_sigterm(SIGNAL_ARGS)
{
	ShutdownRequestPending = true;
	if (in_job)
		die(postgres_signal_arg);
	else
		SetLatch(MyLatch);
}

static BkOutcome
run(const BkJob *job, BkJobState *state)
{
	BkOutcome	outcome = BK_ASKED;

	in_job = true;
	/* A signal that came before is seen here, one that comes now ends the job. */
	if (!ShutdownRequestPending)
		outcome = bk_batch_run(job, state);
	in_job = false;
	return outcome;
}

/* Look again, and ask every job that does not wait after an error; all: those too. */
static void
ask_jobs(Worker *worker, bool all)
{
	BkJobState *states = bk_claim_jobs();

	if (!worker->refused)
		worker->look.due = DT_NOBEGIN;
	for (int i = 0; i < bk_job_count(); i++)
		if (all || states[i].failures == 0)
			states[i].due = DT_NOBEGIN;
}

static TimestampTz
gather_until(const Worker *worker)
{
	return worker->asked_at + GATHER_MS * INT64CONST(1000);
}

/* Answer a wake-up, where the last one is long enough ago. */
static void
take_wake(Worker *worker)
{
	TimestampTz now = bk_now();

	/* The clock may have been put back. */
	if (now >= worker->asked_at && now < gather_until(worker))
		return;
	if (!bk_claim_take_wake())
		return;
	worker->asked_at = worker->busy_at = now;
	ask_jobs(worker, false);
}

static BkEnding
reload(Worker *worker)
{
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
	if (worker->kind == BK_WORKER_LAUNCHED && !bk_database_is_listed(worker->database))
		return BK_END_GONE;
	/* What made a job fail may have been put right. */
	ask_jobs(worker, true);
	return BK_GO_ON;
}

/* What signals and statements want. */
static BkEnding
obey(Worker *worker)
{
	if (ShutdownRequestPending)
		return BK_END_STOPPED;
	bk_session_serve_interrupts();
	if (worker->kind == BK_WORKER_LAUNCHED && bk_claim_take_leave())
		return BK_END_LEAVE;
	return ConfigReloadPending ? reload(worker) : BK_GO_ON;
}

/*
 * The extension's SQL is of another version than this library.  A library whose file
 * was replaced stays as it was in this process, and may be right in a new one.
 */
static BkEnding
refuse_version(Worker *worker)
{
	if (worker->fits)
		return BK_END_RENEW;
	if (bk_claim_complain_once())
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("library version %s of backup_service cannot serve version %s of the extension in database \"%s\"",
						BK_VERSION, bk_batch_sql_version(), worker->database),
				 errhint("Run ALTER EXTENSION backup_service UPDATE there; where that has been done, restart the server.")));
	if (worker->kind == BK_WORKER_LAUNCHED)
		return BK_END_FAILED;
	worker->refused = true;
	worker->look.due = bk_retry_time(bk_now(), bk_claim_note_failure());
	return BK_GO_ON;
}

/* Whether the extension is there, and fits. */
static BkEnding
look(Worker *worker)
{
	if (worker->refused)
		return BK_END_RENEW;
	switch (run(NULL, &worker->look))
	{
		case BK_NO_EXTENSION:
			return BK_END_GONE;
		case BK_OTHER_VERSION:
			return refuse_version(worker);
		case BK_RAN:
			if (!worker->fits)
				bk_claim_note_seen();
			worker->fits = true;
			return BK_GO_ON;
		default:
			return BK_GO_ON;
	}
}

/* Run one batch of each job that is due; returns when the next one is. */
static TimestampTz
run_jobs(Worker *worker)
{
	BkJobState *states = bk_claim_jobs();
	TimestampTz due = DT_NOEND;

	for (int i = 0; i < bk_job_count(); i++)
	{
		BkOutcome	outcome = BK_ASKED;

		if (states[i].due <= bk_now())
			outcome = run(bk_job(i), &states[i]);
		if (outcome == BK_RAN)
			worker->busy_at = bk_now();
		if (outcome == BK_NO_EXTENSION || outcome == BK_OTHER_VERSION)
			return worker->look.due = DT_NOBEGIN;
		due = Min(due, states[i].due);
	}
	return due;
}

/* Nothing is to be done before a time.  Sleep until then, or end where that is not worth a process. */
static BkEnding
rest(Worker *worker, TimestampTz due)
{
	TimestampTz stay_until = worker->busy_at + bk_setting_worker_idle_timeout * USECS_PER_SEC;
	TimestampTz now = bk_now();

	if (worker->kind == BK_WORKER_LAUNCHED)
	{
		if (now >= stay_until || bk_claim_is_crowded())
			return BK_END_IDLE;
		due = Min(due, stay_until);
	}
	if (now < gather_until(worker))
		due = Min(due, gather_until(worker));
	bk_session_rest(due);
	return BK_GO_ON;
}

/* One turn of the worker's life. */
static BkEnding
turn(Worker *worker)
{
	BkEnding	ending = obey(worker);
	TimestampTz due;

	if (ending != BK_GO_ON)
		return ending;
	take_wake(worker);
	if (worker->look.due <= bk_now())
		ending = look(worker);
	if (ending != BK_GO_ON)
		return ending;
	due = worker->look.due;
	if (due == DT_NOEND)
		due = run_jobs(worker);
	return due <= bk_now() ? BK_GO_ON : rest(worker, due);
}

/* Until there is a reason to end, and nobody has woken the worker meanwhile. */
static BkEnding
serve(Worker *worker)
{
	BkEnding	ending;

	do
	{
		ending = turn(worker);
	} while (ending == BK_GO_ON || !bk_claim_release(ending));
	return ending;
}

/* The name of the database, for messages and for backup_service.databases. */
static char *
database_name(void)
{
	char	   *name;

	StartTransactionCommand();
	name = get_database_name(MyDatabaseId);
	name = MemoryContextStrdup(TopMemoryContext, name ? name : "");
	CommitTransactionCommand();
	return name;
}

/* The launcher sees to what comes after its workers; one by hand does so itself. */
static void
end(Worker *worker, BkEnding ending)
{
	BackgroundWorkerHandle *handle;

	if (worker->kind == BK_WORKER_LAUNCHED)
		return;
	if (ending == BK_END_GONE)
		ereport(LOG,
				(errmsg("the worker of database \"%s\" ends, which does not have the extension backup_service", worker->database)));
	if (ending == BK_END_RENEW && !bk_spawn_worker(MyDatabaseId, BK_WORKER_BY_HAND, &handle))
		ereport(WARNING,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("no background worker slot is free to go on in a new process for database \"%s\"", worker->database),
				 errhint("Call bk_worker_start() there.")));
}

void
bk_worker_main(Datum argument)
{
	Oid			database = DatumGetObjectId(argument);
	Worker		worker = {
		.look.due = DT_NOBEGIN,
		.asked_at = DT_NOBEGIN,
		.busy_at = DT_NOBEGIN,
	};

	memcpy(&worker.kind, MyBgworkerEntry->bgw_extra, sizeof(worker.kind));
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, on_sigterm);
	BackgroundWorkerUnblockSignals();
	if (!bk_roster_attach() || !bk_claim_database(database, bk_job_count()))
	{
		ereport(LOG, (errmsg("another worker of backup_service serves database %u, or there is no room for it", database)));
		proc_exit(0);
	}

	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	bk_session_begin("backup_service worker");
	worker.database = database_name();
	bk_batch_begin(worker.database);
	in_job = false;
	MemoryContextSwitchTo(TopMemoryContext);
	bk_claim_note_connected();
	end(&worker, serve(&worker));
	proc_exit(0);
}
