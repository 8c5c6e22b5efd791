/*
 * worker.h
 *		The background worker: what is set up when the library is loaded.
 */
#ifndef BK_WORKER_H
#define BK_WORKER_H

#include "common/common.h"

/* In every process; in the postmaster it also registers the launcher. */
extern void bk_worker_init(void);

/* Notice statements that the worker must know of (statements.c). */
extern void bk_statements_watch(void);

/* What the processes run. */
PGDLLEXPORT extern void bk_launcher_main(Datum argument);
PGDLLEXPORT extern void bk_worker_main(Datum argument);
PGDLLEXPORT extern void bk_restorer_main(Datum argument);

#endif							/* BK_WORKER_H */
