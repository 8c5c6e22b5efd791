/*
 * health.c
 *		The checks of bk_health().
 *
 * Each one costs little whatever the catalog's size: it is asked every few seconds.
 */
#include "service/health.h"

#include "catalog/event.h"
#include "catalog/job.h"
#include "catalog/key.h"
#include "catalog/policy.h"
#include "catalog/queue.h"
#include "catalog/resource.h"
#include "catalog/unarchived.h"
#include "catalog/verification.h"
#include "service/archive_ship.h"
#include "service/clock.h"
#include "service/keys.h"
#include "service/notice.h"
#include "service/roster.h"
#include "service/scrub.h"
#include "service/try.h"
#include "settings.h"
#include "utils/timestamp.h"

/* What the worker does at once must not wait for longer, nor in such numbers. */
#define MAX_WAIT_SECONDS	300
#define MAX_WAITING			10000

/* How long all key versions together may take. */
#define KEYS_MS				5000

/* So many scrub_intervals after the last scrub, the next one should have begun. */
#define SCRUB_INTERVALS		2

/* Overdue resources are counted up to so many. */
#define MAX_OVERDUE			1000

/* What all checks look at. */
typedef struct Look
{
	const BkCall *call;
	TimestampTz now;
	BkKeyVersion *keys;
	int			key_count;
} Look;

typedef struct Check
{
	const char *name;
	bool		critical;

	/* Sets ok and detail. */
	void		(*make) (const Look *look, BkHealth *health);
} Check;

static void
check_worker(const Look *look, BkHealth *health)
{
	BkWorkerHealth worker;

	bk_roster_health(&worker);
	health->ok = worker.problem == NULL;
	if (worker.standby)
		health->detail = "this is a standby; the primary's worker does the work";
	else if (worker.problem)
		health->detail = worker.problem;
	else
		health->detail = worker.pid == 0 ? "at rest" : psprintf("process %d", worker.pid);
}

/* The first five minutes of a delay are none. */
static bool
is_late(const Look *look, TimestampTz since)
{
	return since != 0 && look->now - since > MAX_WAIT_SECONDS * USECS_PER_SEC;
}

static void
check_queue(const Look *look, BkHealth *health)
{
	TimestampTz due = bk_queue_next_due();

	health->ok = due == DT_NOEND || !is_late(look, due);
	if (due > look->now)
		health->detail = "no restore is due";
	else
		health->detail = psprintf("a restore has been due since %s", timestamptz_to_str(due));
}

/* A catalog that no worker has noticed should have been two intervals after its first key was made. */
static void
check_scrub(const Look *look, BkHealth *health)
{
	int64		limit = (int64) SCRUB_INTERVALS * bk_setting_scrub_interval * USECS_PER_SEC;
	TimestampTz last;

	if (bk_job_last_run(BK_SCRUB_JOB, &last))
		health->detail = psprintf("the next run is due at %s",
								  timestamptz_to_str(last + bk_setting_scrub_interval * USECS_PER_SEC));
	else
	{
		last = look->key_count == 0 ? look->now : look->keys[0].created_at;
		health->detail = "no worker has been here yet";
	}
	health->ok = look->now - last <= limit;
	if (bk_setting_scrub_interval == 0)
	{
		health->ok = true;
		health->detail = "backup_service.scrub_interval is 0";
	}
}

/* What is in the way of having a version within so many milliseconds; NULL: nothing. */
static const char *
key_problem(const Look *look, const BkKeyVersion *version, int64 milliseconds)
{
	BkKeys	   *keys = bk_keys_open(look->call);
	ErrorData  *error;

	if (milliseconds <= 0)
		return "not asked for: the others took too long";
	bk_keys_limit_time(keys, milliseconds);
	return bk_keys_try(keys, version->version, version->fingerprint, &error) ? NULL : error->message;
}

static bool
is_retired(const BkKeyVersion *version)
{
	return strcmp(version->state, "retired") == 0;
}

/* What the session has had within key_cache_ttl is not asked for again. */
static void
check_keys(const Look *look, BkHealth *health)
{
	TimestampTz end = GetCurrentTimestamp() + KEYS_MS * INT64CONST(1000);
	StringInfoData problems;
	int			asked = 0;

	initStringInfo(&problems);
	for (int i = 0; i < look->key_count; i++)
	{
		const BkKeyVersion *version = &look->keys[i];
		const char *problem;

		if (is_retired(version))
			continue;
		asked++;
		problem = key_problem(look, version, (end - GetCurrentTimestamp()) / 1000);
		if (problem)
			appendStringInfo(&problems, "%sversion %d: %s", problems.len == 0 ? "" : "; ", version->version, problem);
	}
	health->ok = problems.len == 0;
	health->detail = health->ok ? psprintf("%d can be had", asked) : problems.data;
}

static void
check_keys_copied(const Look *look, BkHealth *health)
{
	StringInfoData versions;

	initStringInfo(&versions);
	for (int i = 0; i < look->key_count; i++)
		if (!look->keys[i].copied && !is_retired(&look->keys[i]))
			appendStringInfo(&versions, "%s%d", versions.len == 0 ? "" : ", ", look->keys[i].version);
	health->ok = versions.len == 0;
	if (health->ok)
		health->detail = "nothing is to be copied";
	else
		health->detail = psprintf("copy to a safe place, and note with bk_key_copied(): version %s", versions.data);
	if (bk_setting_key_command[0] != '\0')
	{
		health->ok = true;
		health->detail = "backup_service.key_command keeps them";
	}
}

static void
check_corrupt(const Look *look, BkHealth *health)
{
	int64		count = bk_verification_count_corrupt();

	health->ok = count == 0;
	health->detail = psprintf(INT64_FORMAT, count);
}

/* Rows that the worker should have taken. */
static void
check_waiting(const Look *look, int64 count, TimestampTz oldest, BkHealth *health)
{
	health->ok = count <= MAX_WAITING && !is_late(look, oldest);
	if (count == 0)
		health->detail = "none waits";
	else
		health->detail = psprintf("%s" INT64_FORMAT " since %s", count > MAX_WAITING ? "more than " : "",
								  Min(count, MAX_WAITING), timestamptz_to_str(oldest));
}

static void
check_notices(const Look *look, BkHealth *health)
{
	TimestampTz oldest;
	int64		count = bk_notice_count(MAX_WAITING + 1, &oldest);

	check_waiting(look, count, oldest, health);
}

static void
check_audit(const Look *look, BkHealth *health)
{
	TimestampTz oldest;
	int64		count = bk_event_count_unsealed(MAX_WAITING + 1, &oldest);

	check_waiting(look, count, oldest, health);
}

/* A resource where clean-up has found more to remove than it may, and waits for bk_prune(). */
static void
check_cleanup(const Look *look, BkHealth *health)
{
	int64		count = bk_resource_count_stopped();

	health->ok = count == 0;
	health->detail = count == 0 ? "nothing waits for bk_prune()"
		: psprintf(INT64_FORMAT " resources wait for bk_prune(): more was to go than backup_service.cleanup_max_fraction allows",
				   count);
}

static void
check_overdue(const Look *look, BkHealth *health)
{
	char	   *first;
	int			count = bk_policy_find_overdue(look->now, MAX_OVERDUE, &first);

	health->ok = count == 0;
	if (count == 0)
		health->detail = "no resource is without the backup that its policy expects";
	else
		health->detail = psprintf("%s%d, the first is \"%s\"", count == MAX_OVERDUE ? "at least " : "", count, first);
}

static void
check_archive(const Look *look, BkHealth *health)
{
	if (bk_archiving_wanted())
	{
		TimestampTz oldest;
		int64		count = bk_unarchived_count(MAX_WAITING + 1, &oldest);

		check_waiting(look, count, oldest, health);
	}
	else
	{
		health->ok = true;
		health->detail = "backup_service.archive_command is not set";
	}
}

static const Check checks[] = {
	{"worker", true, check_worker},
	{"restore_queue", false, check_queue},
	{"scrub", false, check_scrub},
	{"keys", true, check_keys},
	{"keys_copied", false, check_keys_copied},
	{"corrupt_backups", false, check_corrupt},
	{"overdue_backups", false, check_overdue},
	{"cleanup", false, check_cleanup},
	{"archive", false, check_archive},
	{"notices", false, check_notices},
	{"unsealed_audit_events", false, check_audit},
};

int
bk_health_check(const BkCall *call, BkHealth **health)
{
	Look		look = {.call = call, .now = bk_now()};

	*health = palloc0(sizeof(BkHealth) * lengthof(checks));
	bk_view_open();
	look.key_count = bk_key_find_all(&look.keys);
	for (int i = 0; i < (int) lengthof(checks); i++)
	{
		(*health)[i].name = checks[i].name;
		(*health)[i].critical = checks[i].critical;
		checks[i].make(&look, &(*health)[i]);
	}
	bk_view_close();
	return lengthof(checks);
}
