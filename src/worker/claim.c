/*
 * claim.c
 *		A worker's entry of the roster.
 */
#include "worker/claim.h"

#include "storage/ipc.h"
#include "utils/timestamp.h"

static BkRosterEntry *mine;

/* The process ends without having said why: an error, or a signal during a job. */
static void
at_worker_exit(int code, Datum argument)
{
	(void) bk_claim_release(BK_END_FAILED);
}

bool
bk_claim_database(Oid database, int jobs)
{
	BkRosterEntry *entry;

	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	entry = bk_roster_find_or_add(database);
	if (entry && entry->pid == 0)
	{
		entry->pid = MyProcPid;
		entry->latch = MyLatch;
		entry->starting = false;
		for (int i = jobs; i < BK_MAX_JOBS; i++)
			entry->jobs[i].due = DT_NOEND;
		mine = entry;
	}
	LWLockRelease(&bk_roster->lock);
	if (mine)
		before_shmem_exit(at_worker_exit, (Datum) 0);
	return mine != NULL;
}

static TimestampTz
earliest_job(const BkRosterEntry *entry)
{
	TimestampTz due = DT_NOEND;

	for (int i = 0; i < BK_MAX_JOBS; i++)
		due = Min(due, entry->jobs[i].due);
	return due;
}

/* What the entry is from now on; a free one where nobody needs to come back to it. */
static void
settle(BkRosterEntry *entry, BkEnding ending)
{
	entry->pid = 0;
	entry->latch = NULL;
	entry->connected = false;
	entry->leave = false;
	entry->due = earliest_job(entry);
	if (ending == BK_END_FAILED)
		bk_roster_note_failure(entry);
	if (ending == BK_END_LEAVE)
		bk_roster_delay(entry, BK_LEAVE_SECONDS);
	if (ending == BK_END_RENEW)
		entry->woken = true;
	/* The extension may have been created since this worker looked for it: then the launcher shall have one look again. */
	if ((ending == BK_END_GONE && !entry->woken) || (!bk_roster_is_preloaded() && ending != BK_END_RENEW))
		entry->database = InvalidOid;
}

bool
bk_claim_release(BkEnding ending)
{
	bool		released = true;

	if (mine == NULL)
		return true;
	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	if (ending == BK_END_IDLE && mine->woken)
		released = false;
	else
	{
		settle(mine, ending);
		mine = NULL;
		bk_roster_wake_launcher();
	}
	LWLockRelease(&bk_roster->lock);
	return released;
}

BkJobState *
bk_claim_jobs(void)
{
	return mine->jobs;
}

/* Read a flag of the claimed entry, and leave it as told. */
static bool
exchange(bool *flag, bool value)
{
	bool		old;

	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	old = *flag;
	*flag = value;
	LWLockRelease(&bk_roster->lock);
	return old;
}

void
bk_claim_note_connected(void)
{
	(void) exchange(&mine->connected, true);
}

bool
bk_claim_take_wake(void)
{
	return exchange(&mine->woken, false);
}

bool
bk_claim_take_leave(void)
{
	return exchange(&mine->leave, false);
}

bool
bk_claim_complain_once(void)
{
	return !exchange(&mine->complained, true);
}

bool
bk_claim_is_crowded(void)
{
	return bk_roster->crowded;
}

void
bk_claim_note_seen(void)
{
	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	if (!mine->seen)
		bk_roster_wake_launcher();
	mine->seen = true;
	mine->complained = false;
	mine->failures = 0;
	LWLockRelease(&bk_roster->lock);
}

int
bk_claim_note_failure(void)
{
	return ++mine->failures;
}
