/*
 * queue_lock.h
 *		The lock that says that a process is at work on an operation.
 */
#ifndef BK_QUEUE_LOCK_H
#define BK_QUEUE_LOCK_H

#include "common/common.h"

/* Until it is released or the process ends, whatever happens to transactions; false where another has it. */
extern bool bk_queue_lock_take(int64 operation_id);
extern void bk_queue_lock_release(int64 operation_id);

#endif							/* BK_QUEUE_LOCK_H */
