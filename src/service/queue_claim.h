/*
 * queue_claim.h
 *		Taking operations from the queue.
 */
#ifndef BK_QUEUE_CLAIM_H
#define BK_QUEUE_CLAIM_H

#include "service/queue_work.h"

/*
 * Claim the next operation that is due; NULL where none can be had now.  The run lives
 * in memory.  *failed: one or more were given up or put off on the way.
 */
extern BkRun *bk_queue_claim(const BkCall *call, BkMemory memory, TimestampTz now, bool *failed);

/* Is an operation said to be running that no process is at work on?  In a view. */
extern bool bk_queue_has_orphans(void);

/* Put such operations back into the queue. */
extern void bk_queue_adopt_orphans(const BkCall *call, TimestampTz now);

#endif							/* BK_QUEUE_CLAIM_H */
