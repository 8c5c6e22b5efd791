/*
 * job_archive.c
 *		backup_service.archive_command, a step to a batch.
 */
#include "worker/job_archive.h"

#include "service/archive_ship.h"

TimestampTz
bk_job_archive_next_due(const BkCall *call, TimestampTz now)
{
	return bk_archive_ship_next_due(now);
}

bool
bk_job_archive_run_batch(const BkCall *call, TimestampTz now)
{
	return bk_archive_ship_step(call, now);
}
