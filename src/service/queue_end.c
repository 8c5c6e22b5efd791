/*
 * queue_end.c
 *		Retrying and giving up.
 */
#include "service/queue_end.h"

#include "service/audit.h"
#include "service/clock.h"
#include "service/notice.h"
#include "service/restore.h"
#include "service/try.h"
#include "settings.h"
#include "utils/builtins.h"

/* Time may mend it: conflicts, resources, an operator, the system, a master key that cannot be had. */
static bool
may_pass(const ErrorData *error)
{
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode))
	{
		case MAKE_SQLSTATE('0', '8', '0', '0', '0'):
		case MAKE_SQLSTATE('4', '0', '0', '0', '0'):
		case MAKE_SQLSTATE('5', '3', '0', '0', '0'):
		case MAKE_SQLSTATE('5', '5', '0', '0', '0'):
		case MAKE_SQLSTATE('5', '7', '0', '0', '0'):
		case MAKE_SQLSTATE('5', '8', '0', '0', '0'):
			return true;
		default:
			/* Also a key that is malformed, which its source may put right. */
			return bk_is_key_problem(error);
	}
}

static void
record_failure(const BkCall *call, const BkQueued *operation, const char *text)
{
	BkCall		asker = *call;

	asker.role_name = operation->role;
	bk_audit_read_failed(&asker, "restore", operation->resource_id, operation->backup_id,
						 bk_describe_failed_operation(operation->operation_id, operation->target_resource_id, text));
}

/* It is tried no more. */
static void
give_up(const BkCall *call, const BkQueued *operation, const char *text, Jsonb *found, TimestampTz now)
{
	bk_queue_set_failed(operation, text, found, now);
	record_failure(call, operation, text);
	bk_notice_add(BK_NOTICE_FAILED, operation->resource_id, operation->backup_id, operation->operation_id);
}

void
bk_queue_end_badly(const BkCall *call, const BkQueued *operation, const ErrorData *error, TimestampTz now)
{
	char	   *text = bk_error_text(error);
	bool		again = may_pass(error) && operation->attempts < bk_setting_max_attempts;

	if (again)
		bk_queue_set_queued(operation, text, bk_retry_time(now, operation->attempts));
	else
		give_up(call, operation, text, bk_validation_errors(error), now);
	ereport(LOG,
			(errcode(error->sqlerrcode),
			 errmsg("attempt %d at restore operation " INT64_FORMAT " has failed: %s",
					operation->attempts, operation->operation_id, error->message),
			 error->detail ? errdetail_internal("%s", error->detail) : 0,
			 errhint("%s", again ? "It will be tried again." : "It is not tried again.")));
}

/* One that ends its process each time, such as one for which memory does not suffice, must not do so without a pause. */
static TimestampTz
again_at(const BkQueued *operation, TimestampTz now)
{
	return operation->attempts <= 1 ? now : bk_retry_time(now, operation->attempts - 1);
}

void
bk_queue_end_lost(const BkCall *call, const BkQueued *operation, TimestampTz now)
{
	char	   *text;

	if (operation->attempts < bk_setting_max_attempts)
	{
		bk_queue_set_queued(operation, NULL, again_at(operation, now));
		return;
	}
	text = psprintf("the process that ran it ended before it was done, in the last of %d attempts", operation->attempts);
	give_up(call, operation, text, NULL, now);
}
