/*
 * roster_table.c
 *		The roster's memory and its entries.
 */
#include "service/roster_table.h"

#include "service/clock.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#define PRELOADED_CAPACITY	1024
#define SPARE_CAPACITY		16

BkRoster   *bk_roster;

static bool preloaded;
static shmem_request_hook_type next_request_hook;
static shmem_startup_hook_type next_startup_hook;

static int
capacity(void)
{
	return preloaded ? PRELOADED_CAPACITY : SPARE_CAPACITY;
}

static Size
roster_size(void)
{
	return offsetof(BkRoster, entries) + capacity() * sizeof(BkRosterEntry);
}

static void
open_memory(void)
{
	BkRoster   *memory;
	bool		found;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	memory = ShmemInitStruct("backup_service roster", roster_size(), &found);
	if (!found)
	{
		memset(memory, 0, roster_size());
		memory->capacity = capacity();
		memory->tranche = LWLockNewTrancheId();
		LWLockInitialize(&memory->lock, memory->tranche);
	}
	LWLockRelease(AddinShmemInitLock);
	LWLockRegisterTranche(memory->tranche, "backup_service");
	bk_roster = memory;
}

static void
request_memory(void)
{
	if (next_request_hook)
		next_request_hook();
	RequestAddinShmemSpace(MAXALIGN(roster_size()));
}

static void
start_memory(void)
{
	if (next_startup_hook)
		next_startup_hook();
	open_memory();
}

void
bk_roster_preload(void)
{
	preloaded = true;
	next_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	next_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_memory;
}

bool
bk_roster_is_preloaded(void)
{
	return preloaded;
}

bool
bk_roster_attach(void)
{
	static bool unavailable;
	MemoryContext memory = CurrentMemoryContext;

	if (bk_roster || unavailable)
		return bk_roster != NULL;
	/* Nothing of the transaction is changed by a failure here, so that no subtransaction is needed. */
	PG_TRY();
	{
		open_memory();
	}
	PG_CATCH();
	{
		if (LWLockHeldByMe(AddinShmemInitLock))
		{
			HOLD_INTERRUPTS();	/* which the error has undone, and LWLockRelease() undoes again */
			LWLockRelease(AddinShmemInitLock);
		}
		MemoryContextSwitchTo(memory);
		FlushErrorState();
		unavailable = true;
	}
	PG_END_TRY();
	return bk_roster != NULL;
}

/* Entries; the lock is held. */

BkRosterEntry *
bk_roster_find(Oid database)
{
	for (int i = 0; i < bk_roster->capacity; i++)
		if (bk_roster->entries[i].database == database)
			return &bk_roster->entries[i];
	return NULL;
}

BkRosterEntry *
bk_roster_find_or_add(Oid database)
{
	BkRosterEntry *entry = bk_roster_find(database);

	if (entry == NULL && (entry = bk_roster_find(InvalidOid)) != NULL)
	{
		memset(entry, 0, sizeof(BkRosterEntry));
		entry->database = database;
		entry->not_before = entry->due = DT_NOBEGIN;
		for (int i = 0; i < BK_MAX_JOBS; i++)
			entry->jobs[i].due = DT_NOBEGIN;
	}
	return entry;
}

void
bk_roster_wake_launcher(void)
{
	if (bk_roster->launcher)
		SetLatch(bk_roster->launcher);
}

void
bk_roster_delay(BkRosterEntry *entry, int seconds)
{
	entry->not_before = Max(entry->not_before, bk_now() + seconds * USECS_PER_SEC);
}

void
bk_roster_note_failure(BkRosterEntry *entry)
{
	entry->failures++;
	bk_roster_delay(entry, bk_retry_seconds(entry->failures));
}
