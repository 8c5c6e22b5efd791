/*
 * snapshot.c
 *		Statements on backup_service.snapshot.
 */
#include "catalog/snapshot.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

/*
 * What leaves the timeline leaves it from its beginning.  Where a held point stays behind, what lies after that
 * and leaves becomes a tombstone: without it, the time would mean the held one.
 */
static BkStatement trim_snapshots = {
	.sql = "WITH first_kept AS (SELECT s.created_at, s.backup_id FROM backup_service.snapshot s"
	"   WHERE s.resource_id = $1 AND s.removed_at IS NULL"
	"   ORDER BY s.created_at DESC, s.backup_id DESC OFFSET $2 - 1 LIMIT 1),"
	" held AS (SELECT s.created_at, s.backup_id FROM backup_service.hold h"
	"   JOIN backup_service.snapshot s ON s.resource_id = h.resource_id AND s.backup_id = h.backup_id"
	"   WHERE h.resource_id = $1 AND (h.until IS NULL OR h.until > $3)),"
	" gone AS (DELETE FROM backup_service.snapshot s USING first_kept f"
	"   WHERE s.resource_id = $1 AND (s.created_at, s.backup_id) < (f.created_at, f.backup_id)"
	"   AND NOT EXISTS (SELECT FROM held h WHERE (h.created_at, h.backup_id) <= (s.created_at, s.backup_id)))"
	" UPDATE backup_service.snapshot s SET removed_at = $3 FROM first_kept f"
	"  WHERE s.resource_id = $1 AND (s.created_at, s.backup_id) < (f.created_at, f.backup_id)"
	"  AND s.removed_at IS NULL AND s.backup_id NOT IN (SELECT h.backup_id FROM held h)"
	"  AND EXISTS (SELECT FROM held h WHERE (h.created_at, h.backup_id) < (s.created_at, s.backup_id))",
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

static BkStatement find_all = {
	.sql = "SELECT created_at, backup_id, removed_at, counts FROM backup_service.snapshot WHERE resource_id = $1"
	" ORDER BY created_at, backup_id",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement put_snapshot = {
	.sql = "INSERT INTO backup_service.snapshot (resource_id, created_at, backup_id, removed_at, counts)"
	" VALUES ($1, $2, $3, $4, $5) ON CONFLICT (resource_id, created_at, backup_id) DO UPDATE"
	" SET removed_at = excluded.removed_at, counts = excluded.counts",
	.nargs = 5,
	.types = {TEXTOID, TIMESTAMPTZOID, INT8OID, TIMESTAMPTZOID, BOOLOID},
};

static BkStatement delete_snapshot = {
	.sql = "DELETE FROM backup_service.snapshot WHERE resource_id = $1 AND created_at = $2 AND backup_id = $3",
	.nargs = 3,
	.types = {TEXTOID, TIMESTAMPTZOID, INT8OID},
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

static BkStatement find_backup_without = {
	.sql = "SELECT backup_id FROM backup_service.backup"
	" WHERE resource_id = $1 AND created_at > $2 AND created_at <= $3 ORDER BY created_at, backup_id LIMIT 1",
	.nargs = 3,
	.types = {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID},
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

int
bk_snapshot_find_all(const char *resource_id, BkPoint **points)
{
	BkValues	values = {0};
	uint64		count;

	bk_value_add_text(&values, resource_id);
	count = bk_statement_read(&find_all, &values, 0);
	*points = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(BkPoint) * Max(count, 1));
	for (uint64 i = 0; i < count; i++)
		(*points)[i] = (BkPoint) {
			.created_at = bk_column_int64(i, 1),
			.backup_id = bk_column_int64(i, 2),
			.removed_at = bk_column_int64(i, 3),
			.counts = bk_column_bool(i, 4),
		};
	SPI_freetuptable(SPI_tuptable);
	return count;
}

void
bk_snapshot_put(const char *resource_id, const BkPoint *point)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add(&values, TimestampTzGetDatum(point->created_at));
	bk_value_add_int64(&values, point->backup_id);
	bk_value_add_time(&values, point->removed_at);
	bk_value_add(&values, BoolGetDatum(point->counts));
	bk_statement_write(&put_snapshot, &values);
}

void
bk_snapshot_delete(const char *resource_id, TimestampTz created_at, int64 backup_id)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add(&values, TimestampTzGetDatum(created_at));
	bk_value_add_int64(&values, backup_id);
	bk_statement_write(&delete_snapshot, &values);
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

int64
bk_snapshot_find_missing(const char *resource_id, TimestampTz after, TimestampTz at)
{
	BkValues	values = {0};
	int64		backup_id;

	bk_value_add_text(&values, resource_id);
	bk_value_add(&values, TimestampTzGetDatum(after));
	bk_value_add(&values, TimestampTzGetDatum(at));
	if (bk_statement_read(&find_backup_without, &values, 1) == 0)
		return 0;
	backup_id = bk_column_int64(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return backup_id;
}
