/*
 * jobs.c
 *		The table of jobs.
 */
#include "worker/jobs.h"

#include "service/roster_table.h"
#include "worker/job_archive.h"
#include "worker/job_cleanup.h"
#include "worker/job_notify.h"
#include "worker/job_restore.h"
#include "worker/job_scrub.h"
#include "worker/job_seal.h"

static const BkJob jobs[] = {
	{
		.name = "restore",
		.next_due = bk_job_restore_next_due,
		.run_batch = bk_job_restore_run_batch,
	},
	{
		.name = "seal",
		.next_due = bk_job_seal_next_due,
		.run_batch = bk_job_seal_run_batch,
	},
	{
		.name = "scrub",
		.next_due = bk_job_scrub_next_due,
		.run_batch = bk_job_scrub_run_batch,
	},
	{
		.name = "cleanup",
		.next_due = bk_job_cleanup_next_due,
		.run_batch = bk_job_cleanup_run_batch,
	},
	{
		.name = "archive",
		.next_due = bk_job_archive_next_due,
		.run_batch = bk_job_archive_run_batch,
	},
	/* Last, so that it finds what the others have left. */
	{
		.name = "notify",
		.next_due = bk_job_notify_next_due,
		.run_batch = bk_job_notify_run_batch,
	},
};

static const BkJob *added[BK_MAX_JOBS];
static int	added_count;

StaticAssertDecl(lengthof(jobs) < BK_MAX_JOBS, "the roster has no room for that many jobs");

int
bk_job_count(void)
{
	return (int) lengthof(jobs) + added_count;
}

const BkJob *
bk_job(int number)
{
	Assert(number < bk_job_count());
	return number < (int) lengthof(jobs) ? &jobs[number] : added[number - lengthof(jobs)];
}

void
bk_job_add(const BkJob *job)
{
	if (bk_job_count() == BK_MAX_JOBS)
		elog(ERROR, "there are already %d jobs", BK_MAX_JOBS);
	added[added_count++] = job;
}
