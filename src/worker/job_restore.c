/*
 * job_restore.c
 *		Queued restores, a step to a batch.
 */
#include "worker/job_restore.h"

#include "service/queue_run.h"

TimestampTz
bk_job_restore_next_due(const BkCall *call, TimestampTz now)
{
	return bk_queue_run_due(now);
}

bool
bk_job_restore_run_batch(const BkCall *call, TimestampTz now)
{
	return bk_queue_run_step(call, now);
}
