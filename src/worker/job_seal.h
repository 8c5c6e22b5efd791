/*
 * job_seal.h
 *		The job that gives the audit events of reads their places in the chains.
 */
#ifndef BK_JOB_SEAL_H
#define BK_JOB_SEAL_H

#include "worker/jobs.h"

extern TimestampTz bk_job_seal_next_due(const BkCall *call, TimestampTz now);
extern bool bk_job_seal_run_batch(const BkCall *call, TimestampTz now);

#endif							/* BK_JOB_SEAL_H */
