/*
 * calendar.h
 *		Buckets of time in a time zone, and intervals in UTC.
 */
#ifndef BK_CALENDAR_H
#define BK_CALENDAR_H

#include "retention/retention.h"

/* A moment as the clock on the wall shows it, as far as buckets need it. */
typedef struct BkLocalTime
{
	TimestampTz hour;			/* when the clock's hour began */
	int32		day;			/* Julian */
	int32		month;			/* since January of the year 0 */
	int32		year;
} BkLocalTime;

/* False where PostgreSQL has no local time for it. */
extern bool bk_calendar_local(TimestampTz at, pg_tz *zone, BkLocalTime *local);

/* A number for the bucket; later buckets have greater ones. */
extern int64 bk_calendar_bucket(const BkLocalTime *local, BkReason rule, int week_start);

/* The bucket that is some steps later in the calendar, and when a bucket begins. */
extern int64 bk_calendar_later(int64 bucket, BkReason rule, int32 steps);
extern TimestampTz bk_calendar_start(int64 bucket, BkReason rule, pg_tz *zone);

static inline bool
bk_interval_is_zero(const Interval *interval)
{
	return interval->month == 0 && interval->day == 0 && interval->time == 0;
}

/* DT_NOEND where the sum would leave PostgreSQL's range. */
extern TimestampTz bk_calendar_add(TimestampTz at, const Interval *interval);

/* ISO format, palloc'd; in UTC where zone is NULL. */
extern char *bk_calendar_text(TimestampTz at, pg_tz *zone);

#endif							/* BK_CALENDAR_H */
