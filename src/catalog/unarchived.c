/*
 * unarchived.c
 *		Statements on archived_at.
 */
#include "catalog/unarchived.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

static BkStatement find_first = {
	.sql = "SELECT resource_id, backup_id FROM backup_service.backup WHERE archived_at IS NULL AND status = 'completed'"
	" ORDER BY created_at, backup_id LIMIT 1",
	.nargs = 0,
};

static BkStatement count_unarchived = {
	.sql = "SELECT pg_catalog.count(*), pg_catalog.min(u.created_at) FROM (SELECT created_at FROM backup_service.backup"
	"  WHERE archived_at IS NULL AND status = 'completed' ORDER BY created_at, backup_id LIMIT $1) u",
	.nargs = 1,
	.types = {INT4OID},
};

static BkStatement set_archived = {
	.sql = "UPDATE backup_service.backup SET archived_at = $3 WHERE resource_id = $1 AND backup_id = $2",
	.nargs = 3,
	.types = {TEXTOID, INT8OID, TIMESTAMPTZOID},
};

bool
bk_unarchived_find(char **resource_id, int64 *backup_id)
{
	BkValues	values = {0};
	bool		found = bk_statement_read(&find_first, &values, 1) > 0;

	if (found)
	{
		*resource_id = bk_column_text(0, 1);
		*backup_id = bk_column_int64(0, 2);
	}
	SPI_freetuptable(SPI_tuptable);
	return found;
}

int64
bk_unarchived_count(int limit, TimestampTz *oldest)
{
	BkValues	values = {0};

	bk_value_add(&values, Int32GetDatum(limit));
	return bk_statement_count(&count_unarchived, &values, oldest);
}

void
bk_unarchived_set(const char *resource_id, int64 backup_id, TimestampTz archived_at)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_int64(&values, backup_id);
	bk_value_add(&values, TimestampTzGetDatum(archived_at));
	bk_statement_write(&set_archived, &values);
}
