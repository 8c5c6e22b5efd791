/*
 * job_cleanup.h
 *		The job that removes what retention does not keep.
 */
#ifndef BK_JOB_CLEANUP_H
#define BK_JOB_CLEANUP_H

#include "worker/jobs.h"

extern TimestampTz bk_job_cleanup_next_due(const BkCall *call, TimestampTz now);
extern bool bk_job_cleanup_run_batch(const BkCall *call, TimestampTz now);

#endif							/* BK_JOB_CLEANUP_H */
