/*
 * record.c
 *		Statements that record a new backup.
 */
#include "catalog/record.h"

#include "catalog/histogram.h"
#include "catalog/notice.h"
#include "catalog/pg_type.h"

/* $1 to $23: one row of backup; the names of those that the other parts use. */
#define BACKUP_VALUES \
	"$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23"
#define RESOURCE_ID		"$1"
#define BACKUP_ID		"$2"
#define TYPE			"$4"
#define SIZE			"$5"
#define STORED_SIZE		"$6"
#define CREATED_AT		"$17"
#define RESOURCE_TYPE	"$18"
#define CREATED_BY		"$22"

/* $24 to $34: the event; $35 to $37: for the resource's totals; $38: the backup's number; $39: the chunk. */
#define EVENT_VALUES	"$24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34"
#define EVENT_NUMBER	"$24"
#define EVENT_HASH		"$34"
#define SIZE_BUCKETS		"$35"
#define DURATION			"$36"
#define DURATION_BUCKETS	"$37"
#define NUMBER				"$38"
#define CHUNK				"$39"

/* The rows of every new backup; source is " FROM resource" where there shall be none unless that has a row. */
#define INSERT_BACKUP(source) \
	" backup AS (INSERT INTO backup_service.backup (" BK_BACKUP_COLUMNS ", number)" \
	" SELECT " BACKUP_VALUES ", " NUMBER source ")"
#define INSERT_EVENT(source) \
	", event AS (INSERT INTO backup_service.audit_event (resource_id, backup_id, " BK_EVENT_COLUMNS ")" \
	" SELECT " RESOURCE_ID ", " BACKUP_ID ", " EVENT_VALUES source ")"
#define INSERT_CHUNK(source) \
	", chunk AS (INSERT INTO backup_service.chunk (resource_id, backup_id, seq, data)" \
	" SELECT " RESOURCE_ID ", " BACKUP_ID ", 0, " CHUNK source ")"
#define INSERT_NOTICE(source) \
	", notice AS (INSERT INTO backup_service.notice (resource_id, event, backup_id, at)" \
	" SELECT " RESOURCE_ID ", '" BK_NOTICE_CREATED "', " BACKUP_ID ", " CREATED_AT source ")"
#define INSERT_SNAPSHOT(source) \
	", point AS (INSERT INTO backup_service.snapshot (resource_id, created_at, backup_id)" \
	" SELECT " RESOURCE_ID ", " CREATED_AT ", " BACKUP_ID source ")"

/* Both give a row with backups_made, where they write.  What makes a resource's row is a full backup. */
#define UPDATE_RESOURCE \
	" UPDATE backup_service.resource SET last_backup_id = " BACKUP_ID ", last_backup_at = " CREATED_AT "," \
	" resource_type = " RESOURCE_TYPE ", backups_made = " NUMBER ", bytes_stored = bytes_stored + " STORED_SIZE "," \
	" incrementals_made = incrementals_made + (" TYPE " = 'incremental')::pg_catalog.int4," \
	" differentials_made = differentials_made + (" TYPE " = 'differential')::pg_catalog.int4," \
	" size_total = size_total + " SIZE ", size_buckets = " SIZE_BUCKETS "," \
	" duration_total = duration_total + " DURATION ", duration_buckets = " DURATION_BUCKETS "," \
	" audit_number = " EVENT_NUMBER ", audit_hash = " EVENT_HASH \
	" WHERE resource_id = " RESOURCE_ID " RETURNING backups_made"
#define INSERT_RESOURCE \
	" resource AS (INSERT INTO backup_service.resource (resource_id, resource_type, owner, created_at," \
	" last_backup_id, last_backup_at, backups_made, bytes_stored, size_total, size_buckets, duration_total," \
	" duration_buckets, audit_number, audit_hash)" \
	" VALUES (" RESOURCE_ID ", " RESOURCE_TYPE ", " CREATED_BY ", " CREATED_AT ", " BACKUP_ID ", " CREATED_AT "," \
	" " NUMBER ", " STORED_SIZE ", " SIZE ", " SIZE_BUCKETS ", " DURATION "," \
	" " DURATION_BUCKETS ", " EVENT_NUMBER ", " EVENT_HASH ")" \
	" ON CONFLICT (resource_id) DO NOTHING RETURNING backups_made),"

#define IN_KNOWN(more) \
	"WITH" INSERT_BACKUP("") INSERT_EVENT("") more INSERT_SNAPSHOT("") UPDATE_RESOURCE
#define FROM_NEW " FROM resource"
#define IN_NEW(more) \
	"WITH" INSERT_RESOURCE INSERT_BACKUP(FROM_NEW) INSERT_EVENT(FROM_NEW) more INSERT_SNAPSHOT(FROM_NEW) \
	" SELECT backups_made" FROM_NEW

#define NARGS	(BK_BACKUP_NARGS + BK_EVENT_NARGS + 4)
#define TYPES	BK_BACKUP_TYPES, BK_EVENT_TYPES, INT8ARRAYOID, INT8OID, INT8ARRAYOID, INT8OID
#define WITHOUT_CHUNK(text)	{.sql = text, .nargs = NARGS, .types = {TYPES}}
#define WITH_CHUNK(text)	{.sql = text, .nargs = NARGS + 1, .types = {TYPES, BYTEAOID}}

/* The eight statements: into a resource that is known or new, with a notice or without, with a chunk or without. */
static BkStatement statements[2][2][2] = {
	[false] = {
		[false] = {
			[false] = WITHOUT_CHUNK(IN_KNOWN("")),
			[true] = WITH_CHUNK(IN_KNOWN(INSERT_CHUNK(""))),
		},
		[true] = {
			[false] = WITHOUT_CHUNK(IN_KNOWN(INSERT_NOTICE(""))),
			[true] = WITH_CHUNK(IN_KNOWN(INSERT_CHUNK("") INSERT_NOTICE(""))),
		},
	},
	[true] = {
		[false] = {
			[false] = WITHOUT_CHUNK(IN_NEW("")),
			[true] = WITH_CHUNK(IN_NEW(INSERT_CHUNK(FROM_NEW))),
		},
		[true] = {
			[false] = WITHOUT_CHUNK(IN_NEW(INSERT_NOTICE(FROM_NEW))),
			[true] = WITH_CHUNK(IN_NEW(INSERT_CHUNK(FROM_NEW) INSERT_NOTICE(FROM_NEW))),
		},
	},
};

/*
 * The histograms with this backup.  Counting in the statement, by subscripts, would cost it four microseconds more.
 * It took no time where created_at had to be later than the clock.
 */
static void
add_totals(BkValues *values, const BkResource *resource, const BkBackup *backup)
{
	int64		duration = Max(backup->completed_at - backup->created_at, 0);

	bk_value_add(values, bk_histogram_add(resource->size_buckets, bk_size_bucket(backup->size)));
	bk_value_add_int64(values, duration);
	bk_value_add(values, bk_histogram_add(resource->duration_buckets, bk_duration_bucket(duration)));
}

int64
bk_record_backup(const BkBackup *backup, const BkEvent *event, const BkText *chunk, const BkResource *resource,
				 bool notify)
{
	BkValues	values = {0};
	int64		backups_made = 0;

	bk_backup_add_values(&values, backup);
	bk_event_add_values(&values, event);
	add_totals(&values, resource, backup);
	bk_value_add_int64(&values, resource->backups_made + 1);
	if (chunk)
		bk_value_add_bytes(&values, chunk->data, chunk->len);
	if (bk_statement_write(&statements[resource->is_new][notify][chunk != NULL], &values) == 1)
		backups_made = bk_column_int64(0, 1);
	else if (!resource->is_new)
		elog(ERROR, "the locked row of resource \"%s\" is gone", backup->resource_id);
	SPI_freetuptable(SPI_tuptable);
	return backups_made;
}
