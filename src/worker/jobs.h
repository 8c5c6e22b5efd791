/*
 * jobs.h
 *		What the worker does: one row for each kind of work.
 *
 * The worker knows nothing of what jobs are about.  In each database it asks a job when it wants
 * to run, when the database's worker starts, when it is woken, when the configuration is
 * reloaded, and after each batch; at that time it runs one batch after another, those of
 * several jobs in turn, until there is no more.
 *
 * Both functions are called in a transaction that the worker opens and commits, with an
 * active snapshot and SPI, as the extension's owner; call->memory is current and lives as long as
 * the transaction.  A batch is short, some tens of milliseconds: shutdown, DROP EXTENSION and the
 * other jobs wait for its end.  What must outlive it, the job keeps in a context of its own.
 *
 * An error rolls the batch back and is logged; the job is then left alone for a growing
 * delay, however often the database is woken.
 */
#ifndef BK_JOBS_H
#define BK_JOBS_H

#include "service/call.h"

#include "datatype/timestamp.h"

typedef struct BkJob
{
	const char *name;			/* in pg_stat_activity and in the log */

	/*
	 * When it wants to run: at or before now means at once, DT_NOEND when it is woken.  NULL: whenever
	 * it is asked.
	 */
	TimestampTz (*next_due) (const BkCall *call, TimestampTz now);

	/* Do a part of what is due; true where there is more. */
	bool		(*run_batch) (const BkCall *call, TimestampTz now);
} BkJob;

extern int	bk_job_count(void);
extern const BkJob *bk_job(int number); /* from 0 */

/* One more job, for test modules: called when such a module is preloaded. */
extern PGDLLEXPORT void bk_job_add(const BkJob *job);

#endif							/* BK_JOBS_H */
