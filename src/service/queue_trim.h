/*
 * queue_trim.h
 *		Forgetting restores that have ended long ago.
 */
#ifndef BK_QUEUE_TRIM_H
#define BK_QUEUE_TRIM_H

#include "common/common.h"

#include "datatype/timestamp.h"

/* When there may be some to forget; DT_NOEND where they are kept for ever. */
extern TimestampTz bk_queue_trim_due(void);

/* Forget a batch where that time has come; true where there is more. */
extern bool bk_queue_trim(TimestampTz now);

#endif							/* BK_QUEUE_TRIM_H */
