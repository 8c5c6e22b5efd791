/*
 * http_call.c
 *		The functions of backup_service_api, as PostgREST calls them.
 *
 * Each hands its argument to its namesake in backup_service_http and gives back
 * what that answers.  PostgREST makes an HTTP status of an error's SQLSTATE; where
 * its choice would be a wrong one, the error leaves here in the form in which
 * PostgREST takes the status from the error itself (SQLSTATE PGRST).
 */
#include "common/common.h"

#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

#define ERRCODE_POSTGREST	MAKE_SQLSTATE('P', 'G', 'R', 'S', 'T')

/* What PostgREST would answer by another status.  The first that fits counts; a code that ends in 000 is its class. */
typedef struct HttpStatus
{
	int			sqlstate;
	int			status;
} HttpStatus;

static const HttpStatus statuses[] = {
	{ERRCODE_UNDEFINED_OBJECT, 404},
	{ERRCODE_OBJECT_IN_USE, 409},
	{ERRCODE_LOCK_NOT_AVAILABLE, 503},
	{ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, 409},
	{ERRCODE_DATA_CORRUPTED, 422},
	{ERRCODE_STATEMENT_TOO_COMPLEX, 400},
	{ERRCODE_PROGRAM_LIMIT_EXCEEDED, 413},
	{ERRCODE_TRANSACTION_ROLLBACK, 503},
	{ERRCODE_INSUFFICIENT_RESOURCES, 503},
	{ERRCODE_QUERY_CANCELED, 503},
	{ERRCODE_SYSTEM_ERROR, 503},
};

static bool
fits(const HttpStatus *status, int sqlstate)
{
	bool		whole_class = ERRCODE_IS_CATEGORY(status->sqlstate);

	return status->sqlstate == (whole_class ? ERRCODE_TO_CATEGORY(sqlstate) : sqlstate);
}

/* NULL where PostgREST does right. */
static const HttpStatus *
find_status(int sqlstate)
{
	for (int i = 0; i < (int) lengthof(statuses); i++)
		if (fits(&statuses[i], sqlstate))
			return &statuses[i];
	return NULL;
}

static void
add_member(StringInfo json, const char *name, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfo(json, "%s\"%s\":", json->len == 1 ? "" : ",", name);
	escape_json(json, value);
}

/* The answer's body. */
static char *
body_of(const ErrorData *error)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	add_member(&json, "code", unpack_sql_state(error->sqlerrcode));
	add_member(&json, "message", error->message);
	add_member(&json, "details", error->detail);
	add_member(&json, "hint", error->hint);
	appendStringInfoChar(&json, '}');
	return json.data;
}

BK_NORETURN static void
fail(ErrorData *error)
{
	const HttpStatus *status = find_status(error->sqlerrcode);

	FlushErrorState();
	/* Statements of PL/pgSQL have nothing to tell, and more than a line of the log to tell it in. */
	error->hide_ctx = true;
	if (status == NULL)
		ReThrowError(error);
	ereport(ERROR,
			(errcode(ERRCODE_POSTGREST),
			 errhidecontext(true),
			 errmsg_internal("%s", body_of(error)),
			 errdetail_internal("{\"status\":%d,\"headers\":{}}", status->status)));
	pg_unreachable();
}

/* The function of the same name and argument in backup_service_http. */
static Oid
namesake(Oid function)
{
	Oid		   *arguments;
	int			count;

	(void) get_func_signature(function, &arguments, &count);
	return LookupFuncName(list_make2(makeString("backup_service_http"), makeString(get_func_name(function))),
						  count, arguments, false);
}

PG_FUNCTION_INFO_V1(bk_http_call);

/* Every function (text | bytea) of backup_service_api. */
Datum
bk_http_call(PG_FUNCTION_ARGS)
{
	MemoryContext memory = CurrentMemoryContext;
	LOCAL_FCINFO(call, 1);
	FmgrInfo	flinfo;
	Datum		result = (Datum) 0;

	fmgr_info(namesake(fcinfo->flinfo->fn_oid), &flinfo);
	InitFunctionCallInfoData(*call, &flinfo, 1, fcinfo->fncollation, NULL, NULL);
	call->args[0] = fcinfo->args[0];
	PG_TRY();
	{
		result = FunctionCallInvoke(call);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(memory);
		fail(CopyErrorData());
	}
	PG_END_TRY();
	fcinfo->isnull = call->isnull;
	return result;
}
