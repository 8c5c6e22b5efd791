/*
 * roster.c
 *		What sessions tell workers and launcher.
 */
#include "service/roster_table.h"

#include "access/xlog.h"
#include "miscadmin.h"

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

/* Why there are no workers though there is a launcher to start them; the lock is held. */
static const char *
problem_of(const BkRosterEntry *entry)
{
	int			failing = 0;

	if (bk_roster->launcher == NULL)
		return "there is no launcher";
	if (entry == NULL || entry->excluded)
		return "the launcher does not serve this database: backup_service.databases does not list it, or has not been looked at yet";
	if (entry->complained)
		return "library and SQL are of different versions";
	if (entry->failures > 0)
		return "the last worker ended with an error, which is in the server's log";
	for (int i = 0; i < BK_MAX_JOBS; i++)
		failing += entry->jobs[i].failures > 0;
	if (failing > 0)
		return "a job has failed, as the server's log says";
	return bk_roster->crowded && entry->pid == 0 ? "no background worker slot is free" : NULL;
}

void
bk_roster_health(BkWorkerHealth *health)
{
	BkRosterEntry *entry;

	memset(health, 0, sizeof(*health));
	health->preloaded = bk_roster_is_preloaded();
	if (!bk_roster_attach())
	{
		health->problem = "there is no shared memory for it";
		return;
	}
	LWLockAcquire(&bk_roster->lock, LW_SHARED);
	entry = bk_roster_find(MyDatabaseId);
	health->pid = entry ? entry->pid : 0;
	if (RecoveryInProgress())
		health->standby = true;
	else if (health->preloaded)
		health->problem = problem_of(entry);
	else if (health->pid == 0)
		health->problem = "nobody has started one, and backup_service is not in shared_preload_libraries";
	LWLockRelease(&bk_roster->lock);
}
