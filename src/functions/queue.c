/*
 * queue.c
 *		bk_restore_enqueue(), bk_restore_at_enqueue(), bk_restore_cancel(), bk_restore_wait().
 */
#include "service/queue.h"

#include "common/int.h"
#include "functions/arguments.h"
#include "functions/entry.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* The three arguments that both ways of asking share. */
static void
read_request(FunctionCallInfo fcinfo, int first, BkRestoreRequest *request)
{
	request->target_resource_id = bk_optional_resource_id(fcinfo, first, "target_resource_id");
	request->validate = bk_bool_argument(fcinfo, first + 1, "validate");
	request->created_by = bk_label_argument(fcinfo, first + 2, "created_by");
}

/*
 * bk_restore_enqueue(backup_id bigint, target_resource_id text, validate bool, created_by text, resource_id text)
 * returns bigint
 */
BK_FUNCTION(bk_restore_enqueue)
{
	BkRestoreRequest request;
	int64		backup_id = bk_id_argument(fcinfo, 0, "backup_id");
	char	   *resource_id = bk_optional_resource_id(fcinfo, 4, "resource_id");

	read_request(fcinfo, 1, &request);
	bk_check_can_write("bk_restore_enqueue()", NULL);
	PG_RETURN_INT64(bk_enqueue_restore(&entry->call, &request, backup_id, resource_id));
}

/*
 * bk_restore_at_enqueue(resource_id text, at timestamptz, target_resource_id text, validate bool,
 * created_by text, nearest bool) returns bigint
 */
BK_FUNCTION(bk_restore_at_enqueue)
{
	BkRestoreRequest request;
	char	   *resource_id = bk_resource_id_argument(fcinfo, 0, "resource_id");
	bool		nearest = bk_bool_argument(fcinfo, 5, "nearest");

	bk_check_not_null(fcinfo, 1, "at");
	read_request(fcinfo, 2, &request);
	bk_check_can_write("bk_restore_at_enqueue()", NULL);
	PG_RETURN_INT64(bk_enqueue_restore_at(&entry->call, &request, resource_id, PG_GETARG_TIMESTAMPTZ(1), nearest));
}

/* bk_restore_cancel(operation_id bigint, resource_id text) returns void */
BK_FUNCTION(bk_restore_cancel)
{
	int64		operation_id = bk_id_argument(fcinfo, 0, "operation_id");
	char	   *resource_id = bk_optional_resource_id(fcinfo, 1, "resource_id");

	bk_check_can_write("bk_restore_cancel()", NULL);
	bk_cancel_restore(&entry->call, operation_id, resource_id);
	PG_RETURN_VOID();
}

/* An interval in microseconds, a month being 30 days; 0, which means for ever, for null and for one that is longer. */
static int64
timeout_argument(FunctionCallInfo fcinfo, int argument)
{
	Interval   *interval;
	int64		days;
	int64		microseconds;

	if (PG_ARGISNULL(argument))
		return 0;
	interval = PG_GETARG_INTERVAL_P(argument);
	days = (int64) interval->month * DAYS_PER_MONTH + interval->day;
	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &microseconds) ||
		pg_add_s64_overflow(microseconds, interval->time, &microseconds))
		microseconds = days > 0 ? 0 : -1;
	else if (microseconds == 0)
		microseconds = -1;
	if (microseconds < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("timeout must be positive"),
				 errhint("Leave timeout out to wait as long as it takes.")));
	return microseconds;
}

/* bk_restore_wait(operation_id bigint, timeout interval, resource_id text) returns text */
BK_FUNCTION(bk_restore_wait)
{
	int64		operation_id = bk_id_argument(fcinfo, 0, "operation_id");
	int64		timeout = timeout_argument(fcinfo, 1);
	char	   *resource_id = bk_optional_resource_id(fcinfo, 2, "resource_id");
	const char *status = bk_wait_for_restore(&entry->call, operation_id, resource_id, timeout);

	MemoryContextSwitchTo(entry->call.result_memory);
	PG_RETURN_TEXT_P(cstring_to_text(status));
}
