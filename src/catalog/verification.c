/*
 * verification.c
 *		Statements on the status of backups.
 */
#include "catalog/verification.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

static BkStatement find_oldest = {
	.sql = "SELECT resource_id, backup_id FROM backup_service.backup"
	" WHERE verified_at IS NULL OR verified_at < $1"
	" ORDER BY verified_at NULLS FIRST, resource_id, created_at, backup_id LIMIT $2",
	.nargs = 2,
	.types = {TIMESTAMPTZOID, INT4OID},
};

static BkStatement set_status = {
	.sql = "UPDATE backup_service.backup SET status = $3, verified_at = $4 WHERE resource_id = $1 AND backup_id = $2",
	.nargs = 4,
	.types = {TEXTOID, INT8OID, TEXTOID, TIMESTAMPTZOID},
};

static BkStatement set_corrupt = {
	.sql = "UPDATE backup_service.backup SET status = 'corrupt'"
	" WHERE resource_id = $1 AND backup_id = ANY ($2) AND status IS DISTINCT FROM 'corrupt'",
	.nargs = 2,
	.types = {TEXTOID, INT8ARRAYOID},
};

static BkStatement count_corrupt = {
	.sql = "SELECT pg_catalog.count(*) FROM backup_service.backup WHERE status = 'corrupt'",
	.nargs = 0,
};

static BkStatement median_size = {
	.sql = "SELECT pg_catalog.percentile_disc(0.5) WITHIN GROUP (ORDER BY document_size),"
	" pg_catalog.count(*)::pg_catalog.int4 FROM (SELECT document_size FROM backup_service.backup WHERE resource_id = $1 AND created_at < $2"
	"       ORDER BY created_at DESC, backup_id DESC LIMIT $3) last",
	.nargs = 3,
	.types = {TEXTOID, TIMESTAMPTZOID, INT4OID},
};

int
bk_verification_find_oldest(TimestampTz before, int limit, BkCandidate **candidates)
{
	BkValues	values = {0};
	uint64		count;

	bk_value_add(&values, TimestampTzGetDatum(before));
	bk_value_add(&values, Int32GetDatum(limit));
	count = bk_statement_read_through(&find_oldest, &values);
	*candidates = palloc(sizeof(BkCandidate) * Max(count, 1));
	for (uint64 i = 0; i < count; i++)
	{
		(*candidates)[i].resource_id = bk_column_text(i, 1);
		(*candidates)[i].backup_id = bk_column_int64(i, 2);
	}
	SPI_freetuptable(SPI_tuptable);
	return count;
}

void
bk_verification_set(const BkBackup *backup, const char *status, TimestampTz verified_at)
{
	BkValues	values = {0};

	bk_value_add_text(&values, backup->resource_id);
	bk_value_add_int64(&values, backup->backup_id);
	bk_value_add_text(&values, status);
	bk_value_add(&values, TimestampTzGetDatum(verified_at));
	bk_statement_write(&set_status, &values);
}

void
bk_verification_set_corrupt(const char *resource_id, const int64 *ids, int count)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_ids(&values, ids, count);
	bk_statement_write(&set_corrupt, &values);
}

int64
bk_verification_count_corrupt(void)
{
	BkValues	values = {0};

	return bk_statement_count(&count_corrupt, &values, NULL);
}

int64
bk_verification_median_size(const BkBackup *backup, int limit, int *count)
{
	BkValues	values = {0};
	int64		median;

	bk_value_add_text(&values, backup->resource_id);
	bk_value_add(&values, TimestampTzGetDatum(backup->created_at));
	bk_value_add(&values, Int32GetDatum(limit));
	bk_statement_read(&median_size, &values, 0);
	median = bk_column_int64(0, 1);
	*count = bk_column_int32(0, 2);
	SPI_freetuptable(SPI_tuptable);
	return median;
}
