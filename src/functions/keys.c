/*
 * keys.c
 *		bk_key_rotate(), bk_rekey(), bk_key_retire(), bk_key_copied(),
 *		bk_verify_keys().  Who may call them is a matter of EXECUTE.
 */
#include "service/rotation.h"

#include "funcapi.h"
#include "functions/arguments.h"
#include "functions/entry.h"
#include "utils/builtins.h"

static int32
version_argument(FunctionCallInfo fcinfo)
{
	bk_check_not_null(fcinfo, 0, "version");
	return PG_GETARG_INT32(0);
}

/* bk_key_rotate(lost boolean) returns integer */
BK_FUNCTION(bk_key_rotate)
{
	bool		lost = bk_bool_argument(fcinfo, 0, "lost");
	int32		version;

	bk_check_can_write("bk_key_rotate()", NULL);
	version = bk_rotate_key(&entry->call, lost);
	PG_RETURN_INT32(version);
}

/* bk_rekey(max_backups integer) returns bigint */
BK_FUNCTION(bk_rekey)
{
	int32		max_backups = bk_positive_argument(fcinfo, 0, "max_backups");
	int64		rekeyed;

	bk_check_can_write("bk_rekey()", NULL);
	rekeyed = bk_rekey_backups(&entry->call, max_backups);
	PG_RETURN_INT64(rekeyed);
}

/* bk_key_retire(version integer) returns void */
BK_FUNCTION(bk_key_retire)
{
	int32		version = version_argument(fcinfo);

	bk_check_can_write("bk_key_retire()", NULL);
	bk_retire_key(&entry->call, version);
	PG_RETURN_VOID();
}

/* bk_key_copied(version integer) returns void */
BK_FUNCTION(bk_key_copied)
{
	int32		version = version_argument(fcinfo);

	bk_check_can_write("bk_key_copied()", NULL);
	bk_note_key_copied(&entry->call, version);
	PG_RETURN_VOID();
}

/* One row of bk_verify_keys(). */
static void
put_row(ReturnSetInfo *result, int32 version, bool available, const char *problem)
{
	Datum		values[3];
	bool		nulls[3] = {false, false, problem == NULL};

	values[0] = Int32GetDatum(version);
	values[1] = BoolGetDatum(available);
	values[2] = problem ? CStringGetTextDatum(problem) : (Datum) 0;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* bk_verify_keys() returns table (version integer, available boolean, problem text) */
BK_FUNCTION(bk_verify_keys)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	BkKeyVersion *versions;
	int			count;

	InitMaterializedSRF(fcinfo, 0);
	bk_view_open();
	count = bk_key_find_all(&versions);
	for (int i = 0; i < count; i++)
	{
		char	   *problem;
		bool		available = bk_key_is_available(&entry->call, &versions[i], &problem);

		put_row(result, versions[i].version, available, problem);
	}
	bk_view_close();
	return (Datum) 0;
}
