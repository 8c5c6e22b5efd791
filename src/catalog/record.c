/*
 * record.c
 *		Statements that record a new backup.
 */
#include "catalog/record.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

/* $1 resource, $2 backup, $3 its time, $4 its type of resource, $5 its stored size */
static BkStatement record = {
	.sql = "WITH point AS (INSERT INTO backup_service.snapshot (resource_id, created_at, backup_id) VALUES ($1, $3, $2))"
	" UPDATE backup_service.resource SET last_backup_id = $2, last_backup_at = $3, resource_type = $4,"
	" backups_made = backups_made + 1, bytes_stored = bytes_stored + $5"
	" WHERE resource_id = $1 RETURNING backups_made",
	.nargs = 5,
	.types = {TEXTOID, INT8OID, TIMESTAMPTZOID, TEXTOID, INT8OID},
};

/* $1 to $23 as BK_INSERT_BACKUP has them, $24 the chunk */
static BkStatement record_with_chunk = {
	.sql = "WITH row AS (" BK_INSERT_BACKUP "),"
	" chunk AS (INSERT INTO backup_service.chunk (resource_id, backup_id, seq, data) VALUES ($1, $2, 0, $24)),"
	" point AS (INSERT INTO backup_service.snapshot (resource_id, created_at, backup_id) VALUES ($1, $17, $2))"
	" UPDATE backup_service.resource SET last_backup_id = $2, last_backup_at = $17, resource_type = $18,"
	" backups_made = backups_made + 1, bytes_stored = bytes_stored + $6"
	" WHERE resource_id = $1 RETURNING backups_made",
	.nargs = BK_INSERT_BACKUP_NARGS + 1,
	.types = {BK_INSERT_BACKUP_TYPES, BYTEAOID},
};

/* Run one of them and read backups_made. */
static int64
execute(BkStatement *statement, BkValues *values, const BkBackup *backup)
{
	int64		backups_made;

	if (bk_statement_write(statement, values) != 1)
		elog(ERROR, "the locked row of resource \"%s\" is gone", backup->resource_id);
	backups_made = bk_column_int64(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return backups_made;
}

int64
bk_record_backup(const BkBackup *backup)
{
	BkValues	values = {0};

	bk_value_add_text(&values, backup->resource_id);
	bk_value_add_int64(&values, backup->backup_id);
	bk_value_add(&values, TimestampTzGetDatum(backup->created_at));
	bk_value_add_text(&values, backup->resource_type);
	bk_value_add_int64(&values, backup->stored_size);
	return execute(&record, &values, backup);
}

int64
bk_record_backup_with_chunk(const BkBackup *backup, BkText chunk)
{
	BkValues	values = {0};

	bk_backup_add_values(&values, backup);
	bk_value_add_bytes(&values, chunk.data, chunk.len);
	return execute(&record_with_chunk, &values, backup);
}
