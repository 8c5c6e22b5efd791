/*
 * queue_end.h
 *		What becomes of an operation that has met an error.
 */
#ifndef BK_QUEUE_END_H
#define BK_QUEUE_END_H

#include "catalog/queue.h"
#include "service/call.h"

/*
 * An attempt at a locked operation has failed: it goes back to the queue, for a growing
 * time, where the error may pass and attempts are left; else it has failed.
 */
extern void bk_queue_end_badly(const BkCall *call, const BkQueued *operation, const ErrorData *error, TimestampTz now);

/* The process that was at work on a locked operation is no more. */
extern void bk_queue_end_lost(const BkCall *call, const BkQueued *operation, TimestampTz now);

#endif							/* BK_QUEUE_END_H */
