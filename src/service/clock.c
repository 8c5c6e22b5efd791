/*
 * clock.c
 *		The time, and the delays after failures.
 */
#include "service/clock.h"

#include "utils/timestamp.h"

#define MAX_RETRY_SECONDS	300

TimestampTz (*bk_clock_hook) (void);

TimestampTz
bk_now(void)
{
	return bk_clock_hook ? bk_clock_hook() : GetCurrentTimestamp();
}

int
bk_retry_seconds(int failures)
{
	/* 2^9 is more than the limit. */
	return Min(1 << Min(Max(failures, 1) - 1, 9), MAX_RETRY_SECONDS);
}

TimestampTz
bk_retry_time(TimestampTz now, int failures)
{
	return now + bk_retry_seconds(failures) * USECS_PER_SEC;
}
