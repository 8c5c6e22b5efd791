/*
 * notice.c
 *		Leaving notices and sending them.
 */
#include "service/notice.h"

#include "commands/async.h"
#include "service/clock.h"
#include "service/json_text.h"
#include "service/roster.h"
#include "service/wake.h"
#include "settings.h"

#define CHANNEL			"backup_service"

/* A payload has at most 7,999 bytes, or the transaction fails. */
#define MAX_BYTES		7900

bool
bk_notices_wanted(void)
{
	return bk_setting_notify && bk_roster_is_preloaded();
}

static void
add(const BkNotice *notice)
{
	if (!bk_notices_wanted())
		return;
	bk_notice_insert(notice);
	bk_wake_worker();
}

void
bk_notice_add(const char *event, const char *resource_id, int64 backup_id, int64 operation_id)
{
	BkNotice	notice = {
		.resource_id = unconstify(char *, resource_id),
		.event = event,
		.backup_id = backup_id,
		.operation_id = operation_id,
		.at = bk_now(),
	};

	add(&notice);
}

void
bk_notice_add_key_problem(int32 version)
{
	BkNotice	notice = {
		.resource_id = BK_NOTICE_OF_KEYS,
		.event = BK_NOTICE_KEY_PROBLEM,
		.key_version = version,
		.at = bk_now(),
	};

	add(&notice);
}

bool
bk_notices_wait(void)
{
	TimestampTz oldest;

	return bk_notice_count(1, &oldest) > 0;
}

/* The id makes every payload another: of equal ones, a transaction would send one. */
static char *
payload_of(const BkNotice *notice, bool with_resource)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_int64(&json, "id", notice->notice_id);
	bk_json_add_text(&json, "event", notice->event);
	if (with_resource && notice->resource_id[0] != '\0')
		bk_json_add_text(&json, "resource_id", notice->resource_id);
	if (notice->backup_id)
		bk_json_add_int64(&json, "backup_id", notice->backup_id);
	if (notice->operation_id)
		bk_json_add_int64(&json, "operation_id", notice->operation_id);
	if (notice->key_version)
		bk_json_add_int64(&json, "key_version", notice->key_version);
	bk_json_add_time(&json, "at", notice->at);
	bk_json_end(&json);
	return json.data;
}

static void
send(const BkNotice *notice)
{
	char	   *payload = payload_of(notice, true);

	/* No resource_id that the functions take is as long; one that was put into the table must not stop the others. */
	if (strlen(payload) > MAX_BYTES)
		payload = payload_of(notice, false);
	Async_Notify(CHANNEL, payload);
}

int
bk_notices_send(int limit)
{
	BkNotice   *notices;
	int			count;

	bk_view_open();
	count = bk_notice_find(limit, &notices);
	bk_view_close();
	/* Where they are not wanted any more, those that wait are dropped. */
	for (int i = 0; i < count; i++)
		if (bk_notice_delete(&notices[i]) && bk_setting_notify)
			send(&notices[i]);
	return count;
}
