/*
 * scrub.c
 *		Runs of the scrub.
 */
#include "service/scrub.h"

#include "catalog/job.h"
#include "catalog/verification.h"
#include "service/examine.h"
#include "service/finding.h"
#include "settings.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* How many backups a run looks for at a time. */
#define CANDIDATES		50000

/* A step ends when it has read so much, or so many backups. */
#define STEP_BYTES		(4 * 1024 * 1024)
#define STEP_BACKUPS	100

/* Findings that wait for a writer: how many, how often, and how long each time. */
#define MAX_LATER		100
#define MAX_ROUNDS		5
#define LATER_SECONDS	2

/* How many dependents a message names. */
#define MAX_NAMED		20

typedef struct Run
{
	/* info */
	BkMemory	memory;
	TimestampTz begun_at;
	BkExaminer *examiner;

	/* variables */
	BkMemory	list_memory;	/* of the candidates */
	BkCandidate *list;
	int			count;
	int			next;
	bool		complete;		/* there are no more than those in the list */
	int64		bytes_left;
	bool		has_verified;
	bool		in_step;		/* still set at a step's begin: the last one failed */

	/* findings that could not be noted */
	BkCandidate later[MAX_LATER];
	int			later_count;
	int			rounds;
	TimestampTz wait_until;
} Run;

/* What this process is at; NULL between runs. */
static Run *run;

/* Sound backups of a step, noted at its end, so that no writer waits for what is read after them. */
typedef struct Noted
{
	BkBackup	backup;
	bool		in_full;
} Noted;

typedef struct Step
{
	const BkCall *call;
	TimestampTz now;
	int64		bytes;
	int			count;
	Noted		noted[STEP_BACKUPS];
	bool		over;			/* the budget does not allow the next one */
	bool		cut;			/* end it now */
} Step;

TimestampTz
bk_scrub_next_due(TimestampTz now)
{
	TimestampTz last;
	bool		found;

	if (bk_setting_scrub_interval == 0)
		return DT_NOEND;
	if (run)
		return Max(run->wait_until, now);
	bk_view_open();
	found = bk_job_last_run(BK_SCRUB_JOB, &last);
	bk_view_close();
	/* The clock may have been put back. */
	return found ? Min(last, now) + bk_setting_scrub_interval * USECS_PER_SEC : now;
}

static void
end_run(void)
{
	bk_memory_delete(run->memory);
	run = NULL;
}

/* What has been verified since the run was begun, by it or by others, is not looked for again. */
static void
list_candidates(void)
{
	MemoryContext outer;

	if (run->list_memory)
		bk_memory_delete(run->list_memory);
	run->list_memory = bk_memory_new(run->memory, "backup_service scrub candidates");
	outer = MemoryContextSwitchTo(run->list_memory);
	bk_view_open();
	run->count = bk_verification_find_oldest(run->begun_at, CANDIDATES, &run->list);
	bk_view_close();
	MemoryContextSwitchTo(outer);
	run->next = 0;
	run->complete = run->count < CANDIDATES;
}

static void
begin_run(TimestampTz now)
{
	BkMemory	memory = bk_memory_new(TopMemoryContext, "backup_service scrub");

	bk_job_note_run(BK_SCRUB_JOB, now);
	run = bk_alloc_zero(memory, sizeof(Run));
	run->memory = memory;
	run->begun_at = now;
	run->wait_until = DT_NOBEGIN;
	run->bytes_left = bk_setting_scrub_budget * INT64CONST(1024);
	run->examiner = bk_examiner_new(memory);
	list_candidates();
}

/* Come back to findings that could not be noted, some time later. */
static bool
take_later(TimestampTz now)
{
	if (run->later_count == 0 || run->rounds == MAX_ROUNDS)
		return false;
	run->rounds++;
	run->list = bk_alloc(run->memory, sizeof(run->later));
	memcpy(run->list, run->later, sizeof(run->later));
	run->count = run->later_count;
	run->next = run->later_count = 0;
	run->wait_until = now + LATER_SECONDS * USECS_PER_SEC;
	return true;
}

/* Whether there is anything left to verify; where that is only to be done later, wait_until says when. */
static bool
has_next(TimestampTz now)
{
	if (run->next < run->count)
		return true;
	if (!run->complete)
		list_candidates();
	return run->next < run->count || take_later(now);
}

static void
postpone(const BkBackup *backup)
{
	if (run->later_count == MAX_LATER)
		return;
	run->later[run->later_count].resource_id = MemoryContextStrdup(run->memory, backup->resource_id);
	run->later[run->later_count++].backup_id = backup->backup_id;
}

/* "Backups 2, 3 and 17 more build on it." */
static char *
name_dependents(const BkFinding *finding)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < Min(finding->count, MAX_NAMED); i++)
		appendStringInfo(&text, "%s" INT64_FORMAT, i == 0 ? "" : ", ", finding->dependents[i]);
	if (finding->count > MAX_NAMED)
		appendStringInfo(&text, " and %d more", finding->count - MAX_NAMED);
	return text.data;
}

static void
warn(const BkBackup *backup, const char *error, const BkFinding *finding)
{
	ereport(WARNING,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("backup " INT64_FORMAT " of resource \"%s\" is corrupt", backup->backup_id, backup->resource_id),
			 finding->count == 0 ? errdetail("%s", error)
			 : errdetail("%s Corrupt with it, since they build on it: %s.", error, name_dependents(finding)),
			 errhint("Put back what is damaged, from a base backup for example; once bk_verify(" INT64_FORMAT
					 ") finds it sound, it is completed again.", backup->backup_id)));
}

static void
note_damage(Step *step, const BkBackup *backup, const BkExamination *examination)
{
	const BkBackup *culprit = &examination->culprit;
	BkFinding	finding;

	step->cut = true;
	if (!bk_finding_note_damage(step->call, culprit, examination->error, step->now, &finding))
		postpone(backup);
	else
	{
		if (finding.is_news)
			warn(culprit, examination->error, &finding);
		/* It was verified too, and shall not be the first one in the next run. */
		if (culprit->backup_id != backup->backup_id)
			bk_backup_set_verified(backup, step->now);
	}
}

static void
verify(Step *step, const BkCandidate *candidate)
{
	BkBackup	backup;
	BkExamination examination;
	bool		found;

	bk_view_open();
	found = bk_backup_find(candidate->resource_id, candidate->backup_id, &backup);
	bk_view_close();
	if (!found)
		return;
	/* One that is larger than the budget is verified too, in a run of its own. */
	bk_examine(run->examiner, step->call, &backup, run->has_verified ? run->bytes_left : -1, &examination);
	if (examination.result == BK_EXAMINED_NOT)
	{
		step->over = true;
		return;
	}
	run->has_verified = true;
	run->bytes_left = Max(run->bytes_left - examination.bytes, 0);
	step->bytes += Min(examination.bytes, STEP_BYTES);
	if (examination.result == BK_EXAMINED_DAMAGED)
		note_damage(step, &backup, &examination);
	else if (examination.result != BK_EXAMINED_FAILED)
		step->noted[step->count++] = (Noted) {backup, examination.result == BK_EXAMINED_SOUND};
}

/* A backup whose resource has a writer at the moment stays among those to verify next, unless it is corrupt for others. */
static void
note_sound(Step *step)
{
	for (int i = 0; i < step->count; i++)
	{
		const BkBackup *backup = &step->noted[i].backup;
		BkFinding	finding = {0};

		if (!step->noted[i].in_full)
			(void) bk_finding_note_at_rest(backup, step->now);
		else if (!bk_finding_note_sound(step->call, backup, step->now, &finding)
				 && strcmp(backup->status, "corrupt") == 0)
			postpone(backup);
		if (finding.is_news)
			ereport(LOG,
					(errmsg("backup " INT64_FORMAT " of resource \"%s\" is sound again",
							backup->backup_id, backup->resource_id)));
	}
}

/* An error in a step ends the step and not the run; the backup that it was at is passed over. */
static void
begin_step(void)
{
	if (run->in_step)
		bk_examiner_rest(run->examiner, NULL);
	run->in_step = true;
}

static void
end_step(void)
{
	bk_examiner_rest(run->examiner, run->next < run->count ? run->list[run->next].resource_id : NULL);
	run->in_step = false;
}

bool
bk_scrub_run_step(const BkCall *call, TimestampTz now)
{
	Step	   *step = bk_alloc_zero(call->memory, sizeof(Step));

	step->call = call;
	step->now = now;
	if (run == NULL)
		begin_run(now);
	begin_step();
	while (!step->over && !step->cut && step->bytes < STEP_BYTES && step->count < STEP_BACKUPS
		   && run->wait_until <= now && run->next < run->count)
	{
		verify(step, &run->list[run->next++]);
		CHECK_FOR_INTERRUPTS();
	}
	note_sound(step);
	end_step();
	if (!step->over && has_next(now))
		return run->wait_until <= now;
	end_run();
	return false;
}
