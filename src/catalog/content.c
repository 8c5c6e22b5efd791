/*
 * content.c
 *		Counting all backups.
 */
#include "catalog/content.h"

#include "catalog/statement.h"

/* One table alone: others may be gone when the extension is being dropped. */
static BkStatement count_content = {
	.sql = "SELECT coalesce(pg_catalog.sum(backups), 0)::pg_catalog.int8, pg_catalog.count(*)"
	" FROM (SELECT pg_catalog.count(*) AS backups FROM backup_service.backup GROUP BY resource_id) r",
	.nargs = 0,
};

BkContent
bk_content_count(void)
{
	BkValues	values = {0};
	BkContent	content;

	(void) bk_statement_read_through(&count_content, &values);
	content.backups = bk_column_int64(0, 1);
	content.resources = bk_column_int64(0, 2);
	SPI_freetuptable(SPI_tuptable);
	return content;
}
