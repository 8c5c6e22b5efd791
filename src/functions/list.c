/*
 * list.c
 *		bk_list(): the newest backups that match, as a set.
 */
#include "functions/arguments.h"
#include "functions/entry.h"

#include "catalog/backup.h"
#include "catalog/backup_list.h"
#include "funcapi.h"
#include "service/rights.h"
#include "utils/timestamp.h"

static void
read_filter(FunctionCallInfo fcinfo, BkBackupFilter *filter)
{
	memset(filter, 0, sizeof(*filter));
	filter->resource_id = bk_optional_text(fcinfo, 0);
	filter->resource_type = bk_optional_text(fcinfo, 1);
	filter->type = PG_ARGISNULL(2) ? NULL : bk_type_name(bk_type_argument(fcinfo, 2));
	filter->tags = PG_ARGISNULL(3) ? NULL : bk_object_argument(fcinfo, 3, "tags");
	filter->since = PG_ARGISNULL(4) ? DT_NOBEGIN : PG_GETARG_TIMESTAMPTZ(4);
	filter->until = PG_ARGISNULL(5) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(5);
	filter->before = PG_ARGISNULL(6) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(6);
	filter->before_id = PG_ARGISNULL(7) ? PG_INT64_MIN : PG_GETARG_INT64(7);
	filter->max_rows = bk_positive_argument(fcinfo, 8, "max_rows");
}

/*
 * bk_list(resource_id text, resource_type text, type text, tags jsonb, since timestamptz, until timestamptz,
 * before timestamptz, before_id bigint, max_rows int) returns setof bk_backups
 */
BK_FUNCTION(bk_list)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	BkBackupFilter filter;

	read_filter(fcinfo, &filter);
	InitMaterializedSRF(fcinfo, 0);
	filter.reader = entry->call.role;
	filter.all_owners = bk_may_list_all(&entry->call);
	bk_view_open();
	bk_backup_list(&filter, result->setResult);
	bk_view_close();
	return (Datum) 0;
}
