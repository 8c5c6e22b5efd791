/*
 * archive.c
 *		bk_archive(), bk_archive_import().
 */
#include "functions/arguments.h"
#include "functions/entry.h"
#include "service/archive.h"

/* bk_archive(resource_id text) returns bytea */
BK_FUNCTION(bk_archive)
{
	PG_RETURN_BYTEA_P(bk_archive_resource(&entry->call, bk_resource_id_argument(fcinfo, 0, "resource_id")));
}

/* bk_archive_import(archive bytea, target_resource_id text) returns bigint: how many backups there were */
BK_FUNCTION(bk_archive_import)
{
	char	   *target_resource_id = bk_optional_resource_id(fcinfo, 1, "target_resource_id");
	bytea	   *archive;

	bk_check_not_null(fcinfo, 0, "archive");
	bk_check_can_write("bk_archive_import()", NULL);
	archive = PG_GETARG_BYTEA_PP(0);
	PG_RETURN_INT64(bk_archive_take(&entry->call, (BkText) {VARDATA_ANY(archive), VARSIZE_ANY_EXHDR(archive)},
									target_resource_id));
}
