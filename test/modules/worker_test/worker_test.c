/*
 * worker_test.c
 *		Jobs that a test writes in SQL, and a clock that it sets.
 *
 * Preloaded after backup_service.  In a database that has the table worker_test.job, job A and
 * job B run what it says: next_due is a query that gives a time (or is null), batch one that gives
 * whether there is more.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "service/clock.h"
#include "service/wake.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
#include "worker/jobs.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

static int	clock_offset;		/* seconds */

static TimestampTz
shifted_clock(void)
{
	return GetCurrentTimestamp() + clock_offset * USECS_PER_SEC;
}

/* One value of a query, false where it is null or gives no row. */
static bool
value_of(const char *query, bool read_only, Datum *value)
{
	bool		is_null;

	if (SPI_execute(query, read_only, 1) != SPI_OK_SELECT)
		elog(ERROR, "not a query: %s", query);
	if (SPI_processed == 0)
		return false;
	*value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
	return !is_null;
}

/* What the table has in a column for a job; NULL without. */
static char *
script_of(const char *job, const char *column)
{
	Datum		found;

	if (!value_of("SELECT pg_catalog.to_regclass('worker_test.job') IS NOT NULL", true, &found) || !DatumGetBool(found))
		return NULL;
	if (!value_of(psprintf("SELECT %s FROM worker_test.job WHERE name = '%s'", column, job), true, &found))
		return NULL;
	return TextDatumGetCString(found);
}

static TimestampTz
next_due(const char *job)
{
	char	   *script = script_of(job, "next_due");
	Datum		value;

	return script && value_of(script, false, &value) ? DatumGetTimestampTz(value) : DT_NOEND;
}

static bool
run_batch(const char *job)
{
	char	   *script = script_of(job, "batch");
	Datum		value;

	return script && value_of(script, false, &value) && DatumGetBool(value);
}

static TimestampTz
next_due_a(const BkCall *call, TimestampTz now)
{
	return next_due("a");
}

static bool
run_a(const BkCall *call, TimestampTz now)
{
	return run_batch("a");
}

static bool
run_b(const BkCall *call, TimestampTz now)
{
	return run_batch("b");
}

PG_FUNCTION_INFO_V1(worker_test_wake);

/* Wakes the worker at commit, as the extension's functions do. */
Datum
worker_test_wake(PG_FUNCTION_ARGS)
{
	bk_wake_worker();
	PG_RETURN_VOID();
}

static const BkJob job_a = {.name = "test a", .next_due = next_due_a, .run_batch = run_a};
static const BkJob job_b = {.name = "test b", .run_batch = run_b};

void
_PG_init(void)
{
	DefineCustomIntVariable("worker_test.clock_offset", "Seconds that the clock is ahead.", NULL,
							&clock_offset, 0, 0, INT_MAX, PGC_SUSET, 0, NULL, NULL, NULL);
	bk_clock_hook = shifted_clock;
	bk_job_add(&job_a);
	bk_job_add(&job_b);
}
