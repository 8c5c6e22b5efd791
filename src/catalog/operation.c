/*
 * operation.c
 *		Statements on backup_service.restore_operation.
 */
#include "catalog/operation.h"

#include "catalog/backup.h"
#include "catalog/pg_type.h"
#include "utils/timestamp.h"

static BkStatement insert_operation = {
	.sql = "INSERT INTO backup_service.restore_operation (resource_id, backup_id, target_resource_id, type,"
	" status, progress, validated, role, created_by, created_at, completed_at, error, validation_errors)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, coalesce($13, '[]')) RETURNING operation_id",
	.nargs = 13,
	.types = {TEXTOID, INT8OID, TEXTOID, TEXTOID, TEXTOID, INT4OID, BOOLOID, NAMEOID, TEXTOID, TIMESTAMPTZOID,
		TIMESTAMPTZOID, TEXTOID, JSONBOID},
};

int64
bk_operation_insert(const BkOperation *operation)
{
	BkValues	values = {0};
	bool		completed = operation->error == NULL;
	int64		operation_id;

	bk_value_add_text(&values, operation->resource_id);
	bk_value_add_int64(&values, operation->backup_id);
	bk_value_add_text(&values, operation->target_resource_id);
	bk_value_add_text(&values, bk_type_name(operation->type));
	bk_value_add_text(&values, completed ? "completed" : "failed");
	bk_value_add(&values, Int32GetDatum(completed ? 100 : 0));
	bk_value_add(&values, BoolGetDatum(operation->validated));
	bk_value_add_name(&values, operation->role);
	bk_value_add_text(&values, operation->created_by);
	bk_value_add(&values, TimestampTzGetDatum(operation->created_at));
	bk_value_add(&values, TimestampTzGetDatum(operation->completed_at));
	bk_value_add_text(&values, operation->error);
	bk_value_add_jsonb(&values, operation->validation_errors);
	bk_statement_write(&insert_operation, &values);
	operation_id = bk_column_int64(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return operation_id;
}
