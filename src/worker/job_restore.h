/*
 * job_restore.h
 *		The job that does queued restores.
 */
#ifndef BK_JOB_RESTORE_H
#define BK_JOB_RESTORE_H

#include "worker/jobs.h"

extern TimestampTz bk_job_restore_next_due(const BkCall *call, TimestampTz now);
extern bool bk_job_restore_run_batch(const BkCall *call, TimestampTz now);

#endif							/* BK_JOB_RESTORE_H */
