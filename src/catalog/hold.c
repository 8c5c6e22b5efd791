/*
 * hold.c
 *		Statements on backup_service.hold.
 */
#include "catalog/hold.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

static BkStatement insert_hold = {
	.sql = "INSERT INTO backup_service.hold (resource_id, backup_id, name, reason, until, created_by, created_at)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (resource_id, backup_id, name) DO UPDATE"
	" SET reason = excluded.reason, until = excluded.until, created_by = excluded.created_by,"
	" created_at = excluded.created_at"
	" WHERE hold.until <= excluded.created_at",
	.nargs = 7,
	.types = {TEXTOID, INT8OID, TEXTOID, TEXTOID, TIMESTAMPTZOID, NAMEOID, TIMESTAMPTZOID},
};

static BkStatement delete_hold = {
	.sql = "DELETE FROM backup_service.hold WHERE resource_id = $1 AND backup_id = $2 AND name = $3",
	.nargs = 3,
	.types = {TEXTOID, INT8OID, TEXTOID},
};

static BkStatement find_any = {
	.sql = "SELECT backup_id, name, reason, until, created_by, created_at FROM backup_service.hold"
	" WHERE resource_id = $1 AND backup_id = ANY ($2) AND (until IS NULL OR until > $3)"
	" ORDER BY backup_id, created_at, name LIMIT 1",
	.nargs = 3,
	.types = {TEXTOID, INT8ARRAYOID, TIMESTAMPTZOID},
};

static BkStatement find_all = {
	.sql = "SELECT backup_id, name, reason, until, created_by, created_at FROM backup_service.hold"
	" WHERE resource_id = $1 AND (until IS NULL OR until > $2) ORDER BY backup_id, created_at, name",
	.nargs = 2,
	.types = {TEXTOID, TIMESTAMPTZOID},
};

bool
bk_hold_insert(const BkHold *hold)
{
	BkValues	values = {0};

	bk_value_add_text(&values, hold->resource_id);
	bk_value_add_int64(&values, hold->backup_id);
	bk_value_add_text(&values, hold->name);
	bk_value_add_text(&values, hold->reason);
	bk_value_add_time(&values, hold->until);
	bk_value_add_name(&values, hold->created_by);
	bk_value_add(&values, TimestampTzGetDatum(hold->created_at));
	return bk_statement_write(&insert_hold, &values) == 1;
}

bool
bk_hold_delete(const char *resource_id, int64 backup_id, const char *name)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_int64(&values, backup_id);
	bk_value_add_text(&values, name);
	return bk_statement_write(&delete_hold, &values) == 1;
}

static void
read_row(uint64 row, const char *resource_id, BkHold *hold)
{
	*hold = (BkHold) {
		.resource_id = resource_id,
		.backup_id = bk_column_int64(row, 1),
		.name = bk_column_text(row, 2),
		.reason = bk_column_text(row, 3),
		.until = bk_column_int64(row, 4),
		.created_by = bk_column_text(row, 5),
		.created_at = bk_column_int64(row, 6),
	};
}

int
bk_hold_find_all(const char *resource_id, TimestampTz now, BkHold **holds)
{
	BkValues	values = {0};
	uint64		count;

	bk_value_add_text(&values, resource_id);
	bk_value_add(&values, TimestampTzGetDatum(now));
	count = bk_statement_read(&find_all, &values, 0);
	*holds = palloc(sizeof(BkHold) * Max(count, 1));
	for (uint64 i = 0; i < count; i++)
		read_row(i, resource_id, &(*holds)[i]);
	SPI_freetuptable(SPI_tuptable);
	return count;
}

bool
bk_hold_find_any(const char *resource_id, const int64 *ids, int count, TimestampTz now, BkHold *hold)
{
	BkValues	values = {0};
	bool		found;

	bk_value_add_text(&values, resource_id);
	bk_value_add_ids(&values, ids, count);
	bk_value_add(&values, TimestampTzGetDatum(now));
	found = bk_statement_write(&find_any, &values) == 1;
	if (found)
		read_row(0, resource_id, hold);
	SPI_freetuptable(SPI_tuptable);
	return found;
}
