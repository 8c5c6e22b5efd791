/*
 * create.c
 *		bk_create().
 */
#include "functions/arguments.h"
#include "functions/backup_row.h"
#include "functions/entry.h"
#include "service/create.h"
#include "settings.h"
#include "utils/timestamp.h"

static void
read_request(FunctionCallInfo fcinfo, BkCreateRequest *request)
{
	request->resource_id = bk_resource_id_argument(fcinfo, 0, "resource_id");
	bk_check_not_null(fcinfo, 1, "data");
	request->type = bk_type_argument(fcinfo, 2);
	request->resource_type = bk_resource_id_argument(fcinfo, 3, "resource_type");
	request->encrypt = PG_ARGISNULL(4) ? bk_setting_encrypt : PG_GETARG_BOOL(4);
	request->compression = bk_compression_argument(fcinfo, 5);
	request->retention = PG_ARGISNULL(6) ? NULL : PG_GETARG_INTERVAL_P(6);
	request->tags = bk_object_argument(fcinfo, 7, "tags");
	request->source = bk_label_argument(fcinfo, 8, "source");
	request->version = bk_label_argument(fcinfo, 9, "version");
}

/*
 * bk_create(resource_id text, data jsonb, type text, resource_type text, encrypt bool,
 * compression text, retention interval, tags jsonb, source text, version text)
 * returns bk_backups
 */
BK_FUNCTION(bk_create)
{
	BkCreateRequest request;
	BkBackup	backup;

	read_request(fcinfo, &request);
	bk_check_can_write("bk_create()", NULL);
	bk_create_backup(&entry->call, &request, PG_GETARG_JSONB_P(1), &backup);
	return bk_backup_row(fcinfo, entry, &backup);
}
