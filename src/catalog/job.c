/*
 * job.c
 *		Statements on backup_service.job.
 */
#include "catalog/job.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

static BkStatement find_run = {
	.sql = "SELECT last_run_at FROM backup_service.job WHERE name = $1",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement note_run = {
	.sql = "INSERT INTO backup_service.job (name, last_run_at) VALUES ($1, $2)"
	" ON CONFLICT (name) DO UPDATE SET last_run_at = EXCLUDED.last_run_at",
	.nargs = 2,
	.types = {TEXTOID, TIMESTAMPTZOID},
};

static BkStatement note_failure = {
	.sql = "INSERT INTO backup_service.job AS j (name, last_run_at, failures) VALUES ($1, $2, 1)"
	" ON CONFLICT (name) DO UPDATE SET last_run_at = EXCLUDED.last_run_at, failures = j.failures + 1",
	.nargs = 2,
	.types = {TEXTOID, TIMESTAMPTZOID},
};

bool
bk_job_last_run(const char *name, TimestampTz *at)
{
	BkValues	values = {0};
	bool		found;

	bk_value_add_text(&values, name);
	found = bk_statement_read(&find_run, &values, 1) == 1;
	if (found)
		*at = bk_column_int64(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return found;
}

static void
note(BkStatement *statement, const char *name, TimestampTz at)
{
	BkValues	values = {0};

	bk_value_add_text(&values, name);
	bk_value_add(&values, TimestampTzGetDatum(at));
	bk_statement_write(statement, &values);
}

void
bk_job_note_run(const char *name, TimestampTz at)
{
	note(&note_run, name, at);
}

void
bk_job_note_failure(const char *name, TimestampTz at)
{
	note(&note_failure, name, at);
}
