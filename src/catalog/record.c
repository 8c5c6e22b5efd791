/*
 * record.c
 *		Statements that record a new backup.
 */
#include "catalog/record.h"

#include "catalog/pg_type.h"

/* $1 to $23: one row of backup; the names of those that the other parts use. */
#define INSERT_BACKUP \
	"WITH row AS (INSERT INTO backup_service.backup (" BK_BACKUP_COLUMNS ")" \
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)),"
#define RESOURCE_ID		"$1"
#define BACKUP_ID		"$2"
#define STORED_SIZE		"$6"
#define CREATED_AT		"$17"
#define RESOURCE_TYPE	"$18"

/* $24 to $34: the event. */
#define INSERT_EVENT \
	" event AS (INSERT INTO backup_service.audit_event (resource_id, backup_id, " BK_EVENT_COLUMNS ")" \
	" VALUES (" RESOURCE_ID ", " BACKUP_ID ", $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)),"
#define EVENT_NUMBER	"$24"
#define EVENT_HASH		"$34"

#define INSERT_CHUNK \
	" chunk AS (INSERT INTO backup_service.chunk (resource_id, backup_id, seq, data)" \
	" VALUES (" RESOURCE_ID ", " BACKUP_ID ", 0, $35)),"
#define INSERT_SNAPSHOT \
	" point AS (INSERT INTO backup_service.snapshot (resource_id, created_at, backup_id)" \
	" VALUES (" RESOURCE_ID ", " CREATED_AT ", " BACKUP_ID "))"
#define UPDATE_RESOURCE \
	" UPDATE backup_service.resource SET last_backup_id = " BACKUP_ID ", last_backup_at = " CREATED_AT "," \
	" resource_type = " RESOURCE_TYPE ", backups_made = backups_made + 1, bytes_stored = bytes_stored + " STORED_SIZE "," \
	" audit_number = " EVENT_NUMBER ", audit_hash = " EVENT_HASH \
	" WHERE resource_id = " RESOURCE_ID " RETURNING backups_made"

static BkStatement record = {
	.sql = INSERT_BACKUP INSERT_EVENT INSERT_SNAPSHOT UPDATE_RESOURCE,
	.nargs = BK_BACKUP_NARGS + BK_EVENT_NARGS,
	.types = {BK_BACKUP_TYPES, BK_EVENT_TYPES},
};

static BkStatement record_with_chunk = {
	.sql = INSERT_BACKUP INSERT_EVENT INSERT_CHUNK INSERT_SNAPSHOT UPDATE_RESOURCE,
	.nargs = BK_BACKUP_NARGS + BK_EVENT_NARGS + 1,
	.types = {BK_BACKUP_TYPES, BK_EVENT_TYPES, BYTEAOID},
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
bk_record_backup(const BkBackup *backup, const BkEvent *event)
{
	BkValues	values = {0};

	bk_backup_add_values(&values, backup);
	bk_event_add_values(&values, event);
	return execute(&record, &values, backup);
}

int64
bk_record_backup_with_chunk(const BkBackup *backup, const BkEvent *event, BkText chunk)
{
	BkValues	values = {0};

	bk_backup_add_values(&values, backup);
	bk_event_add_values(&values, event);
	bk_value_add_bytes(&values, chunk.data, chunk.len);
	return execute(&record_with_chunk, &values, backup);
}
