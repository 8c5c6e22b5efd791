/*
 * roster.c
 *		What sessions tell workers and launcher.
 */
#include "service/roster_table.h"

void
bk_roster_wake(Oid database)
{
	BkRosterEntry *entry;

	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	entry = bk_roster_is_preloaded() ? bk_roster_find_or_add(database) : bk_roster_find(database);
	if (entry && !entry->woken)
	{
		entry->woken = true;
		if (entry->latch)
			SetLatch(entry->latch);
		else if (!entry->starting && !entry->excluded)
			bk_roster_wake_launcher();
	}
	LWLockRelease(&bk_roster->lock);
}

void
bk_roster_rescan(void)
{
	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	bk_roster->rescan = true;
	bk_roster_wake_launcher();
	LWLockRelease(&bk_roster->lock);
}

void
bk_roster_ask_to_leave(Oid database)
{
	BkRosterEntry *entry;

	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	entry = bk_roster_find(database);
	if (entry)
	{
		bk_roster_delay(entry, BK_LEAVE_SECONDS);
		entry->leave = entry->pid != 0 || entry->starting;
		if (entry->latch)
			SetLatch(entry->latch);
	}
	LWLockRelease(&bk_roster->lock);
}

void
bk_roster_forgive(Oid database)
{
	BkRosterEntry *entry;

	if (!bk_roster_attach())
		return;
	LWLockAcquire(&bk_roster->lock, LW_EXCLUSIVE);
	entry = bk_roster_find(database);
	if (entry)
	{
		entry->failures = 0;
		entry->not_before = DT_NOBEGIN;
	}
	LWLockRelease(&bk_roster->lock);
}

int
bk_roster_worker_pid(Oid database)
{
	BkRosterEntry *entry;
	int			pid;

	LWLockAcquire(&bk_roster->lock, LW_SHARED);
	entry = bk_roster_find(database);
	pid = entry ? entry->pid : 0;
	LWLockRelease(&bk_roster->lock);
	return pid;
}

bool
bk_roster_worker_is_connected(Oid database)
{
	BkRosterEntry *entry;
	bool		connected;

	LWLockAcquire(&bk_roster->lock, LW_SHARED);
	entry = bk_roster_find(database);
	connected = entry && entry->connected;
	LWLockRelease(&bk_roster->lock);
	return connected;
}
