/*
 * checkpoint.c
 *		Statements on backup_service.audit_checkpoint.
 */
#include "catalog/checkpoint.h"

#include "catalog/pg_type.h"

static BkStatement find_checkpoint = {
	.sql = "SELECT number, hash, owner, backups FROM backup_service.audit_checkpoint WHERE resource_id = $1",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement set_checkpoint = {
	.sql = "INSERT INTO backup_service.audit_checkpoint (resource_id, number, hash, owner, backups)"
	" VALUES ($1, $2, $3, $4, $5) ON CONFLICT (resource_id) DO UPDATE"
	" SET number = EXCLUDED.number, hash = EXCLUDED.hash, owner = EXCLUDED.owner, backups = EXCLUDED.backups",
	.nargs = 5,
	.types = {TEXTOID, INT8OID, BYTEAOID, TEXTOID, BYTEAOID},
};

/* The bytes of a bytea column; none for null. */
static BkText
read_bytes(int column)
{
	bytea	   *value;

	if (bk_column_is_null(0, column))
		return (BkText) {"", 0};
	value = DatumGetByteaPCopy(bk_column(0, column));
	return (BkText) {VARDATA(value), VARSIZE(value) - VARHDRSZ};
}

bool
bk_checkpoint_find(const char *resource_id, BkCheckpoint *checkpoint)
{
	BkValues	values = {0};
	bool		found;

	bk_value_add_text(&values, resource_id);
	found = bk_statement_read(&find_checkpoint, &values, 1) == 1;
	if (found)
	{
		checkpoint->resource_id = resource_id;
		checkpoint->number = bk_column_int64(0, 1);
		checkpoint->malformed = !bk_column_bytes(0, 2, checkpoint->hash, BK_DIGEST_BYTES);
		checkpoint->owner = bk_column_is_null(0, 3) ? pstrdup("") : bk_column_text(0, 3);
		checkpoint->backups = read_bytes(4);
	}
	SPI_freetuptable(SPI_tuptable);
	return found;
}

void
bk_checkpoint_set(const BkCheckpoint *checkpoint)
{
	BkValues	values = {0};

	bk_value_add_text(&values, checkpoint->resource_id);
	bk_value_add_int64(&values, checkpoint->number);
	bk_value_add_bytes(&values, checkpoint->hash, BK_DIGEST_BYTES);
	bk_value_add_text(&values, checkpoint->owner);
	bk_value_add_bytes(&values, checkpoint->backups.data, checkpoint->backups.len);
	bk_statement_write(&set_checkpoint, &values);
}
