/*
 * job_notify.h
 *		The job that sends notices.
 */
#ifndef BK_JOB_NOTIFY_H
#define BK_JOB_NOTIFY_H

#include "worker/jobs.h"

extern TimestampTz bk_job_notify_next_due(const BkCall *call, TimestampTz now);
extern bool bk_job_notify_run_batch(const BkCall *call, TimestampTz now);

#endif							/* BK_JOB_NOTIFY_H */
