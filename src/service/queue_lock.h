/*
 * queue_lock.h
 *		The lock that says that a process is at work on an operation.
 */
#ifndef BK_QUEUE_LOCK_H
#define BK_QUEUE_LOCK_H

#include "common/common.h"

/*
 * A process is at work on one operation at a time.  The lock stays until it is released or the
 * process ends, whatever happens to transactions; taking another one releases what an error
 * has left behind.  False where another process has it.
 */
extern bool bk_queue_lock_take(int64 operation_id);

/* Release what this process holds, if anything. */
extern void bk_queue_lock_release(void);

#endif							/* BK_QUEUE_LOCK_H */
