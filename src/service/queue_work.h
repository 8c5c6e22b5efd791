/*
 * queue_work.h
 *		One operation while a process is at work on it.
 */
#ifndef BK_QUEUE_WORK_H
#define BK_QUEUE_WORK_H

#include "catalog/queue.h"
#include "service/chain.h"

typedef struct BkRun
{
	/* info */
	BkQueued	operation;
	BkCall		call;			/* of the role that asked, with memory that outlives transactions */
	BkAttempt	attempt;
	BkBackup   *chain;			/* the full backup first, the one to restore last */
	int			count;
	int64		bytes_total;	/* stored bytes of the chain */

	/* variables */
	BkState    *state;			/* the document so far */
	int			element;		/* of the chain, that is read now */
	BkMemory	stored_memory;	/* of what follows; NULL where nothing of the element is here yet */
	BkText	   *stored;			/* its chunks */
	int			stored_count;
	int64		bytes_done;
	bool		ended;			/* in this transaction: nothing is left to do once that has been committed */

	/* memory */
	BkMemory	memory;			/* of all this */
} BkRun;

/* Go on with an operation for one transaction; false where another session is in the way at the moment. */
extern bool bk_queue_work(const BkCall *call, BkRun *run, TimestampTz now);

#endif							/* BK_QUEUE_WORK_H */
