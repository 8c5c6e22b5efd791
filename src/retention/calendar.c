/*
 * calendar.c
 *		Buckets of time in a time zone, and intervals in UTC.
 */
#include "retention/calendar.h"

#include "common/int.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

/* What would lie later is infinity, so that nothing here can overflow. */
#define END_YEAR		294000
#define END_DAY			date2j(END_YEAR, 1, 1)

#define WEEK_DAYS		7

bool
bk_calendar_local(TimestampTz at, pg_tz *zone, BkLocalTime *local)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;

	if (timestamp2tm(at, &offset, &tm, &fsec, NULL, zone) != 0)
		return false;
	local->hour = at - (tm.tm_min * SECS_PER_MINUTE + tm.tm_sec) * USECS_PER_SEC - fsec;
	local->day = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday);
	local->month = tm.tm_year * MONTHS_PER_YEAR + tm.tm_mon - 1;
	local->year = tm.tm_year;
	return true;
}

int64
bk_calendar_bucket(const BkLocalTime *local, BkReason rule, int week_start)
{
	switch (rule)
	{
		case BK_KEEP_HOURLY:
			return local->hour;
		case BK_KEEP_DAILY:
			return local->day;
		case BK_KEEP_WEEKLY:
			/* j2day() gives 0 for Sunday. */
			return local->day - (j2day(local->day) + WEEK_DAYS - week_start) % WEEK_DAYS;
		case BK_KEEP_MONTHLY:
			return local->month;
		case BK_KEEP_YEARLY:
			return local->year;
		default:
			pg_unreachable();
	}
}

int64
bk_calendar_later(int64 bucket, BkReason rule, int32 steps)
{
	int64		width = rule == BK_KEEP_HOURLY ? USECS_PER_HOUR : rule == BK_KEEP_WEEKLY ? WEEK_DAYS : 1;
	int64		later;

	return pg_add_s64_overflow(bucket, steps * width, &later) ? PG_INT64_MAX : later;
}

/* Midnight of a date in a time zone. */
static TimestampTz
midnight(int64 year, int month, int day, pg_tz *zone)
{
	struct pg_tm tm = {.tm_year = year, .tm_mon = month, .tm_mday = day};
	int			offset = DetermineTimeZoneOffset(&tm, zone);
	TimestampTz at;

	return tm2timestamp(&tm, 0, &offset, &at) == 0 ? at : DT_NOEND;
}

TimestampTz
bk_calendar_start(int64 bucket, BkReason rule, pg_tz *zone)
{
	int			year,
				month,
				day;

	switch (rule)
	{
		case BK_KEEP_HOURLY:
			return bucket / USECS_PER_DAY + POSTGRES_EPOCH_JDATE >= END_DAY ? DT_NOEND : bucket;
		case BK_KEEP_DAILY:
		case BK_KEEP_WEEKLY:
			if (bucket >= END_DAY)
				return DT_NOEND;
			j2date(bucket, &year, &month, &day);
			return midnight(year, month, day, zone);
		case BK_KEEP_MONTHLY:
			if (bucket >= (int64) END_YEAR * MONTHS_PER_YEAR)
				return DT_NOEND;
			/* Rounded down, also before Christ. */
			month = (bucket % MONTHS_PER_YEAR + MONTHS_PER_YEAR) % MONTHS_PER_YEAR;
			return midnight((bucket - month) / MONTHS_PER_YEAR, month + 1, 1, zone);
		case BK_KEEP_YEARLY:
			return bucket >= END_YEAR ? DT_NOEND : midnight(bucket, 1, 1, zone);
		default:
			pg_unreachable();
	}
}

/* Whole days from midnight before at to an end that no sum can lie behind. */
static int64
most_days(TimestampTz at, const Interval *interval)
{
	int64		date = at / USECS_PER_DAY - (at % USECS_PER_DAY < 0);
	int64		days = (int64) interval->month * 31 + interval->day;

	return date + days + interval->time / USECS_PER_DAY + (interval->time % USECS_PER_DAY > 0);
}

TimestampTz
bk_calendar_add(TimestampTz at, const Interval *interval)
{
	Interval	copy = *interval;

	if (most_days(at, interval) + POSTGRES_EPOCH_JDATE > END_DAY)
		return DT_NOEND;
	return DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval,
												 TimestampGetDatum(at),
												 IntervalPGetDatum(&copy)));
}

char *
bk_calendar_text(TimestampTz at, pg_tz *zone)
{
	char		text[MAXDATELEN + 1];
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset = 0;

	if (TIMESTAMP_NOT_FINITE(at))
		return pstrdup(TIMESTAMP_IS_NOEND(at) ? "infinity" : "-infinity");
	if (timestamp2tm(at, zone ? &offset : NULL, &tm, &fsec, NULL, zone) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range")));
	if (zone == NULL)
		tm.tm_isdst = 0;		/* the offset is known: to be shown */
	EncodeDateTime(&tm, fsec, true, offset, NULL, USE_ISO_DATES, text);
	return pstrdup(text);
}
