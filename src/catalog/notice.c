/*
 * notice.c
 *		Statements on backup_service.notice.
 */
#include "catalog/notice.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

static BkStatement insert_notice = {
	.sql = "INSERT INTO backup_service.notice (resource_id, event, backup_id, operation_id, key_version, at)"
	" VALUES ($1, $2, $3, $4, $5, $6)",
	.nargs = 6,
	.types = {TEXTOID, TEXTOID, INT8OID, INT8OID, INT4OID, TIMESTAMPTZOID},
};

/* Ids are drawn under the lock of the resource, so their order is that of its commits. */
static BkStatement find_notices = {
	.sql = "SELECT resource_id, notice_id, event, backup_id, operation_id, key_version, at"
	" FROM backup_service.notice ORDER BY notice_id LIMIT $1",
	.nargs = 1,
	.types = {INT4OID},
};

static BkStatement delete_notice = {
	.sql = "DELETE FROM backup_service.notice WHERE resource_id = $1 AND notice_id = $2",
	.nargs = 2,
	.types = {TEXTOID, INT8OID},
};

static BkStatement count_notices = {
	.sql = "SELECT pg_catalog.count(*), pg_catalog.min(n.at) FROM (SELECT at FROM backup_service.notice LIMIT $1) n",
	.nargs = 1,
	.types = {INT4OID},
};

void
bk_notice_insert(const BkNotice *notice)
{
	BkValues	values = {0};

	bk_value_add_text(&values, notice->resource_id);
	bk_value_add_text(&values, notice->event);
	bk_value_add_id(&values, notice->backup_id);
	bk_value_add_id(&values, notice->operation_id);
	if (notice->key_version)
		bk_value_add(&values, Int32GetDatum(notice->key_version));
	else
		bk_value_add_null(&values);
	bk_value_add(&values, TimestampTzGetDatum(notice->at));
	bk_statement_write(&insert_notice, &values);
}

int
bk_notice_find(int limit, BkNotice **notices)
{
	BkValues	values = {0};
	uint64		count;

	bk_value_add(&values, Int32GetDatum(limit));
	count = bk_statement_read(&find_notices, &values, 0);
	*notices = palloc(sizeof(BkNotice) * Max(count, 1));
	for (uint64 i = 0; i < count; i++)
		(*notices)[i] = (BkNotice) {
			.resource_id = bk_column_text(i, 1),
			.notice_id = bk_column_int64(i, 2),
			.event = bk_column_text(i, 3),
			.backup_id = bk_column_int64(i, 4),
			.operation_id = bk_column_int64(i, 5),
			.key_version = bk_column_int32(i, 6),
			.at = bk_column_int64(i, 7),
		};
	SPI_freetuptable(SPI_tuptable);
	return count;
}

bool
bk_notice_delete(const BkNotice *notice)
{
	BkValues	values = {0};

	bk_value_add_text(&values, notice->resource_id);
	bk_value_add_int64(&values, notice->notice_id);
	return bk_statement_write(&delete_notice, &values) == 1;
}

int64
bk_notice_count(int limit, TimestampTz *oldest)
{
	BkValues	values = {0};

	bk_value_add(&values, Int32GetDatum(limit));
	return bk_statement_count(&count_notices, &values, oldest);
}
