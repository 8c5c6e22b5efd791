/*
 * hold.c
 *		bk_hold() and bk_release().
 */
#include "service/hold.h"

#include "functions/arguments.h"
#include "functions/entry.h"
#include "utils/timestamp.h"

/* A label that must be given. */
static char *
given_label(FunctionCallInfo fcinfo, int argument, const char *name)
{
	bk_check_not_null(fcinfo, argument, name);
	return bk_label_argument(fcinfo, argument, name);
}

/* The end of a hold; 0 for one without.  The moment that 0 is long past, like the one after it. */
static TimestampTz
until_argument(FunctionCallInfo fcinfo, int argument)
{
	if (PG_ARGISNULL(argument) || PG_GETARG_TIMESTAMPTZ(argument) == DT_NOEND)
		return 0;
	return PG_GETARG_TIMESTAMPTZ(argument) == 0 ? 1 : PG_GETARG_TIMESTAMPTZ(argument);
}

/* bk_hold(backup_id bigint, name text, reason text, until timestamptz, resource_id text) returns void */
BK_FUNCTION(bk_hold)
{
	int64		backup_id = bk_id_argument(fcinfo, 0, "backup_id");
	char	   *name = given_label(fcinfo, 1, "name");
	char	   *reason = given_label(fcinfo, 2, "reason");
	TimestampTz until = until_argument(fcinfo, 3);
	char	   *resource_id = bk_optional_resource_id(fcinfo, 4, "resource_id");

	bk_check_can_write("bk_hold()", NULL);
	bk_hold_backup(&entry->call, backup_id, resource_id, name, reason, until);
	PG_RETURN_VOID();
}

/* bk_release(backup_id bigint, name text, resource_id text) returns void */
BK_FUNCTION(bk_release)
{
	int64		backup_id = bk_id_argument(fcinfo, 0, "backup_id");
	char	   *name = given_label(fcinfo, 1, "name");
	char	   *resource_id = bk_optional_resource_id(fcinfo, 2, "resource_id");

	bk_check_can_write("bk_release()", NULL);
	bk_release_backup(&entry->call, backup_id, resource_id, name);
	PG_RETURN_VOID();
}
