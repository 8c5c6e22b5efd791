/*
 * batch.h
 *		One batch of a job, in a transaction around it.
 */
#ifndef BK_BATCH_H
#define BK_BATCH_H

#include "service/roster_table.h"
#include "worker/jobs.h"

typedef enum BkOutcome
{
	BK_RAN,						/* or, for a look, the extension is there */
	BK_ASKED,					/* the job is not due yet */
	BK_FAILED,					/* an error, which is in the log; again later */
	BK_BUSY,					/* the extension is being altered or dropped; again later */
	BK_NO_EXTENSION,			/* the database does not have it */
	BK_OTHER_VERSION			/* this library cannot work with the extension's SQL */
} BkOutcome;

/* What this process serves, for messages. */
extern void bk_batch_begin(const char *database_name);

/*
 * Ask a job, and run one batch where it is due.  state says afterwards when it is to be asked
 * again: at once where there is more.  job may be NULL: only look whether the extension is
 * there and fits.
 */
extern BkOutcome bk_batch_run(const BkJob *job, BkJobState *state);

/* The version of the extension's SQL that a batch found last. */
extern const char *bk_batch_sql_version(void);

#endif							/* BK_BATCH_H */
