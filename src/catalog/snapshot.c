/*
 * snapshot.c
 *		Statements on backup_service.snapshot.
 */
#include "catalog/snapshot.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

static BkStatement trim_snapshots = {
	.sql = "DELETE FROM backup_service.snapshot WHERE resource_id = $1 AND (created_at, backup_id) <"
	" (SELECT s.created_at, s.backup_id FROM backup_service.snapshot s"
	"   WHERE s.resource_id = $1 AND s.removed_at IS NULL"
	"   ORDER BY s.created_at DESC, s.backup_id DESC OFFSET $2 - 1 LIMIT 1)"
	" AND backup_id NOT IN (SELECT h.backup_id FROM backup_service.hold h"
	"  WHERE h.resource_id = $1 AND (h.until IS NULL OR h.until > $3))",
	.nargs = 3,
	.types = {TEXTOID, INT4OID, TIMESTAMPTZOID},
};

static BkStatement bury_snapshots = {
	.sql = "UPDATE backup_service.snapshot s SET removed_at = $3,"
	" counts = b.status = 'completed' AND b.expires_at IS NULL FROM backup_service.backup b"
	" WHERE b.resource_id = $1 AND b.backup_id = ANY ($2)"
	" AND s.resource_id = $1 AND s.created_at = b.created_at AND s.backup_id = b.backup_id",
	.nargs = 3,
	.types = {TEXTOID, INT8ARRAYOID, TIMESTAMPTZOID},
};

static BkStatement delete_snapshots = {
	.sql = "DELETE FROM backup_service.snapshot WHERE resource_id = $1",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement find_snapshot = {
	.sql = "SELECT created_at, backup_id, removed_at IS NOT NULL FROM backup_service.snapshot"
	" WHERE resource_id = $1 AND created_at <= $2 ORDER BY created_at DESC, backup_id DESC LIMIT 1",
	.nargs = 2,
	.types = {TEXTOID, TIMESTAMPTZOID},
};

static BkStatement find_live_before = {
	.sql = "SELECT created_at, backup_id, false FROM backup_service.snapshot"
	" WHERE resource_id = $1 AND created_at <= $2 AND removed_at IS NULL"
	" ORDER BY created_at DESC, backup_id DESC LIMIT 1",
	.nargs = 2,
	.types = {TEXTOID, TIMESTAMPTZOID},
};

static BkStatement find_live_after = {
	.sql = "SELECT created_at, backup_id, false FROM backup_service.snapshot"
	" WHERE resource_id = $1 AND created_at > $2 AND removed_at IS NULL"
	" ORDER BY created_at, backup_id LIMIT 1",
	.nargs = 2,
	.types = {TEXTOID, TIMESTAMPTZOID},
};

void
bk_snapshot_trim(const char *resource_id, int32 max_live, TimestampTz now)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add(&values, Int32GetDatum(max_live));
	bk_value_add(&values, TimestampTzGetDatum(now));
	bk_statement_write(&trim_snapshots, &values);
}

void
bk_snapshot_bury(const char *resource_id, const int64 *ids, int count, TimestampTz removed_at)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_ids(&values, ids, count);
	bk_value_add(&values, TimestampTzGetDatum(removed_at));
	bk_statement_write(&bury_snapshots, &values);
}

void
bk_snapshot_delete_all(const char *resource_id)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_statement_write(&delete_snapshots, &values);
}

/* Run a query of at most one point. */
static bool
find_one(BkStatement *statement, const char *resource_id, TimestampTz at, BkSnapshot *snapshot)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add(&values, TimestampTzGetDatum(at));
	if (bk_statement_read(statement, &values, 1) == 0)
		return false;
	snapshot->created_at = bk_column_int64(0, 1);
	snapshot->backup_id = bk_column_int64(0, 2);
	snapshot->removed = bk_column_bool(0, 3);
	SPI_freetuptable(SPI_tuptable);
	return true;
}

bool
bk_snapshot_find(const char *resource_id, TimestampTz at, BkSnapshot *snapshot)
{
	return find_one(&find_snapshot, resource_id, at, snapshot);
}

bool
bk_snapshot_find_live(const char *resource_id, TimestampTz at, bool after, BkSnapshot *snapshot)
{
	return find_one(after ? &find_live_after : &find_live_before, resource_id, at, snapshot);
}
