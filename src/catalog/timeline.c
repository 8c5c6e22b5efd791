/*
 * timeline.c
 *		The statement that reads the points of a resource.
 */
#include "catalog/timeline.h"

#include "catalog/pg_type.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/*
 * Of a tombstone only its place and whether it counts are known, and of use.  One whose backup is still there (it has
 * left the timeline behind a held one) is that backup's point.
 */
static BkStatement find_points = {
	.sql = "SELECT b.backup_id, b.base_id, b.created_at, b.expires_at, b.stored_size, false, b.status = 'completed',"
	" b.backup_id IN (SELECT h.backup_id FROM backup_service.hold h"
	"  WHERE h.resource_id = $1 AND (h.until IS NULL OR h.until > $2)),"
	" b.backup_id IN (SELECT pg_catalog.unnest(o.pinned) FROM backup_service.restore_operation o"
	"  WHERE o.resource_id = $1 AND o.status = 'running')"
	" FROM backup_service.backup b WHERE b.resource_id = $1"
	" UNION ALL"
	" SELECT s.backup_id, NULL, s.created_at, NULL, 0, true, s.counts, false, false"
	" FROM backup_service.snapshot s WHERE s.resource_id = $1 AND s.removed_at IS NOT NULL"
	" AND NOT EXISTS (SELECT FROM backup_service.backup x WHERE x.resource_id = $1 AND x.backup_id = s.backup_id)"
	" ORDER BY 3, 1",
	.nargs = 2,
	.types = {TEXTOID, TIMESTAMPTZOID},
};

static BkStatement find_reader = {
	.sql = "SELECT FROM backup_service.restore_operation WHERE resource_id = $1 AND status = 'running' LIMIT 1",
	.nargs = 1,
	.types = {TEXTOID},
};

static void
read_point(uint64 row, BkRetentionPoint *point)
{
	*point = (BkRetentionPoint) {
		.backup_id = bk_column_int64(row, 1),
		.base_id = bk_column_int64(row, 2),
		.created_at = bk_column_int64(row, 3),
		.expires_at = bk_column_int64(row, 4),
	};
	if (!bk_column_is_null(row, 4))
		point->flags |= BK_POINT_OWN_RETENTION;
	if (bk_column_bool(row, 6))
		point->flags |= BK_POINT_REMOVED;
	/* What does not count as a tombstone was this, or had a retention of its own: the rules do not tell them apart. */
	if (!bk_column_bool(row, 7))
		point->flags |= BK_POINT_CORRUPT;
	if (bk_column_bool(row, 8))
		point->flags |= BK_POINT_HELD;
	if (bk_column_bool(row, 9))
		point->flags |= BK_POINT_READ;
}

void
bk_timeline_read(const char *resource_id, TimestampTz now, BkTimeline *timeline)
{
	BkValues	values = {0};
	uint64		count;

	bk_value_add_text(&values, resource_id);
	bk_value_add(&values, TimestampTzGetDatum(now));
	count = bk_statement_read(&find_points, &values, 0);
	timeline->count = count;
	timeline->points = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(BkRetentionPoint) * Max(count, 1));
	timeline->stored_sizes = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(int64) * Max(count, 1));
	for (uint64 i = 0; i < count; i++)
	{
		read_point(i, &timeline->points[i]);
		timeline->stored_sizes[i] = bk_column_int64(i, 5);
	}
	SPI_freetuptable(SPI_tuptable);
}

bool
bk_timeline_is_read(const char *resource_id)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	return bk_statement_read(&find_reader, &values, 1) == 1;
}
