/*
 * delete.c
 *		bk_delete() and bk_consolidate().
 */
#include "service/delete.h"

#include "functions/arguments.h"
#include "functions/backup_row.h"
#include "functions/entry.h"

static BkDependents
dependents_argument(FunctionCallInfo fcinfo, int argument)
{
	char	   *name;

	bk_check_not_null(fcinfo, argument, "dependents");
	name = bk_optional_text(fcinfo, argument);
	if (strcmp(name, "consolidate") == 0)
		return BK_DEPENDENTS_CONSOLIDATE;
	if (strcmp(name, "cascade") == 0)
		return BK_DEPENDENTS_CASCADE;
	if (strcmp(name, "restrict") == 0)
		return BK_DEPENDENTS_RESTRICT;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown value \"%s\" for dependents", bk_shown_word(name)),
			 errhint("Use 'consolidate', 'cascade' or 'restrict'.")));
	pg_unreachable();
}

/* bk_delete(backup_id bigint, dependents text, resource_id text) returns bigint */
BK_FUNCTION(bk_delete)
{
	int64		backup_id = bk_id_argument(fcinfo, 0, "backup_id");
	BkDependents dependents = dependents_argument(fcinfo, 1);
	char	   *resource_id = bk_optional_resource_id(fcinfo, 2, "resource_id");
	int64		deleted;

	bk_check_can_write("bk_delete()", NULL);
	deleted = bk_delete_backup(&entry->call, backup_id, dependents, resource_id);
	PG_RETURN_INT64(deleted);
}

/* bk_consolidate(backup_id bigint, resource_id text) returns bk_backups */
BK_FUNCTION(bk_consolidate)
{
	int64		backup_id = bk_id_argument(fcinfo, 0, "backup_id");
	char	   *resource_id = bk_optional_resource_id(fcinfo, 1, "resource_id");
	BkBackup	backup;

	bk_check_can_write("bk_consolidate()", NULL);
	bk_consolidate_backup(&entry->call, backup_id, resource_id, &backup);
	return bk_backup_row(fcinfo, entry, &backup);
}
