/*
 * queue_claim.c
 *		Claims, pins, and operations that have lost their process.
 *
 * Nothing here waits for a lock: what another session has is left for later.
 */
#include "service/queue_claim.h"

#include "service/find.h"
#include "service/point.h"
#include "service/queue_end.h"
#include "service/queue_lock.h"
#include "service/try.h"
#include "utils/acl.h"

/* How many candidates are looked up at a time. */
#define CANDIDATES	20

/* More are never said to be running; after a crash others' turn comes later. */
#define RUNNING		1000

/* Looking for an operation to do. */
typedef struct Claim
{
	/* settings */
	const BkCall *call;
	BkMemory	memory;
	TimestampTz now;

	/* variables */
	List	   *busy;			/* names of resources that another session has locked */
	BkResource	resource;		/* of the operation, locked */
	BkQueued   *operation;		/* locked */

	/* result */
	BkRun	   *run;
	bool		failed;			/* one or more were given up or put off on the way */
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
	/* Who deletes in a transaction whose snapshot is older than the pins must not go on (40001). */
	bk_resource_touch(&claim->resource, 0);
	return run;
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

static bool
is_known_busy(const Claim *claim, const char *resource_id)
{
	ListCell   *cell;

	foreach(cell, claim->busy)
		if (strcmp(lfirst(cell), resource_id) == 0)
			return true;
	return false;
}

/*
 * Nobody deletes what will be read before it is pinned.  Where the whole resource is gone there is nothing to
 * lock; that the backup is gone with it is what the attempt will find.
 */
static bool
lock_resource(Claim *claim)
{
	char	   *resource_id = unconstify(char *, claim->operation->resource_id);
	bool		exists;

	if (is_known_busy(claim, resource_id))
		return false;
	if (bk_resource_try_lock(resource_id, &claim->resource))
		return true;
	bk_view_open();
	exists = bk_resource_find(resource_id, &claim->resource);
	bk_view_close();
	if (exists)
		claim->busy = lappend(claim->busy, resource_id);
	return !exists;
}

/* Have the resource's row, the operation's, and the session's lock. */
static bool
lock_all(Claim *claim)
{
	BkQueued   *operation = claim->operation;

	return lock_resource(claim)
		&& bk_queue_try_lock(operation->resource_id, operation->operation_id, operation)
		&& strcmp(operation->status, "queued") == 0
		&& bk_queue_lock_take(operation->operation_id);
}

/* An attempt that ends here was one all the same. */
static void
put_off(const Claim *claim, const ErrorData *error)
{
	BkQueued   *operation = claim->operation;

	bk_queue_set_running(operation, NULL, 0, 0, claim->now);
	operation->attempts++;
	bk_queue_end_badly(claim->call, operation, error, claim->now);
	bk_queue_lock_release();
}

/* Take the first of these that can be had. */
static void
claim_among(Claim *claim, BkQueued *candidates, int count)
{
	for (int i = 0; i < count && claim->run == NULL; i++)
	{
		ErrorData  *error;

		claim->operation = &candidates[i];
		if (!lock_all(claim) || bk_try(claim_one, claim, bk_is_any_error, &error))
			continue;
		put_off(claim, error);
		claim->failed = true;
	}
}

BkRun *
bk_queue_claim(const BkCall *call, BkMemory memory, TimestampTz now, bool *failed)
{
	Claim		claim = {.call = call, .memory = memory, .now = now};
	BkQueued   *candidates;
	BkQueued	last;
	int			count = CANDIDATES;

	while (count == CANDIDATES && claim.run == NULL && !claim.failed)
	{
		bk_view_open();
		count = bk_queue_find_due(now, claim.operation ? &last : NULL, CANDIDATES, &candidates);
		bk_view_close();
		if (count > 0)
			last = candidates[count - 1];
		claim_among(&claim, candidates, count);
		CHECK_FOR_INTERRUPTS();
	}
	*failed = claim.failed;
	if (claim.run)
		bk_point("restore-claiming");
	return claim.run;
}

bool
bk_queue_has_orphans(void)
{
	BkQueued   *running;
	int			count = bk_queue_find_running(RUNNING, &running);
	bool		found = false;

	for (int i = 0; i < count && !found; i++)
		found = bk_queue_lock_take(running[i].operation_id);
	bk_queue_lock_release();
	return found;
}

/* Its lock is ours; the row may have changed since it was looked for. */
static void
adopt(const BkCall *call, BkQueued *operation, TimestampTz now)
{
	if (bk_queue_try_lock(operation->resource_id, operation->operation_id, operation)
		&& strcmp(operation->status, "running") == 0)
		bk_queue_end_lost(call, operation, now);
	bk_queue_lock_release();
}

void
bk_queue_adopt_orphans(const BkCall *call, TimestampTz now)
{
	BkQueued   *running;
	int			count;

	bk_view_open();
	count = bk_queue_find_running(RUNNING, &running);
	bk_view_close();
	for (int i = 0; i < count; i++)
		if (bk_queue_lock_take(running[i].operation_id))
			adopt(call, &running[i], now);
}
