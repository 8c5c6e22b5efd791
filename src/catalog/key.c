/*
 * key.c
 *		Statements on backup_service.key.
 */
#include "catalog/key.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

static BkStatement find_active = {
	.sql = "SELECT version, fingerprint FROM backup_service.key WHERE state = 'active' ORDER BY version DESC LIMIT 1",
	.nargs = 0,
};

static BkStatement insert_key = {
	.sql = "INSERT INTO backup_service.key (version, fingerprint, created_by, created_at) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (version) DO NOTHING",
	.nargs = 4,
	.types = {INT4OID, BYTEAOID, NAMEOID, TIMESTAMPTZOID},
};

int32
bk_key_find_active(uint8 fingerprint[BK_FINGERPRINT_BYTES])
{
	BkValues	values = {0};
	int32		version = 0;

	if (bk_statement_write(&find_active, &values) > 0)
	{
		version = bk_column_int32(0, 1);
		if (!bk_column_bytes(0, 2, fingerprint, BK_FINGERPRINT_BYTES))
			elog(ERROR, "the fingerprint of key version %d has a wrong length", version);
	}
	SPI_freetuptable(SPI_tuptable);
	return version;
}

void
bk_key_insert(int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES],
			  const char *created_by, TimestampTz created_at)
{
	BkValues	values = {0};

	bk_value_add(&values, Int32GetDatum(version));
	bk_value_add_bytes(&values, fingerprint, BK_FINGERPRINT_BYTES);
	bk_value_add_name(&values, created_by);
	bk_value_add(&values, TimestampTzGetDatum(created_at));
	bk_statement_write(&insert_key, &values);
}
