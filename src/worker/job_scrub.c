/*
 * job_scrub.c
 *		The scrub, a step to a batch.
 */
#include "worker/job_scrub.h"

#include "service/scrub.h"

TimestampTz
bk_job_scrub_next_due(const BkCall *call, TimestampTz now)
{
	return bk_scrub_next_due(now);
}

bool
bk_job_scrub_run_batch(const BkCall *call, TimestampTz now)
{
	return bk_scrub_run_step(call, now);
}
