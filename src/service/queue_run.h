/*
 * queue_run.h
 *		Doing queued restores, a step to a transaction.
 *
 * An operation is claimed, under the lock of its resource, with the backups that it
 * will read pinned; then their stored bytes are read, a few megabytes to a step, and
 * the document is rebuilt in memory that outlives the transactions; a last transaction
 * writes the new backup and the end of the operation together.  Whoever runs an
 * operation holds a lock of its session on it: one that is said to be running and
 * whose lock is free has lost its process, and goes back to the queue.
 */
#ifndef BK_QUEUE_RUN_H
#define BK_QUEUE_RUN_H

#include "service/call.h"

#include "datatype/timestamp.h"

/* When there is something to do: now, a time, or (DT_NOEND) when somebody asks. */
extern TimestampTz bk_queue_run_due(TimestampTz now);

/* Do one step, in a transaction of the worker; true where there is more at once. */
extern PGDLLEXPORT bool bk_queue_run_step(const BkCall *call, TimestampTz now);

/* Is this process at work on an operation? */
extern bool bk_queue_run_is_busy(void);

/* Is it, while another one that may run at the same time has been waiting? */
extern bool bk_queue_run_wants_help(void);

#endif							/* BK_QUEUE_RUN_H */
