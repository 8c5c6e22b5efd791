/*
 * owner.c
 *		bk_owner_set().
 */
#include "service/owner.h"

#include "functions/arguments.h"
#include "functions/entry.h"

/* bk_owner_set(resource_id text, owner name) returns void */
BK_FUNCTION(bk_owner_set)
{
	char	   *resource_id = bk_resource_id_argument(fcinfo, 0, "resource_id");

	bk_check_not_null(fcinfo, 1, "owner");
	bk_check_can_write("bk_owner_set()", NULL);
	bk_set_owner(&entry->call, resource_id, NameStr(*PG_GETARG_NAME(1)));
	PG_RETURN_VOID();
}
