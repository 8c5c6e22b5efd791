/*
 * spawn.c
 *		Background worker registrations; what they run is in src/worker.
 */
#include "service/spawn.h"

#include "service/roster.h"
#include "storage/latch.h"
#include "utils/wait_event.h"

/* The launcher comes back that long after an error, or after somebody has ended it. */
#define LAUNCHER_RESTART_SECONDS	1

#define CONNECTION_STEP_MS	10

/* On a standby neither is started before its promotion. */
static void
describe(BackgroundWorker *process, const char *type, const char *function)
{
	memset(process, 0, sizeof(*process));
	process->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	process->bgw_start_time = BgWorkerStart_RecoveryFinished;
	strlcpy(process->bgw_library_name, "backup_service", sizeof(process->bgw_library_name));
	strlcpy(process->bgw_function_name, function, sizeof(process->bgw_function_name));
	strlcpy(process->bgw_type, type, sizeof(process->bgw_type));
	strlcpy(process->bgw_name, type, sizeof(process->bgw_name));
}

void
bk_spawn_launcher(void)
{
	BackgroundWorker launcher;

	describe(&launcher, "backup_service launcher", "bk_launcher_main");
	launcher.bgw_restart_time = LAUNCHER_RESTART_SECONDS;
	RegisterBackgroundWorker(&launcher);
}

/* Start a process for a database; its main function finds the number in bgw_extra. */
static bool
spawn(const char *type, const char *function, Oid database, int number, BackgroundWorkerHandle **handle)
{
	BackgroundWorker process;

	describe(&process, type, function);
	snprintf(process.bgw_name, sizeof(process.bgw_name), "%s for database %u", type, database);
	process.bgw_restart_time = BGW_NEVER_RESTART;
	process.bgw_main_arg = ObjectIdGetDatum(database);
	memcpy(process.bgw_extra, &number, sizeof(number));
	process.bgw_notify_pid = MyProcPid;
	return RegisterDynamicBackgroundWorker(&process, handle);
}

bool
bk_spawn_worker(Oid database, BkWorkerKind kind, BackgroundWorkerHandle **handle)
{
	return spawn("backup_service worker", "bk_worker_main", database, kind, handle);
}

bool
bk_spawn_restorer(Oid database, int number, BackgroundWorkerHandle **handle)
{
	return spawn("backup_service restorer", "bk_restorer_main", database, number, handle);
}

/* Refuse where a worker is there, or cannot be. */
static void
check_can_start(void)
{
	int			pid;

	if (bk_roster_is_preloaded())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("workers are started by the launcher here"),
				 errdetail("backup_service is in shared_preload_libraries."),
				 errhint("Nothing needs to be started; backup_service.databases says which databases the launcher serves.")));
	if (!bk_roster_attach())
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("the server has no shared memory left for a worker"),
				 errhint("Add backup_service to shared_preload_libraries and restart the server.")));
	pid = bk_roster_worker_pid(MyDatabaseId);
	if (pid != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("a worker of this database is running"),
				 errdetail("It is process %d.", pid),
				 errhint("To start another one, end that one with pg_terminate_backend(%d).", pid)));
}

/* Wait until the worker can be seen in pg_stat_activity; returns its process's id, 0 where it has ended. */
static int
wait_for_connection(BackgroundWorkerHandle *handle)
{
	pid_t		pid;
	BgwHandleStatus status = WaitForBackgroundWorkerStartup(handle, &pid);

	while (status == BGWH_STARTED && !bk_roster_worker_is_connected(MyDatabaseId))
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, CONNECTION_STEP_MS, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		status = GetBackgroundWorkerPid(handle, &pid);
	}
	return status == BGWH_STARTED ? (int) pid : 0;
}

int
bk_spawn_worker_here(void)
{
	BackgroundWorkerHandle *handle;
	int			pid;

	check_can_start();
	if (!bk_spawn_worker(MyDatabaseId, BK_WORKER_BY_HAND, &handle))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("no background worker slot is free"),
				 errhint("Raise max_worker_processes and restart the server.")));
	pid = wait_for_connection(handle);
	if (pid == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_RESOURCES),
				 errmsg("the worker did not start"),
				 errhint("The server's log says why.")));
	return pid;
}
