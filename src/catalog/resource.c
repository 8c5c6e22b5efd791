/*
 * resource.c
 *		Statements on backup_service.resource.
 */
#include "catalog/resource.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#define FIND_RESOURCE \
	"SELECT resource_id, owner, last_backup_at, audit_number, audit_hash FROM backup_service.resource WHERE resource_id = $1"

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
