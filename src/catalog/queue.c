/*
 * queue.c
 *		Statements on backup_service.restore_operation as a queue.
 */
#include "catalog/queue.h"

#include "catalog/backup.h"
#include "catalog/pg_type.h"
#include "utils/timestamp.h"

/* The columns that read_row() expects, in its order. */
#define COLUMNS \
	"resource_id, operation_id, backup_id, target_resource_id, type, validate, role, created_by, created_at," \
	" next_attempt_at, status, attempts"
#define FIND \
	"SELECT " COLUMNS " FROM backup_service.restore_operation WHERE resource_id = $1 AND operation_id = $2"
#define UPDATE(assignments) \
	"UPDATE backup_service.restore_operation SET " assignments " WHERE resource_id = $1 AND operation_id = $2"

static BkStatement insert_operation = {
	.sql = "INSERT INTO backup_service.restore_operation (resource_id, backup_id, target_resource_id, type, status,"
	" progress, validated, validate, role, created_by, created_at, next_attempt_at)"
	" VALUES ($1, $2, $3, $4, 'queued', 0, false, $5, $6, $7, $8, $8) RETURNING operation_id",
	.nargs = 8,
	.types = {TEXTOID, INT8OID, TEXTOID, TEXTOID, BOOLOID, NAMEOID, TEXTOID, TIMESTAMPTZOID},
};

static BkStatement find_resource = {
	.sql = "SELECT resource_id FROM backup_service.restore_operation WHERE operation_id = $1",
	.nargs = 1,
	.types = {INT8OID},
};

static BkStatement find_operation = {
	.sql = FIND,
	.nargs = 2,
	.types = {TEXTOID, INT8OID},
};

static BkStatement lock_operation = {
	.sql = FIND " FOR NO KEY UPDATE",
	.nargs = 2,
	.types = {TEXTOID, INT8OID},
};

static BkStatement try_lock_operation = {
	.sql = FIND " FOR NO KEY UPDATE SKIP LOCKED",
	.nargs = 2,
	.types = {TEXTOID, INT8OID},
};

static BkStatement find_due = {
	.sql = "SELECT " COLUMNS " FROM backup_service.restore_operation"
	" WHERE status = 'queued' AND next_attempt_at <= $1 AND (next_attempt_at, operation_id) > ($2, $3)"
	" ORDER BY next_attempt_at, operation_id LIMIT $4",
	.nargs = 4,
	.types = {TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, INT4OID},
};

static BkStatement next_due = {
	.sql = "SELECT next_attempt_at FROM backup_service.restore_operation"
	" WHERE status = 'queued' ORDER BY next_attempt_at, operation_id LIMIT 1",
	.nargs = 0,
};

static BkStatement find_running = {
	.sql = "SELECT " COLUMNS " FROM backup_service.restore_operation"
	" WHERE status = 'running' ORDER BY resource_id, operation_id LIMIT $1",
	.nargs = 1,
	.types = {INT4OID},
};

/* What ended before a time was made before it, which is what the index knows. */
static BkStatement find_ended = {
	.sql = "SELECT " COLUMNS " FROM backup_service.restore_operation"
	" WHERE created_at < $1 AND completed_at < $1 ORDER BY created_at, operation_id LIMIT $2",
	.nargs = 2,
	.types = {TIMESTAMPTZOID, INT4OID},
};

static BkStatement find_oldest_end = {
	.sql = "SELECT completed_at FROM backup_service.restore_operation"
	" WHERE completed_at IS NOT NULL ORDER BY created_at, operation_id LIMIT 1",
	.nargs = 0,
};

static BkStatement delete_ended = {
	.sql = "DELETE FROM backup_service.restore_operation"
	" WHERE resource_id = $1 AND operation_id = $2 AND completed_at IS NOT NULL"
	" RETURNING status, coalesce(started_at, created_at), completed_at",
	.nargs = 2,
	.types = {TEXTOID, INT8OID},
};

static BkStatement find_pin = {
	.sql = "SELECT operation_id FROM backup_service.restore_operation"
	" WHERE resource_id = $1 AND status = 'running' AND pinned && $2 ORDER BY operation_id LIMIT 1",
	.nargs = 2,
	.types = {TEXTOID, INT8ARRAYOID},
};

static BkStatement set_running = {
	.sql = UPDATE("status = 'running', attempts = attempts + 1, pinned = $3, bytes_total = $4, bytes_done = 0,"
				  " progress = 0, started_at = $5, next_attempt_at = NULL"),
	.nargs = 5,
	.types = {TEXTOID, INT8OID, INT8ARRAYOID, INT8OID, TIMESTAMPTZOID},
};

static BkStatement set_progress = {
	.sql = UPDATE("progress = $3, bytes_done = $4"),
	.nargs = 4,
	.types = {TEXTOID, INT8OID, INT4OID, INT8OID},
};

static BkStatement set_completed = {
	.sql = UPDATE("status = 'completed', progress = 100, bytes_done = bytes_total, validated = validate,"
				  " restored_backup_id = $3, completed_at = $4, pinned = NULL, error = NULL"),
	.nargs = 4,
	.types = {TEXTOID, INT8OID, INT8OID, TIMESTAMPTZOID},
};

static BkStatement set_failed = {
	.sql = UPDATE("status = 'failed', error = $3, validation_errors = coalesce($4, '[]'), completed_at = $5,"
				  " pinned = NULL, next_attempt_at = NULL"),
	.nargs = 5,
	.types = {TEXTOID, INT8OID, TEXTOID, JSONBOID, TIMESTAMPTZOID},
};

static BkStatement set_cancelled = {
	.sql = UPDATE("status = 'cancelled', completed_at = $3, pinned = NULL, next_attempt_at = NULL"),
	.nargs = 3,
	.types = {TEXTOID, INT8OID, TIMESTAMPTZOID},
};

static BkStatement set_queued = {
	.sql = UPDATE("status = 'queued', error = coalesce($3, error), next_attempt_at = $4, pinned = NULL,"
				  " progress = 0, bytes_done = 0"),
	.nargs = 4,
	.types = {TEXTOID, INT8OID, TEXTOID, TIMESTAMPTZOID},
};

int64
bk_queue_insert(const BkQueued *operation)
{
	BkValues	values = {0};
	int64		operation_id;

	bk_value_add_text(&values, operation->resource_id);
	bk_value_add_int64(&values, operation->backup_id);
	bk_value_add_text(&values, operation->target_resource_id);
	bk_value_add_text(&values, bk_type_name(operation->type));
	bk_value_add(&values, BoolGetDatum(operation->validate));
	bk_value_add_name(&values, operation->role);
	bk_value_add_text(&values, operation->created_by);
	bk_value_add(&values, TimestampTzGetDatum(operation->created_at));
	bk_statement_write(&insert_operation, &values);
	operation_id = bk_column_int64(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return operation_id;
}

char *
bk_queue_resource(int64 operation_id)
{
	BkValues	values = {0};
	char	   *resource_id = NULL;

	bk_value_add_int64(&values, operation_id);
	if (bk_statement_read_once(&find_resource, &values) == 1)
		resource_id = bk_column_text(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return resource_id;
}

static void
read_row(uint64 row, BkQueued *operation)
{
	operation->resource_id = bk_column_text(row, 1);
	operation->operation_id = bk_column_int64(row, 2);
	operation->backup_id = bk_column_int64(row, 3);
	operation->target_resource_id = bk_column_text(row, 4);
	if (!bk_type_from_name(bk_column_text(row, 5), &operation->type))
		operation->type = BK_TYPE_FULL;
	operation->validate = bk_column_bool(row, 6);
	operation->role = bk_column_text(row, 7);
	operation->created_by = bk_column_text(row, 8);
	operation->created_at = bk_column_int64(row, 9);
	operation->next_attempt_at = bk_column_int64(row, 10);
	operation->status = bk_column_text(row, 11);
	operation->attempts = bk_column_int32(row, 12);
}

static bool
read_one(uint64 rows, BkQueued *operation)
{
	if (rows == 1)
		read_row(0, operation);
	SPI_freetuptable(SPI_tuptable);
	return rows == 1;
}

static void
add_key(BkValues *values, const char *resource_id, int64 operation_id)
{
	bk_value_add_text(values, resource_id);
	bk_value_add_int64(values, operation_id);
}

bool
bk_queue_find(const char *resource_id, int64 operation_id, BkQueued *operation)
{
	BkValues	values = {0};

	add_key(&values, resource_id, operation_id);
	return read_one(bk_statement_read(&find_operation, &values, 1), operation);
}

bool
bk_queue_lock(const char *resource_id, int64 operation_id, BkQueued *operation)
{
	BkValues	values = {0};

	add_key(&values, resource_id, operation_id);
	return read_one(bk_statement_write(&lock_operation, &values), operation);
}

bool
bk_queue_try_lock(const char *resource_id, int64 operation_id, BkQueued *operation)
{
	BkValues	values = {0};

	add_key(&values, resource_id, operation_id);
	return read_one(bk_statement_write(&try_lock_operation, &values), operation);
}

static int
read_all(uint64 rows, BkQueued **operations)
{
	*operations = palloc(sizeof(BkQueued) * Max(rows, 1));
	for (uint64 i = 0; i < rows; i++)
		read_row(i, &(*operations)[i]);
	SPI_freetuptable(SPI_tuptable);
	return rows;
}

int
bk_queue_find_due(TimestampTz now, const BkQueued *after, int limit, BkQueued **operations)
{
	BkValues	values = {0};

	bk_value_add(&values, TimestampTzGetDatum(now));
	bk_value_add(&values, TimestampTzGetDatum(after ? after->next_attempt_at : DT_NOBEGIN));
	bk_value_add_int64(&values, after ? after->operation_id : 0);
	bk_value_add(&values, Int32GetDatum(limit));
	return read_all(bk_statement_read(&find_due, &values, 0), operations);
}

/* A query that gives one time at most. */
static TimestampTz
read_time(BkStatement *statement)
{
	BkValues	values = {0};
	TimestampTz time = DT_NOEND;

	if (bk_statement_read(statement, &values, 1) == 1)
		time = bk_column_int64(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return time;
}

TimestampTz
bk_queue_next_due(void)
{
	return read_time(&next_due);
}

TimestampTz
bk_queue_find_oldest_end(void)
{
	return read_time(&find_oldest_end);
}

int
bk_queue_find_ended(TimestampTz before, int limit, BkQueued **operations)
{
	BkValues	values = {0};

	bk_value_add(&values, TimestampTzGetDatum(before));
	bk_value_add(&values, Int32GetDatum(limit));
	return read_all(bk_statement_read(&find_ended, &values, 0), operations);
}

bool
bk_queue_delete(const BkQueued *operation, BkEnded *ended)
{
	BkValues	values = {0};
	bool		found;

	add_key(&values, operation->resource_id, operation->operation_id);
	found = bk_statement_write(&delete_ended, &values) == 1;
	if (found)
		*ended = (BkEnded) {
			.status = bk_column_text(0, 1),
			.duration = Max(bk_column_int64(0, 3) - bk_column_int64(0, 2), 0),
		};
	SPI_freetuptable(SPI_tuptable);
	return found;
}

int
bk_queue_find_running(int limit, BkQueued **operations)
{
	BkValues	values = {0};

	bk_value_add(&values, Int32GetDatum(limit));
	return read_all(bk_statement_read(&find_running, &values, 0), operations);
}

int64
bk_queue_find_pin(const char *resource_id, const int64 *ids, int count)
{
	BkValues	values = {0};
	int64		operation_id = 0;

	bk_value_add_text(&values, resource_id);
	bk_value_add_ids(&values, ids, count);
	if (bk_statement_write(&find_pin, &values) == 1)
		operation_id = bk_column_int64(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return operation_id;
}

void
bk_queue_set_running(const BkQueued *operation, const int64 *pinned, int count, int64 bytes_total, TimestampTz now)
{
	BkValues	values = {0};

	add_key(&values, operation->resource_id, operation->operation_id);
	bk_value_add_ids(&values, pinned, count);
	bk_value_add_int64(&values, bytes_total);
	bk_value_add(&values, TimestampTzGetDatum(now));
	bk_statement_write(&set_running, &values);
}

void
bk_queue_set_progress(const BkQueued *operation, int32 progress, int64 bytes_done)
{
	BkValues	values = {0};

	add_key(&values, operation->resource_id, operation->operation_id);
	bk_value_add(&values, Int32GetDatum(progress));
	bk_value_add_int64(&values, bytes_done);
	bk_statement_write(&set_progress, &values);
}

void
bk_queue_set_completed(const BkQueued *operation, int64 restored_backup_id, TimestampTz now)
{
	BkValues	values = {0};

	add_key(&values, operation->resource_id, operation->operation_id);
	bk_value_add_int64(&values, restored_backup_id);
	bk_value_add(&values, TimestampTzGetDatum(now));
	bk_statement_write(&set_completed, &values);
}

void
bk_queue_set_failed(const BkQueued *operation, const char *error, Jsonb *validation_errors, TimestampTz now)
{
	BkValues	values = {0};

	add_key(&values, operation->resource_id, operation->operation_id);
	bk_value_add_text(&values, error);
	bk_value_add_jsonb(&values, validation_errors);
	bk_value_add(&values, TimestampTzGetDatum(now));
	bk_statement_write(&set_failed, &values);
}

void
bk_queue_set_cancelled(const BkQueued *operation, TimestampTz now)
{
	BkValues	values = {0};

	add_key(&values, operation->resource_id, operation->operation_id);
	bk_value_add(&values, TimestampTzGetDatum(now));
	bk_statement_write(&set_cancelled, &values);
}

void
bk_queue_set_queued(const BkQueued *operation, const char *error, TimestampTz next_attempt_at)
{
	BkValues	values = {0};

	add_key(&values, operation->resource_id, operation->operation_id);
	bk_value_add_text(&values, error);
	bk_value_add(&values, TimestampTzGetDatum(next_attempt_at));
	bk_statement_write(&set_queued, &values);
}
