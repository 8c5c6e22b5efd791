/*
 * queue_end.c
 *		Retrying and giving up.
 */
#include "service/queue_end.h"

#include "service/audit.h"
#include "service/clock.h"
#include "service/json_text.h"
#include "service/notice.h"
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

/* A damaged backup is what validation found. */
static Jsonb *
validation_errors(const ErrorData *error, const char *text)
{
	StringInfoData json;

	if (!bk_is_damage(error))
		return NULL;
	bk_json_begin_array(&json);
	bk_json_add_element(&json, text);
	bk_json_end_array(&json);
	return bk_json_value(&json);
}

static void
record_failure(const BkCall *call, const BkQueued *operation, const char *text)
{
	BkCall		asker = *call;
	StringInfoData json;

	asker.role_name = operation->role;
	bk_json_begin(&json);
	bk_json_add_int64(&json, "operation_id", operation->operation_id);
	bk_json_add_text(&json, "target_resource_id", operation->target_resource_id);
	bk_json_add_text(&json, "error", text);
	bk_json_end(&json);
	bk_audit_read_failed(&asker, "restore", operation->resource_id, operation->backup_id, bk_json_value(&json));
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
		give_up(call, operation, text, validation_errors(error, text), now);
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
