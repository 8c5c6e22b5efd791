/*
 * resource.c
 *		Statements on backup_service.resource.
 */
#include "catalog/resource.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#define FIND_RESOURCE \
	"SELECT resource_id, owner, last_backup_at, audit_number, audit_hash, cleanup_removed, cleanup_stopped_at," \
	" dropped_at IS NOT NULL, size_buckets, duration_buckets, backups_made FROM backup_service.resource WHERE resource_id = $1"

static BkStatement find_resource = {
	.sql = FIND_RESOURCE,
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement lock_resource = {
	.sql = FIND_RESOURCE " FOR NO KEY UPDATE",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement try_lock_resource = {
	.sql = FIND_RESOURCE " FOR NO KEY UPDATE SKIP LOCKED",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement insert_resource = {
	.sql = "INSERT INTO backup_service.resource (resource_id, resource_type, owner, created_at) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (resource_id) DO NOTHING",
	.nargs = 4,
	.types = {TEXTOID, TEXTOID, NAMEOID, TIMESTAMPTZOID},
};

static BkStatement touch_resource = {
	.sql = "UPDATE backup_service.resource SET bytes_stored = bytes_stored + $2, audit_number = $3, audit_hash = $4"
	" WHERE resource_id = $1",
	.nargs = 4,
	.types = {TEXTOID, INT8OID, INT8OID, BYTEAOID},
};

static BkStatement set_owner = {
	.sql = "UPDATE backup_service.resource SET owner = $2 WHERE resource_id = $1",
	.nargs = 2,
	.types = {TEXTOID, NAMEOID},
};

static BkStatement set_cleanup = {
	.sql = "UPDATE backup_service.resource SET cleanup_removed = $2, cleanup_stopped_at = $3 WHERE resource_id = $1",
	.nargs = 3,
	.types = {TEXTOID, INT4OID, TIMESTAMPTZOID},
};

static BkStatement set_dropped = {
	.sql = "UPDATE backup_service.resource SET dropped_at = $2, policy = NULL, cleanup_removed = 0,"
	" cleanup_stopped_at = NULL, archived_id = 0, archived_created_at = '-infinity', archived_number = 0"
	" WHERE resource_id = $1",
	.nargs = 2,
	.types = {TEXTOID, TIMESTAMPTZOID},
};

static BkStatement revive = {
	.sql = "UPDATE backup_service.resource SET dropped_at = NULL, owner = $2, created_at = $3 WHERE resource_id = $1",
	.nargs = 3,
	.types = {TEXTOID, NAMEOID, TIMESTAMPTZOID},
};

/* A page is cut before anything else is asked, so that each is as short as the next. */
static BkStatement find_after = {
	.sql = "SELECT r.resource_id, r.owner, r.cleanup_stopped_at IS NULL"
	" AND (coalesce(r.policy, t.policy, d.policy) IS NOT NULL OR e.resource_id IS NOT NULL)"
	" FROM (SELECT resource_id, owner, resource_type, policy, cleanup_stopped_at FROM backup_service.resource"
	"   WHERE resource_id > $1 AND dropped_at IS NULL ORDER BY resource_id LIMIT $3) r"
	" LEFT JOIN backup_service.policy_assignment t ON t.resource_type = r.resource_type"
	" LEFT JOIN backup_service.policy_assignment d ON d.resource_type = ''"
	" LEFT JOIN (SELECT DISTINCT resource_id FROM backup_service.backup WHERE expires_at <= $2) e"
	"   ON e.resource_id = r.resource_id"
	" ORDER BY r.resource_id",
	.nargs = 3,
	.types = {TEXTOID, TIMESTAMPTZOID, INT4OID},
};

static BkStatement count_stopped = {
	.sql = "SELECT pg_catalog.count(*) FROM backup_service.resource WHERE cleanup_stopped_at IS NOT NULL",
	.nargs = 0,
};

static void
read_row(BkResource *resource)
{
	resource->resource_id = bk_column_text(0, 1);
	resource->owner = bk_column_is_null(0, 2) ? pstrdup("") : bk_column_text(0, 2);
	resource->last_backup_at = bk_column_int64(0, 3);
	resource->is_new = false;
	resource->audit_number = bk_column_int64(0, 4);
	if (!bk_column_bytes(0, 5, resource->audit_hash, BK_DIGEST_BYTES))
		memset(resource->audit_hash, 0, BK_DIGEST_BYTES);
	resource->cleanup_removed = bk_column_int32(0, 6);
	resource->cleanup_stopped_at = bk_column_int64(0, 7);
	resource->dropped = bk_column_bool(0, 8);
	resource->size_buckets = DatumGetArrayTypePCopy(bk_column(0, 9));
	resource->duration_buckets = DatumGetArrayTypePCopy(bk_column(0, 10));
	resource->backups_made = bk_column_int64(0, 11);
	SPI_freetuptable(SPI_tuptable);
}

bool
bk_resource_find(const char *resource_id, BkResource *resource)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	if (bk_statement_read(&find_resource, &values, 1) == 0)
		return false;
	read_row(resource);
	return true;
}

static bool
lock(BkStatement *statement, const char *resource_id, BkResource *resource)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	if (bk_statement_write(statement, &values) == 0)
		return false;
	read_row(resource);
	return true;
}

bool
bk_resource_lock(const char *resource_id, BkResource *resource)
{
	return lock(&lock_resource, resource_id, resource);
}

bool
bk_resource_try_lock(const char *resource_id, BkResource *resource)
{
	return lock(&try_lock_resource, resource_id, resource);
}

bool
bk_resource_insert(const char *resource_id, const char *resource_type,
				   const char *owner, TimestampTz created_at)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_text(&values, resource_type);
	bk_value_add_name(&values, owner);
	bk_value_add(&values, TimestampTzGetDatum(created_at));
	return bk_statement_write(&insert_resource, &values) == 1;
}

void
bk_resource_touch(const BkResource *resource, int64 bytes_stored)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource->resource_id);
	bk_value_add_int64(&values, bytes_stored);
	bk_value_add_int64(&values, resource->audit_number);
	bk_value_add_bytes(&values, resource->audit_hash, BK_DIGEST_BYTES);
	bk_statement_write(&touch_resource, &values);
}

void
bk_resource_set_owner(const char *resource_id, const char *owner)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_name(&values, owner);
	bk_statement_write(&set_owner, &values);
}

void
bk_resource_set_cleanup(const char *resource_id, int32 removed, TimestampTz stopped_at)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add(&values, Int32GetDatum(removed));
	bk_value_add_time(&values, stopped_at);
	bk_statement_write(&set_cleanup, &values);
}

void
bk_resource_set_dropped(const char *resource_id, TimestampTz dropped_at)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add(&values, TimestampTzGetDatum(dropped_at));
	bk_statement_write(&set_dropped, &values);
}

void
bk_resource_revive(const char *resource_id, const char *owner, TimestampTz created_at)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_name(&values, owner);
	bk_value_add(&values, TimestampTzGetDatum(created_at));
	bk_statement_write(&revive, &values);
}

int
bk_resource_find_after(const char *resource_id, TimestampTz now, int limit, BkResourceEntry **entries)
{
	BkValues	values = {0};
	uint64		count;

	bk_value_add_text(&values, resource_id);
	bk_value_add(&values, TimestampTzGetDatum(now));
	bk_value_add(&values, Int32GetDatum(limit));
	count = bk_statement_read(&find_after, &values, 0);
	*entries = palloc(sizeof(BkResourceEntry) * Max(count, 1));
	for (uint64 i = 0; i < count; i++)
		(*entries)[i] = (BkResourceEntry) {
			.resource_id = bk_column_text(i, 1),
			.owner = bk_column_is_null(i, 2) ? pstrdup("") : bk_column_text(i, 2),
			.may_expire = bk_column_bool(i, 3),
		};
	SPI_freetuptable(SPI_tuptable);
	return count;
}

int64
bk_resource_count_stopped(void)
{
	BkValues	values = {0};

	return bk_statement_count(&count_stopped, &values, NULL);
}
