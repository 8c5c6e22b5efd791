/*
 * job_scrub.h
 *		The job that verifies backups before somebody needs them.
 */
#ifndef BK_JOB_SCRUB_H
#define BK_JOB_SCRUB_H

#include "worker/jobs.h"

extern TimestampTz bk_job_scrub_next_due(const BkCall *call, TimestampTz now);
extern bool bk_job_scrub_run_batch(const BkCall *call, TimestampTz now);

#endif							/* BK_JOB_SCRUB_H */
