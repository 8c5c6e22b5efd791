/*
 * policy.c
 *		bk_policy_set(), bk_policy_drop(), bk_policy_assign(), and the rules of a
 *		policy as arguments.
 */
#include "functions/policy.h"

#include "functions/arguments.h"
#include "functions/entry.h"
#include "service/policy.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* The arguments of rules, from the first on. */
enum
{
	ARG_KEEP_FOR, ARG_KEEP_LAST, ARG_TIME_ZONE = ARG_KEEP_LAST + BK_COUNTED_RULES, ARG_WEEK_START
};

void
bk_rules_argument(FunctionCallInfo fcinfo, int first, BkRetentionPolicy *rules, char **time_zone)
{
	memset(rules, 0, sizeof(*rules));
	if (!PG_ARGISNULL(first + ARG_KEEP_FOR))
		rules->keep_for = *PG_GETARG_INTERVAL_P(first + ARG_KEEP_FOR);
	for (int rule = 0; rule < BK_COUNTED_RULES; rule++)
		if (!PG_ARGISNULL(first + ARG_KEEP_LAST + rule))
			rules->keep[rule] = PG_GETARG_INT32(first + ARG_KEEP_LAST + rule);
	bk_check_not_null(fcinfo, first + ARG_TIME_ZONE, "time_zone");
	*time_zone = bk_optional_text(fcinfo, first + ARG_TIME_ZONE);
	bk_check_not_null(fcinfo, first + ARG_WEEK_START, "week_start");
	rules->week_start = PG_GETARG_INT32(first + ARG_WEEK_START);
}

/* An interval that is longer than nothing, or none. */
static void
expectation_argument(FunctionCallInfo fcinfo, int argument, Interval *expect_every)
{
	memset(expect_every, 0, sizeof(*expect_every));
	if (PG_ARGISNULL(argument))
		return;
	*expect_every = *PG_GETARG_INTERVAL_P(argument);
	if (expect_every->month < 0 || expect_every->day < 0 || expect_every->time < 0 ||
		(expect_every->month == 0 && expect_every->day == 0 && expect_every->time == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("expect_every must be positive"),
				 errdetail("It is %s.",
						   DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(expect_every)))),
				 errhint("Leave it out where no backup is expected.")));
}

static int32
max_snapshots_argument(FunctionCallInfo fcinfo, int argument)
{
	int32		max_snapshots;

	if (PG_ARGISNULL(argument))
		return BK_NO_MAX_SNAPSHOTS;
	max_snapshots = PG_GETARG_INT32(argument);
	if (max_snapshots < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_snapshots must not be negative"),
				 errdetail("It is %d.", max_snapshots),
				 errhint("0 means no limit.")));
	return max_snapshots;
}

/*
 * bk_policy_set(name text, keep_for interval, keep_last int, keep_hourly int, keep_daily int, keep_weekly int,
 * keep_monthly int, keep_yearly int, time_zone text, week_start int, expect_every interval, max_snapshots int)
 * returns void
 */
BK_FUNCTION(bk_policy_set)
{
	BkPolicy	policy = {.name = bk_resource_id_argument(fcinfo, 0, "name")};
	char	   *time_zone;

	bk_rules_argument(fcinfo, 1, &policy.rules, &time_zone);
	policy.time_zone = time_zone;
	expectation_argument(fcinfo, 10, &policy.expect_every);
	policy.max_snapshots = max_snapshots_argument(fcinfo, 11);
	bk_check_can_write("bk_policy_set()", NULL);
	bk_set_policy(&entry->call, &policy);
	PG_RETURN_VOID();
}

/* bk_policy_drop(name text) returns void */
BK_FUNCTION(bk_policy_drop)
{
	char	   *name = bk_resource_id_argument(fcinfo, 0, "name");

	bk_check_can_write("bk_policy_drop()", NULL);
	bk_drop_policy(&entry->call, name);
	PG_RETURN_VOID();
}

/* bk_policy_assign(resource_id text, name text, resource_type text) returns void */
BK_FUNCTION(bk_policy_assign)
{
	char	   *resource_id = bk_optional_resource_id(fcinfo, 0, "resource_id");
	char	   *name = bk_optional_resource_id(fcinfo, 1, "name");
	char	   *resource_type = bk_optional_resource_id(fcinfo, 2, "resource_type");

	if (resource_id && resource_type)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a policy is assigned to a resource or to a type, not to both"),
				 errhint("Leave resource_type out, or pass NULL for resource_id.")));
	bk_check_can_write("bk_policy_assign()", NULL);
	bk_assign_policy(&entry->call, resource_id, resource_type, name);
	PG_RETURN_VOID();
}
