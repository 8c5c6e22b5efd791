/*
 * roster_table.h
 *		The roster's memory, for the files that read and write it: roster.c for
 *		sessions, worker/claim.c for workers, worker/pick.c for the launcher.
 *
 * One lock, held for a look over the table and never across anything that can fail.
 */
#ifndef BK_ROSTER_TABLE_H
#define BK_ROSTER_TABLE_H

#include "service/roster.h"

#include "datatype/timestamp.h"
#include "storage/latch.h"
#include "storage/lwlock.h"

#define BK_MAX_JOBS		8

/* Who asked a worker to leave has that long to lock the database, which keeps the next one out. */
#define BK_LEAVE_SECONDS	1

/* How a job stands in one database.  Kept here because workers come and go. */
typedef struct BkJobState
{
	TimestampTz due;			/* not earlier; DT_NOEND: when woken */
	int			failures;		/* in a row */
	int			stuck;			/* batches in a row that found nothing to do though the job was due */
} BkJobState;

typedef struct BkRosterEntry
{
	Oid			database;		/* InvalidOid where the entry is free */
	int			pid;			/* of its worker; 0 without one */
	Latch	   *latch;			/* of its worker */
	bool		connected;		/* its worker is, and can be seen */
	bool		starting;		/* a worker is on its way */
	int			start_number;	/* of the last worker that was */
	bool		seen;			/* a worker has found the extension there */
	bool		excluded;		/* not to be served */
	bool		woken;			/* something was committed that no worker has looked at */
	bool		leave;			/* the worker stands in the way of a statement on the database */
	bool		complained;		/* that library and SQL do not fit is in the log */
	int			failures;		/* workers in a row that ended badly */
	TimestampTz not_before;		/* no worker is started earlier, ... */
	TimestampTz due;			/* ... nor, unless it is woken, before this */
	BkJobState	jobs[BK_MAX_JOBS];
} BkRosterEntry;

typedef struct BkRoster
{
	LWLock		lock;
	int			tranche;
	Latch	   *launcher;		/* NULL without one */
	bool		rescan;			/* which databases there are has changed */
	bool		crowded;
	int			capacity;
	BkRosterEntry		entries[FLEXIBLE_ARRAY_MEMBER];
} BkRoster;

/* NULL before bk_roster_attach(). */
extern BkRoster *bk_roster;

/* These are called with the lock held. */
extern BkRosterEntry *bk_roster_find(Oid database); /* NULL where it is not there; InvalidOid: a free one */
extern BkRosterEntry *bk_roster_find_or_add(Oid database);	/* NULL where there is no room */
extern void bk_roster_wake_launcher(void);
extern void bk_roster_delay(BkRosterEntry *entry, int seconds); /* no worker is started earlier */
extern void bk_roster_note_failure(BkRosterEntry *entry);

#endif							/* BK_ROSTER_TABLE_H */
