/*
 * unix_time.h
 *		Times as our formats have them: microseconds since 1970, where the server
 *		counts from 2000.
 */
#ifndef BK_UNIX_TIME_H
#define BK_UNIX_TIME_H

#include "common/common.h"

#include "datatype/timestamp.h"

#define BK_UNIX_OFFSET_USECS \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/* Rows may be tampered with, so the sum may wrap: the digest then differs. */
static inline int64
bk_unix_time(TimestampTz time)
{
	return (int64) ((uint64) time + (uint64) BK_UNIX_OFFSET_USECS);
}

#endif							/* BK_UNIX_TIME_H */
