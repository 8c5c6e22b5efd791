/*
 * backup_list.c
 *		Statements that list and count backups, and show one.
 */
#include "catalog/backup_list.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

/* $1 to $9: a filter. */
#define MATCHING \
	" FROM backup_service.backup b JOIN backup_service.resource r ON r.resource_id = b.resource_id" \
	" WHERE ($1 IS NULL OR b.resource_id = $1) AND ($2 IS NULL OR b.resource_type = $2)" \
	" AND ($3 IS NULL OR b.type = $3) AND ($4 IS NULL OR (b.tags @> $4 AND (b.tags <> '{}' OR $4 = '{}')))" \
	" AND b.created_at >= $5 AND b.created_at < $6 AND b.created_at <= $7" \
	" AND (b.created_at < $7 OR b.backup_id < $8)" \
	" AND ($9 IS NULL OR r.owner = ANY ($9))"
#define FILTER_TYPES \
	TEXTOID, TEXTOID, TEXTOID, JSONBOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, NAMEARRAYOID

/* The columns are those of the view bk_backups. */
#define SELECT_BACKUPS \
	"SELECT b.backup_id, b.resource_id, b.resource_type, b.type, b.status, b.base_id, b.size, b.stored_size," \
	" CASE WHEN b.size > b.stored_size THEN ((b.size - b.stored_size) * 100 / b.size)::pg_catalog.int4 ELSE 0 END," \
	" b.document_size, b.compression, b.encrypted, 'sha256:' || pg_catalog.encode(b.checksum, 'hex')," \
	" b.key_version, b.version, b.source, b.tags, b.created_by, b.created_at, b.completed_at, b.expires_at, b.verified_at," \
	" b.archived_at"

static BkStatement list_backups = {
	.sql = SELECT_BACKUPS MATCHING " ORDER BY b.created_at DESC, b.backup_id DESC LIMIT $10",
	.nargs = 10,
	.types = {FILTER_TYPES, INT4OID},
};

/* A list's statement is planned each time, for its filter; this one's plan is kept. */
static BkStatement show_backup = {
	.sql = SELECT_BACKUPS
	" FROM backup_service.backup b JOIN backup_service.resource r ON r.resource_id = b.resource_id"
	" WHERE b.backup_id = $1 AND ($2 IS NULL OR r.owner = ANY ($2)) LIMIT 1",
	.nargs = 2,
	.types = {INT8OID, NAMEARRAYOID},
};

static BkStatement count_backups = {
	.sql = "SELECT pg_catalog.count(*)" MATCHING,
	.nargs = 9,
	.types = {FILTER_TYPES},
};

static void
add_filter(BkValues *values, const BkBackupFilter *filter)
{
	bk_value_add_text(values, filter->resource_id);
	bk_value_add_text(values, filter->resource_type);
	bk_value_add_text(values, filter->type);
	bk_value_add_jsonb(values, filter->tags);
	bk_value_add(values, TimestampTzGetDatum(filter->since));
	bk_value_add(values, TimestampTzGetDatum(filter->until));
	bk_value_add(values, TimestampTzGetDatum(filter->before));
	bk_value_add_int64(values, filter->before_id);
	bk_owners_add(values, &filter->owners);
}

void
bk_backup_list(const BkBackupFilter *filter, Tuplestorestate *rows)
{
	BkValues	values = {0};

	add_filter(&values, filter);
	bk_value_add(&values, Int32GetDatum(filter->max_rows));
	bk_rows_put(bk_statement_read_once(&list_backups, &values), rows);
}

void
bk_backup_show(int64 backup_id, const BkOwners *owners, Tuplestorestate *rows)
{
	bk_owners_show(&show_backup, backup_id, owners, rows);
}

int64
bk_backup_count(const BkBackupFilter *filter)
{
	BkValues	values = {0};

	add_filter(&values, filter);
	return bk_statement_count_through(&count_backups, &values);
}
