/*
 * operation_list.c
 *		Statements that list and count restore operations, and show one.
 */
#include "catalog/operation_list.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

/* Operations on a name from before it was dropped and taken anew are not its new owner's. */
#define VISIBLE \
	" FROM backup_service.restore_operation o JOIN backup_service.resource r ON r.resource_id = o.resource_id" \
	" WHERE r.dropped_at IS NULL AND r.created_at <= o.created_at"

/* $1 to $8: a filter. */
#define MATCHING VISIBLE \
	" AND ($1 IS NULL OR o.resource_id = $1) AND ($2 IS NULL OR o.target_resource_id = $2)" \
	" AND ($3 IS NULL OR o.status = $3)" \
	" AND o.created_at >= $4 AND o.created_at < $5 AND o.created_at <= $6" \
	" AND (o.created_at < $6 OR o.operation_id < $7)" \
	" AND ($8 IS NULL OR r.owner = ANY ($8))"
#define FILTER_TYPES \
	TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, NAMEARRAYOID

/* The columns are those of the view bk_operations. */
#define SELECT_OPERATIONS \
	"SELECT o.operation_id, o.resource_id, o.backup_id, o.target_resource_id, o.type, o.status, o.progress," \
	" o.validated, o.validation_errors, o.role, o.created_by, o.created_at, o.completed_at," \
	" o.attempts, o.next_attempt_at, o.started_at, o.bytes_done, o.bytes_total, o.error, o.restored_backup_id"

static BkStatement list_operations = {
	.sql = SELECT_OPERATIONS MATCHING " ORDER BY o.created_at DESC, o.operation_id DESC LIMIT $9",
	.nargs = 9,
	.types = {FILTER_TYPES, INT4OID},
};

/* A list's statement is planned each time, for its filter; this one's plan is kept. */
static BkStatement show_operation = {
	.sql = SELECT_OPERATIONS VISIBLE " AND o.operation_id = $1 AND ($2 IS NULL OR r.owner = ANY ($2)) LIMIT 1",
	.nargs = 2,
	.types = {INT8OID, NAMEARRAYOID},
};

static BkStatement count_operations = {
	.sql = "SELECT pg_catalog.count(*)" MATCHING,
	.nargs = 8,
	.types = {FILTER_TYPES},
};

static void
add_filter(BkValues *values, const BkOperationFilter *filter)
{
	bk_value_add_text(values, filter->resource_id);
	bk_value_add_text(values, filter->target_resource_id);
	bk_value_add_text(values, filter->status);
	bk_value_add(values, TimestampTzGetDatum(filter->since));
	bk_value_add(values, TimestampTzGetDatum(filter->until));
	bk_value_add(values, TimestampTzGetDatum(filter->before));
	bk_value_add_int64(values, filter->before_id);
	bk_owners_add(values, &filter->owners);
}

void
bk_operation_find(const BkOperationFilter *filter, Tuplestorestate *rows)
{
	BkValues	values = {0};

	add_filter(&values, filter);
	bk_value_add(&values, Int32GetDatum(filter->max_rows));
	bk_rows_put(bk_statement_read_once(&list_operations, &values), rows);
}

void
bk_operation_show(int64 operation_id, const BkOwners *owners, Tuplestorestate *rows)
{
	bk_owners_show(&show_operation, operation_id, owners, rows);
}

int64
bk_operation_count(const BkOperationFilter *filter)
{
	BkValues	values = {0};

	add_filter(&values, filter);
	return bk_statement_count_through(&count_operations, &values);
}
