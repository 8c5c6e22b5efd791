/*
 * queue_claim.c
 *		Claims, pins, and operations that have lost their process.
 *
 * Nothing here waits for a lock: what another session has is left for later.
 */
#include "service/queue_claim.h"

#include "service/find.h"
#include "service/queue_end.h"
#include "service/queue_lock.h"
#include "service/try.h"
#include "utils/acl.h"

/* How many candidates are looked at. */
#define CANDIDATES	20

/* One claim, for bk_try(). */
typedef struct Claim
{
	const BkCall *call;
	BkMemory	memory;
	TimestampTz now;
	BkQueued   *operation;
	BkRun	   *run;			/* what comes of it; NULL where another session was faster */
} Claim;

/* Whose rights count is the role that asked, as it is now. */
static void
act_as(BkRun *run, const BkCall *call, const char *role_name)
{
	run->call = (BkCall) {
		.function = "bk_restore",
		.attempt = &run->attempt,
		.role = get_role_oid(role_name, false),
		.role_name = role_name,
		.session_role_name = pstrdup(call->session_role_name),
		.memory = run->memory,
		.result_memory = run->memory,
	};
}

/* The backups from the full one up, in the run's memory. */
static void
find_chain(BkRun *run)
{
	BkBackup	backup;
	BkBackup   *bases = NULL;
	int			count = 0;

	bk_find_backup(&run->call, run->operation.backup_id, run->operation.resource_id, &backup);
	if (backup.base_id != 0)
	{
		count = bk_backup_find_bases(&backup, &bases);
		bk_chain_check(&backup, bases, count);
	}
	run->count = count + 1;
	run->chain = palloc(sizeof(BkBackup) * run->count);
	for (int i = 0; i < count; i++)
		run->chain[i] = bases[count - 1 - i];
	run->chain[count] = backup;
	for (int i = 0; i < run->count; i++)
		run->bytes_total += run->chain[i].stored_size;
}

static void
pin_chain(BkRun *run, TimestampTz now)
{
	int64	   *pinned = palloc(sizeof(int64) * run->count);

	for (int i = 0; i < run->count; i++)
		pinned[i] = run->chain[i].backup_id;
	bk_queue_set_running(&run->operation, pinned, run->count, run->bytes_total, now);
	run->operation.attempts++;
}

/* The operation is ours: find out what it needs. */
static BkRun *
start_run(const Claim *claim)
{
	BkRun	   *run = bk_alloc_zero(claim->memory, sizeof(BkRun));

	run->memory = claim->memory;
	if (!bk_queue_find(claim->operation->resource_id, claim->operation->operation_id, &run->operation))
		elog(ERROR, "operation " INT64_FORMAT " is gone", claim->operation->operation_id);
	act_as(run, claim->call, run->operation.role);
	find_chain(run);
	run->state = bk_state_open(bk_keys_open(&run->call), run->memory);
	pin_chain(run, claim->now);
	return run;
}

static bool
is_due(const BkQueued *operation)
{
	return strcmp(operation->status, "queued") == 0;
}

static void
claim_one(void *argument)
{
	Claim	   *claim = argument;
	MemoryContext outer;

	bk_view_open();
	outer = MemoryContextSwitchTo(claim->memory);
	claim->run = start_run(claim);
	MemoryContextSwitchTo(outer);
	bk_view_close();
}

/* Have the resource's row, the operation's, and the session's lock; nobody deletes what it will read before it is pinned. */
static bool
lock_all(BkQueued *operation)
{
	BkResource	resource;

	return bk_resource_try_lock(operation->resource_id, &resource)
		&& bk_queue_try_lock(operation->resource_id, operation->operation_id, operation)
		&& is_due(operation)
		&& bk_queue_lock_take(operation->operation_id);
}

/* An attempt that ends here was one all the same. */
static void
put_off(const BkCall *call, BkQueued *operation, const ErrorData *error, TimestampTz now)
{
	bk_queue_set_running(operation, NULL, 0, 0, now);
	operation->attempts++;
	bk_queue_end_badly(call, operation, error, now);
	bk_queue_lock_release(operation->operation_id);
}

BkRun *
bk_queue_claim(const BkCall *call, BkMemory memory, TimestampTz now, bool *failed)
{
	BkQueued   *candidates;
	int			count;

	*failed = false;
	bk_view_open();
	count = bk_queue_find_due(now, CANDIDATES, &candidates);
	bk_view_close();
	for (int i = 0; i < count; i++)
	{
		Claim		claim = {.call = call, .memory = memory, .now = now, .operation = &candidates[i]};
		ErrorData  *error;

		if (!lock_all(&candidates[i]))
			continue;
		if (bk_try(claim_one, &claim, bk_is_any_error, &error))
			return claim.run;
		put_off(call, &candidates[i], error, now);
		*failed = true;
	}
	return NULL;
}

bool
bk_queue_has_orphans(void)
{
	BkQueued   *running;
	int			count = bk_queue_find_running(CANDIDATES, &running);

	for (int i = 0; i < count; i++)
		if (bk_queue_lock_take(running[i].operation_id))
		{
			bk_queue_lock_release(running[i].operation_id);
			return true;
		}
	return false;
}

/* Its lock is ours; the row may have changed since it was looked for. */
static void
adopt(const BkCall *call, BkQueued *operation, TimestampTz now)
{
	if (bk_queue_try_lock(operation->resource_id, operation->operation_id, operation)
		&& strcmp(operation->status, "running") == 0)
		bk_queue_end_lost(call, operation, now);
	bk_queue_lock_release(operation->operation_id);
}

void
bk_queue_adopt_orphans(const BkCall *call, TimestampTz now)
{
	BkQueued   *running;
	int			count;

	bk_view_open();
	count = bk_queue_find_running(CANDIDATES, &running);
	bk_view_close();
	for (int i = 0; i < count; i++)
		if (bk_queue_lock_take(running[i].operation_id))
			adopt(call, &running[i], now);
}
