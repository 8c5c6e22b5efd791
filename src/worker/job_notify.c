/*
 * job_notify.c
 *		Sending notices as soon as there are some.
 */
#include "worker/job_notify.h"

#include "service/notice.h"
#include "utils/timestamp.h"

#define NOTIFY_BATCH	500

TimestampTz
bk_job_notify_next_due(const BkCall *call, TimestampTz now)
{
	bool		waiting;

	bk_view_open();
	waiting = bk_notices_wait();
	bk_view_close();
	return waiting ? now : DT_NOEND;
}

bool
bk_job_notify_run_batch(const BkCall *call, TimestampTz now)
{
	return bk_notices_send(NOTIFY_BATCH) == NOTIFY_BATCH;
}
