/*
 * clock.h
 *		What time it is for the worker and its jobs.
 */
#ifndef BK_CLOCK_H
#define BK_CLOCK_H

#include "common/common.h"

#include "datatype/timestamp.h"

/* A test module may put its own time here; nothing else does. */
extern PGDLLEXPORT TimestampTz (*bk_clock_hook) (void);

extern TimestampTz bk_now(void);

/* When what has failed that many times in a row is tried again: 1 s later, then 2 s, 4 s, up to 5 minutes. */
extern int	bk_retry_seconds(int failures);
extern TimestampTz bk_retry_time(TimestampTz now, int failures);

#endif							/* BK_CLOCK_H */
