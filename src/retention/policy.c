/*
 * policy.c
 *		What is a policy, and what is a time zone.
 */
#include "retention/calendar.h"

#include "utils/builtins.h"

static void
check_counts(const BkRetentionPolicy *policy)
{
	for (int rule = 0; rule < BK_COUNTED_RULES; rule++)
		if (policy->keep[rule] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must not be negative", bk_retention_reason_name(rule)),
					 errdetail("It is %d.", policy->keep[rule])));
}

/* '1 month -30 days' would be gone before it came in March. */
static void
check_keep_for(Interval *keep_for)
{
	if (keep_for->month < 0 || keep_for->day < 0 || keep_for->time < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("keep_for must not have a negative part"),
				 errdetail("It is %s.",
						   DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(keep_for)))),
				 errhint("Write '23 hours', not '1 day -1 hour'.")));
}

static void
check_week_start(int week_start)
{
	if (week_start < BK_WEEK_FROM_MONDAY || week_start > BK_WEEK_FROM_SUNDAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("week_start must be a day of the week, 1 (Monday) to 7 (Sunday)"),
				 errdetail("It is %d.", week_start)));
}

static void
check_has_rule(const BkRetentionPolicy *policy)
{
	for (int rule = 0; rule < BK_COUNTED_RULES; rule++)
		if (policy->keep[rule] != 0)
			return;
	if (bk_interval_is_zero(&policy->keep_for))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a policy needs a rule"),
				 errdetail("Without one it would keep nothing but the newest backup."),
				 errhint("Give keep_for, keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly or keep_yearly.")));
}

void
bk_retention_check(const BkRetentionPolicy *policy)
{
	Interval	keep_for = policy->keep_for;

	check_counts(policy);
	check_keep_for(&keep_for);
	check_week_start(policy->week_start);
	check_has_rule(policy);
}

BK_NORETURN static void
refuse_zone(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("time zone \"%s\" is not known", name),
			 errhint("SELECT name FROM pg_timezone_names lists them; Europe/Berlin is one.")));
	pg_unreachable();
}

pg_tz *
bk_retention_zone(const char *name)
{
	pg_tz	   *zone = strlen(name) <= TZ_STRLEN_MAX ? pg_tzset(name) : NULL;

	if (zone == NULL)
		refuse_zone(name);
	return zone;
}

const char *
bk_retention_check_zone(const char *name)
{
	const char *canonical = pg_get_timezone_name(bk_retention_zone(name));
	pg_tzenum  *list = pg_tzenumerate_start();
	bool		found = false;
	pg_tz	   *zone;

	while (!found && (zone = pg_tzenumerate_next(list)) != NULL)
		found = strcmp(pg_get_timezone_name(zone), canonical) == 0;
	pg_tzenumerate_end(list);
	if (!found)
		refuse_zone(name);
	return canonical;
}
