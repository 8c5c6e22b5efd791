/*
 * job_archive.h
 *		The job that ships backups elsewhere.
 */
#ifndef BK_JOB_ARCHIVE_H
#define BK_JOB_ARCHIVE_H

#include "worker/jobs.h"

extern TimestampTz bk_job_archive_next_due(const BkCall *call, TimestampTz now);
extern bool bk_job_archive_run_batch(const BkCall *call, TimestampTz now);

#endif							/* BK_JOB_ARCHIVE_H */
