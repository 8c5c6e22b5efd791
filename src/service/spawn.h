/*
 * spawn.h
 *		Starting worker processes.
 */
#ifndef BK_SPAWN_H
#define BK_SPAWN_H

#include "common/common.h"

#include "postmaster/bgworker.h"

/* Who asked for a worker decides how long it stays. */
typedef enum BkWorkerKind
{
	BK_WORKER_LAUNCHED,			/* by the launcher: until it is idle */
	BK_WORKER_BY_HAND			/* by bk_worker_start(): until the server stops */
} BkWorkerKind;

/* Register the launcher, in the postmaster. */
extern void bk_spawn_launcher(void);

/*
 * Start a worker for a database, and tell this process when it is there and when it has ended.
 * False where no worker slot is free.
 */
extern bool bk_spawn_worker(Oid database, BkWorkerKind kind, BackgroundWorkerHandle **handle);

/*
 * Start a process that helps a database's worker with the restore queue, until that is empty.  They are numbered
 * from 1.  False where no worker slot is free.
 */
extern bool bk_spawn_restorer(Oid database, int number, BackgroundWorkerHandle **handle);

/* For this database, by hand; returns the process's id. */
extern int	bk_spawn_worker_here(void);

#endif							/* BK_SPAWN_H */
