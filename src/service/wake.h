/*
 * wake.h
 *		Waking the worker of this database at commit.
 */
#ifndef BK_WAKE_H
#define BK_WAKE_H

/*
 * This transaction leaves work for the worker, which is woken when it commits.  May be
 * called any number of times.  What a rolled-back subtransaction asked for stands:
 * a worker that finds nothing goes back to rest.  For a prepared transaction COMMIT PREPARED
 * wakes it (worker/statements.c).
 */
extern PGDLLEXPORT void bk_wake_worker(void);

/* This transaction changes which databases there are. */
extern void bk_wake_launcher(void);

#endif							/* BK_WAKE_H */
