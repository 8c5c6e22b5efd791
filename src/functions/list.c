/*
 * list.c
 *		bk_list(), bk_operation_list(), how many rows they would have, and the one
 *		row of an id.
 */
#include "functions/arguments.h"
#include "functions/entry.h"

#include "catalog/backup.h"
#include "catalog/backup_list.h"
#include "catalog/operation_list.h"
#include "funcapi.h"
#include "service/rights.h"
#include "utils/timestamp.h"

static TimestampTz
time_argument(FunctionCallInfo fcinfo, int argument, TimestampTz otherwise)
{
	return PG_ARGISNULL(argument) ? otherwise : PG_GETARG_TIMESTAMPTZ(argument);
}

static int64
before_id_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? PG_INT64_MIN : PG_GETARG_INT64(argument);
}

static BkOwners
owners_of(const BkEntry *entry)
{
	return (BkOwners) {.reader = entry->call.role, .all = bk_may_list_all(&entry->call)};
}

/* The arguments that listing and counting share: all of the filter's but those that continue after a row. */
static BkBackupFilter
backup_filter(FunctionCallInfo fcinfo, const BkEntry *entry)
{
	return (BkBackupFilter) {
		.resource_id = bk_optional_text(fcinfo, 0),
		.resource_type = bk_optional_text(fcinfo, 1),
		.type = PG_ARGISNULL(2) ? NULL : bk_type_name(bk_type_argument(fcinfo, 2)),
		.tags = PG_ARGISNULL(3) ? NULL : bk_object_argument(fcinfo, 3, "tags"),
		.since = time_argument(fcinfo, 4, DT_NOBEGIN),
		.until = time_argument(fcinfo, 5, DT_NOEND),
		.before = DT_NOEND,
		.before_id = PG_INT64_MIN,
		.owners = owners_of(entry),
	};
}

/*
 * bk_list(resource_id text, resource_type text, type text, tags jsonb, since timestamptz, until timestamptz,
 * before timestamptz, before_id bigint, max_rows int) returns setof bk_backups
 */
BK_FUNCTION(bk_list)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	BkBackupFilter filter = backup_filter(fcinfo, entry);

	filter.before = time_argument(fcinfo, 6, DT_NOEND);
	filter.before_id = before_id_argument(fcinfo, 7);
	filter.max_rows = bk_positive_argument(fcinfo, 8, "max_rows");
	InitMaterializedSRF(fcinfo, 0);
	bk_view_open();
	bk_backup_list(&filter, result->setResult);
	bk_view_close();
	return (Datum) 0;
}

/*
 * backup_service_http.count_backups(resource_id text, resource_type text, type text, tags jsonb,
 * since timestamptz, until timestamptz) returns bigint
 */
BK_FUNCTION(bk_http_count_backups)
{
	BkBackupFilter filter = backup_filter(fcinfo, entry);
	int64		count;

	bk_view_open();
	count = bk_backup_count(&filter);
	bk_view_close();
	PG_RETURN_INT64(count);
}

static BkOperationFilter
operation_filter(FunctionCallInfo fcinfo, const BkEntry *entry)
{
	return (BkOperationFilter) {
		.resource_id = bk_optional_text(fcinfo, 0),
		.target_resource_id = bk_optional_text(fcinfo, 1),
		.status = bk_operation_status_argument(fcinfo, 2),
		.since = time_argument(fcinfo, 3, DT_NOBEGIN),
		.until = time_argument(fcinfo, 4, DT_NOEND),
		.before = DT_NOEND,
		.before_id = PG_INT64_MIN,
		.owners = owners_of(entry),
	};
}

/*
 * bk_operation_list(resource_id text, target_resource_id text, status text, since timestamptz, until timestamptz,
 * before timestamptz, before_id bigint, max_rows int) returns setof bk_operations
 */
BK_FUNCTION(bk_operation_list)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	BkOperationFilter filter = operation_filter(fcinfo, entry);

	filter.before = time_argument(fcinfo, 5, DT_NOEND);
	filter.before_id = before_id_argument(fcinfo, 6);
	filter.max_rows = bk_positive_argument(fcinfo, 7, "max_rows");
	InitMaterializedSRF(fcinfo, 0);
	bk_view_open();
	bk_operation_find(&filter, result->setResult);
	bk_view_close();
	return (Datum) 0;
}

/*
 * backup_service_http.count_operations(resource_id text, target_resource_id text, status text,
 * since timestamptz, until timestamptz) returns bigint
 */
BK_FUNCTION(bk_http_count_operations)
{
	BkOperationFilter filter = operation_filter(fcinfo, entry);
	int64		count;

	bk_view_open();
	count = bk_operation_count(&filter);
	bk_view_close();
	PG_RETURN_INT64(count);
}

/* What has an id, as one of the rows that the caller may see. */
static Datum
show(FunctionCallInfo fcinfo, const BkEntry *entry, void (*put) (int64 id, const BkOwners *owners, Tuplestorestate *rows))
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	BkOwners	owners = owners_of(entry);

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	bk_view_open();
	put(PG_GETARG_INT64(0), &owners, result->setResult);
	bk_view_close();
	return (Datum) 0;
}

/* backup_service_http.backup_with(id bigint) returns setof bk_backups */
BK_FUNCTION(bk_http_backup_with)
{
	return show(fcinfo, entry, bk_backup_show);
}

/* backup_service_http.operation_with(id bigint) returns setof bk_operations */
BK_FUNCTION(bk_http_operation_with)
{
	return show(fcinfo, entry, bk_operation_show);
}
