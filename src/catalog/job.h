/*
 * job.h
 *		The table backup_service.job: when the worker's periodic jobs last ran.
 */
#ifndef BK_CATALOG_JOB_H
#define BK_CATALOG_JOB_H

#include "catalog/statement.h"
#include "datatype/timestamp.h"

/* When a job's last run was begun, in a view; false where there was none yet. */
extern bool bk_job_last_run(const char *name, TimestampTz *at);

/* Note that a run begins: it will have been begun if the transaction commits. */
extern void bk_job_note_run(const char *name, TimestampTz at);

/* Count a failure of a job that does not come round. */
extern void bk_job_note_failure(const char *name, TimestampTz at);

#endif							/* BK_CATALOG_JOB_H */
