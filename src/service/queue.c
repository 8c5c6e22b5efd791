/*
 * queue.c
 *		The restore queue as sessions use it.
 */
#include "service/queue.h"

#include "access/xact.h"
#include "pgstat.h"
#include "service/clock.h"
#include "service/find.h"
#include "service/rights.h"
#include "service/roster.h"
#include "service/wake.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

/*
 * Who waits looks again when it has waited an eighth longer, so that the end is noticed soon however long it took,
 * but within these.
 */
#define MIN_WAIT_MS	2
#define MAX_WAIT_MS	100

/* The operations that this transaction has asked for, which begin when it has committed. */
static struct
{
	int64	   *ids;			/* NULL: none; in the transaction's memory, as the next */
	MemoryContextCallback callback;
	int			count;
} asked;

static void
forget_asked(void *argument)
{
	asked.ids = NULL;
	asked.count = 0;
}

static void
note_asked(int64 operation_id)
{
	if (asked.ids == NULL)
	{
		asked.ids = MemoryContextAlloc(TopTransactionContext, sizeof(int64));
		asked.callback.func = forget_asked;
		MemoryContextRegisterResetCallback(TopTransactionContext, &asked.callback);
	}
	else
		asked.ids = repalloc_huge(asked.ids, sizeof(int64) * (asked.count + 1));
	asked.ids[asked.count++] = operation_id;
}

static bool
was_asked_here(int64 operation_id)
{
	for (int i = 0; i < asked.count; i++)
		if (asked.ids[i] == operation_id)
			return true;
	return false;
}

/* Rights on the target are needed when the restore is asked for, and again when it is done. */
static void
check_target(const BkCall *call, const char *target)
{
	BkResource	resource;
	bool		found;

	bk_view_open();
	found = bk_resource_find(target, &resource);
	bk_view_close();
	if (found && !resource.dropped)
		bk_check_writable(call, &resource);
}

static int64
enqueue(const BkCall *call, const BkRestoreRequest *request, const BkBackup *backup)
{
	BkQueued	operation = {
		.resource_id = backup->resource_id,
		.backup_id = backup->backup_id,
		.target_resource_id = request->target_resource_id ? request->target_resource_id : backup->resource_id,
		.type = backup->type,
		.validate = request->validate,
		.role = call->role_name,
		.created_by = request->created_by ? request->created_by : call->role_name,
		.created_at = bk_now(),
	};
	int64		operation_id;

	check_target(call, operation.target_resource_id);
	operation_id = bk_queue_insert(&operation);
	note_asked(operation_id);
	bk_wake_worker();
	return operation_id;
}

int64
bk_enqueue_restore(const BkCall *call, const BkRestoreRequest *request, int64 backup_id, const char *resource_id)
{
	BkBackup	backup;

	bk_view_open();
	bk_find_backup(call, backup_id, resource_id, &backup);
	bk_view_close();
	return enqueue(call, request, &backup);
}

int64
bk_enqueue_restore_at(const BkCall *call, const BkRestoreRequest *request,
					  const char *resource_id, TimestampTz at, bool nearest)
{
	BkBackup	backup;

	bk_view_open();
	bk_find_backup_at(call, resource_id, at, nearest, &backup);
	bk_view_close();
	return enqueue(call, request, &backup);
}

BK_NORETURN static void
no_such_operation(int64 operation_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("operation " INT64_FORMAT " does not exist", operation_id),
			 errhint("SELECT * FROM bk_operations shows the operations that you can use.")));
	pg_unreachable();
}

/* Read an operation that the caller may use. */
static void
find_operation(const BkCall *call, int64 operation_id, const char *resource_id, BkQueued *operation)
{
	BkResource	resource;

	bk_view_open();
	if (resource_id == NULL)
		resource_id = bk_queue_resource(operation_id);
	if (resource_id == NULL
		|| !bk_queue_find(resource_id, operation_id, operation)
		|| !bk_resource_find(resource_id, &resource)
		|| resource.dropped)
		no_such_operation(operation_id);
	call->attempt->resource_id = operation->resource_id;
	if (!bk_may_use(call, resource.owner))
	{
		call->attempt->denied = true;
		no_such_operation(operation_id);
	}
	bk_view_close();
}

static bool
has_ended(const BkQueued *operation)
{
	return strcmp(operation->status, "queued") != 0 && strcmp(operation->status, "running") != 0;
}

void
bk_cancel_restore(const BkCall *call, int64 operation_id, const char *resource_id)
{
	BkQueued	operation;

	find_operation(call, operation_id, resource_id, &operation);
	/* What the worker writes meanwhile is seen: it ends, or goes on without being asked. */
	if (!bk_queue_lock(operation.resource_id, operation_id, &operation))
		no_such_operation(operation_id);
	if (has_ended(&operation))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("operation " INT64_FORMAT " has ended already", operation_id),
				 errdetail("It is %s.", operation.status)));
	bk_queue_set_cancelled(&operation, bk_now());
	bk_wake_worker();
}

/* The end of what nobody can begin, or nobody can see, is not waited for. */
static void
check_can_wait(int64 operation_id)
{
	if (was_asked_here(operation_id))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("operation " INT64_FORMAT " does not begin before this transaction has committed", operation_id),
				 errhint("Commit, then wait for it.")));
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot wait for operation " INT64_FORMAT " in a REPEATABLE READ or SERIALIZABLE transaction",
						operation_id),
				 errdetail("What the worker does would never be seen."),
				 errhint("Wait for it in a READ COMMITTED transaction.")));
}

/* Where there is a launcher it starts a worker. */
static void
warn_without_worker(void)
{
	if (bk_roster_is_preloaded() || (bk_roster_attach() && bk_roster_worker_pid(MyDatabaseId) != 0))
		return;
	ereport(WARNING,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("this database has no worker that does queued restores"),
			 errhint("Call bk_worker_start(), or add backup_service to shared_preload_libraries and restart the server.")));
}

/* Until the latch is set, or it is time to look again. */
static void
pause_a_while(TimestampTz begin, TimestampTz end)
{
	TimestampTz now = GetCurrentTimestamp();
	long		pause = Max(TimestampDifferenceMilliseconds(begin, now) / 8, MIN_WAIT_MS);

	pause = Min(pause, MAX_WAIT_MS);
	if (end != DT_NOEND)
		pause = Min(pause, TimestampDifferenceMilliseconds(now, end) + 1);
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, pause, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* Look at an operation; true, and its status, where it has ended or it is time to say how it stands. */
static bool
look(const BkCall *call, int64 operation_id, const char *resource_id, TimestampTz end, const char **status)
{
	BkMemory	memory = bk_memory_new(call->memory, "backup_service wait");
	MemoryContext outer = MemoryContextSwitchTo(memory);
	BkQueued	operation;
	bool		done;

	find_operation(call, operation_id, resource_id, &operation);
	call->attempt->resource_id = resource_id;
	done = has_ended(&operation) || GetCurrentTimestamp() >= end;
	MemoryContextSwitchTo(outer);
	if (done)
		*status = pstrdup(operation.status);
	bk_memory_delete(memory);
	return done;
}

const char *
bk_wait_for_restore(const BkCall *call, int64 operation_id, const char *resource_id, int64 timeout)
{
	TimestampTz begin = GetCurrentTimestamp();
	TimestampTz end = timeout == 0 || timeout > END_TIMESTAMP - begin ? DT_NOEND : begin + timeout;
	BkQueued	operation;
	const char *status;

	check_can_wait(operation_id);
	find_operation(call, operation_id, resource_id, &operation);
	if (has_ended(&operation))
		return operation.status;
	warn_without_worker();
	while (!look(call, operation_id, operation.resource_id, end, &status))
		pause_a_while(begin, end);
	return status;
}

void
bk_check_not_pinned(const char *resource_id, const int64 *ids, int count)
{
	int64		operation_id = bk_queue_find_pin(resource_id, ids, count);

	if (operation_id == 0)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("a running restore reads this backup"),
			 errdetail("It is operation " INT64_FORMAT ".", operation_id),
			 errhint("Wait for it with bk_restore_wait(" INT64_FORMAT "), or cancel it.", operation_id)));
}
