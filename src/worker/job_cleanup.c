/*
 * job_cleanup.c
 *		Clean-up, a batch at a time.
 */
#include "worker/job_cleanup.h"

#include "service/cleanup_run.h"

TimestampTz
bk_job_cleanup_next_due(const BkCall *call, TimestampTz now)
{
	return bk_cleanup_run_due(now);
}

bool
bk_job_cleanup_run_batch(const BkCall *call, TimestampTz now)
{
	return bk_cleanup_run_batch(call, now);
}
