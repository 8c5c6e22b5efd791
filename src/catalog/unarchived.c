/*
 * unarchived.c
 *		Statements on archived_at, and on what a resource remembers of it.
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

/* After an older one that was damaged and is sound again, the newest stays. */
static BkStatement note_archived = {
	.sql = "UPDATE backup_service.resource SET archived_id = $2, archived_created_at = $3, archived_number = $4"
	" WHERE resource_id = $1 AND archived_created_at < $3",
	.nargs = 4,
	.types = {TEXTOID, INT8OID, TIMESTAMPTZOID, INT8OID},
};

static BkStatement find_noted = {
	.sql = "SELECT archived_id, archived_created_at, archived_number FROM backup_service.resource"
	" WHERE resource_id = $1 AND archived_created_at < $2",
	.nargs = 2,
	.types = {TEXTOID, TIMESTAMPTZOID},
};

static BkStatement find_previous = {
	.sql = "SELECT backup_id, created_at, number FROM backup_service.backup"
	" WHERE resource_id = $1 AND created_at < $2 AND archived_at IS NOT NULL"
	" ORDER BY created_at DESC, backup_id DESC LIMIT 1",
	.nargs = 2,
	.types = {TEXTOID, TIMESTAMPTZOID},
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
bk_unarchived_set(const char *resource_id, const BkArchived *archived, TimestampTz archived_at)
{
	BkValues	row = {0};
	BkValues	note = {0};

	bk_value_add_text(&row, resource_id);
	bk_value_add_int64(&row, archived->backup_id);
	bk_value_add(&row, TimestampTzGetDatum(archived_at));
	bk_statement_write(&set_archived, &row);
	bk_value_add_text(&note, resource_id);
	bk_value_add_int64(&note, archived->backup_id);
	bk_value_add(&note, TimestampTzGetDatum(archived->created_at));
	bk_value_add_int64(&note, archived->number);
	bk_statement_write(&note_archived, &note);
}

/* Take over what is newer than what is at hand. */
static void
read_newer(BkStatement *statement, const BkBackup *backup, BkArchived *archived)
{
	BkValues	values = {0};

	bk_value_add_text(&values, backup->resource_id);
	bk_value_add(&values, TimestampTzGetDatum(backup->created_at));
	if (bk_statement_read(statement, &values, 1) > 0 && bk_column_int64(0, 2) > archived->created_at)
		*archived = (BkArchived) {bk_column_int64(0, 1), bk_column_int64(0, 2), bk_column_int64(0, 3)};
	SPI_freetuptable(SPI_tuptable);
}

void
bk_unarchived_find_previous(const BkBackup *backup, BkArchived *previous)
{
	*previous = (BkArchived) {.created_at = DT_NOBEGIN};
	read_newer(&find_previous, backup, previous);
	read_newer(&find_noted, backup, previous);
}
