/*
 * job_restore.c
 *		Queued restores, a step to a batch; and the end of their records.
 */
#include "worker/job_restore.h"

#include "service/queue_run.h"
#include "service/queue_trim.h"
#include "worker/helpers.h"

TimestampTz
bk_job_restore_next_due(const BkCall *call, TimestampTz now)
{
	return Min(bk_queue_run_due(now), bk_queue_trim_due());
}

bool
bk_job_restore_run_batch(const BkCall *call, TimestampTz now)
{
	bool		more = bk_queue_trim(now);

	more |= bk_queue_run_step(call, now);
	if (bk_queue_run_wants_help())
		bk_helpers_add();
	return more;
}
