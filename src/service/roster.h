/*
 * roster.h
 *		Which databases there are to serve, and who works for them: the shared
 *		memory between sessions, launcher and workers, as sessions use it.
 *
 * A session wakes its database at commit; the wake-up goes to the worker where one
 * is running, else to the launcher, which starts one.  A worker claims its database
 * before it looks for work and releases it when it ends (worker/claim.h), and a wake-up
 * between the two is never lost.
 *
 * Without shared_preload_libraries there is no launcher; the memory is then a small
 * piece of what the server has to spare, and only databases that have a worker are in it.
 */
#ifndef BK_ROSTER_H
#define BK_ROSTER_H

#include "common/common.h"

/* Set up in the postmaster: ask for the memory. */
extern void bk_roster_preload(void);
extern bool bk_roster_is_preloaded(void);

/* Have the memory at hand; false where the server has none to spare. */
extern bool bk_roster_attach(void);

/* These never fail, so that they can be called when a transaction has just committed. */
extern void bk_roster_wake(Oid database);
extern void bk_roster_rescan(void); /* which databases there are has changed */

/* A statement cannot be done beside a worker: it shall end when it is idle. */
extern void bk_roster_ask_to_leave(Oid database);

/* What made workers of a database fail is over: the next one need not wait. */
extern void bk_roster_forgive(Oid database);

extern int	bk_roster_worker_pid(Oid database);	/* 0 without one */

/* Whether a database is served. */
typedef struct BkWorkerHealth
{
	bool		preloaded;
	bool		standby;		/* where none is wanted before promotion */
	int			pid;			/* of the worker; 0 without one, which may well be at rest */
	const char *problem;		/* NULL: it is, or will be when there is something to do */
} BkWorkerHealth;

/* Of this database. */
extern void bk_roster_health(BkWorkerHealth *health);

#endif							/* BK_ROSTER_H */
