/*
 * pick.c
 *		The launcher's view of the roster: which database needs a worker.
 */
#include "worker/pick.h"

#include "storage/ipc.h"
#include "utils/timestamp.h"

static void
at_launcher_exit(int code, Datum argument)
{
	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	bk_roster->launcher = NULL;
	LWLockRelease(&bk_roster->lock);
}

void
bk_pick_begin(void)
{
	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	bk_roster->launcher = MyLatch;
	bk_roster->rescan = true;
	/* Those on their way may still claim; nobody waits for those that never will. */
	for (int i = 0; i < bk_roster->capacity; i++)
		bk_roster->entries[i].starting = false;
	LWLockRelease(&bk_roster->lock);
	before_shmem_exit(at_launcher_exit, (Datum) 0);
}

bool
bk_pick_take_rescan(void)
{
	bool		rescan;

	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	rescan = bk_roster->rescan;
	bk_roster->rescan = false;
	LWLockRelease(&bk_roster->lock);
	return rescan;
}

static bool
is_among(Oid database, const Oid *databases, int count)
{
	for (int i = 0; i < count; i++)
		if (databases[i] == database)
			return true;
	return false;
}

int
bk_pick_set_databases(const Oid *databases, int count)
{
	int			left_out = 0;

	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	for (int i = 0; i < bk_roster->capacity; i++)
	{
		BkRosterEntry *entry = &bk_roster->entries[i];

		entry->excluded = false;
		if (entry->pid == 0 && !entry->starting && !is_among(entry->database, databases, count))
			entry->database = InvalidOid;
	}
	for (int i = 0; i < count; i++)
		if (bk_roster_find_or_add(databases[i]) == NULL)
			left_out++;
	LWLockRelease(&bk_roster->lock);
	return left_out;
}

void
bk_pick_exclude(Oid database)
{
	BkRosterEntry *entry;

	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	entry = bk_roster_find(database);
	if (entry)
		entry->excluded = true;
	LWLockRelease(&bk_roster->lock);
}

/* When a worker shall be started for an entry. */
static TimestampTz
start_time(const BkRosterEntry *entry, bool one_is_looking)
{
	if (entry->database == InvalidOid || entry->excluded || entry->pid != 0 || entry->starting)
		return DT_NOEND;
	if (entry->woken)
		return entry->not_before;
	/* Databases that may have the extension or not are looked into one after another. */
	if (!entry->seen && one_is_looking)
		return DT_NOEND;
	return Max(entry->due, entry->not_before);
}

Oid
bk_pick_database(TimestampTz now, TimestampTz *due)
{
	bool		one_is_looking = false;
	Oid			picked = InvalidOid;

	*due = DT_NOEND;
	LWLockAcquire(&bk_roster->lock, LW_SHARED);
	for (int i = 0; i < bk_roster->capacity; i++)
	{
		BkRosterEntry *entry = &bk_roster->entries[i];

		one_is_looking |= entry->database != InvalidOid && !entry->seen && (entry->starting || entry->pid != 0);
	}
	for (int i = 0; i < bk_roster->capacity; i++)
	{
		TimestampTz start = start_time(&bk_roster->entries[i], one_is_looking);

		if (start < *due)
		{
			*due = start;
			picked = bk_roster->entries[i].database;
		}
	}
	LWLockRelease(&bk_roster->lock);
	return *due <= now ? picked : InvalidOid;
}

int
bk_pick_start(Oid database)
{
	BkRosterEntry *entry;
	int			number = 0;

	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	entry = bk_roster_find(database);
	if (entry)
	{
		entry->starting = true;
		number = ++entry->start_number;
	}
	LWLockRelease(&bk_roster->lock);
	return number;
}

void
bk_pick_start_over(Oid database, int number, bool failed)
{
	BkRosterEntry *entry;

	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	entry = bk_roster_find(database);
	if (entry && entry->starting && entry->start_number == number)
	{
		entry->starting = false;
		entry->leave = false;
		if (failed)
			bk_roster_note_failure(entry);
	}
	LWLockRelease(&bk_roster->lock);
}

void
bk_pick_set_crowded(bool crowded)
{
	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	if (crowded)
		for (int i = 0; i < bk_roster->capacity; i++)
			if (bk_roster->entries[i].latch)
				SetLatch(bk_roster->entries[i].latch);
	bk_roster->crowded = crowded;
	LWLockRelease(&bk_roster->lock);
}
