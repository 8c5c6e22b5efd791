/*
 * audit.c
 *		bk_audit_seal(), bk_audit_verify(), bk_audit_trim().  Who may call them
 *		is a matter of EXECUTE.
 */
#include "service/audit_verify.h"

#include "funcapi.h"
#include "functions/arguments.h"
#include "functions/entry.h"
#include "service/audit.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* bk_audit_seal(max_events integer) returns bigint */
BK_FUNCTION(bk_audit_seal)
{
	int32		max_events = bk_positive_argument(fcinfo, 0, "max_events");

	bk_check_can_write("bk_audit_seal()", NULL);
	PG_RETURN_INT64(bk_audit_seal_events(&entry->call, max_events));
}

/* One row of bk_audit_verify(). */
static void
put_problem(void *context, const BkAuditProblem *problem)
{
	ReturnSetInfo *result = context;
	Datum		values[4];
	bool		nulls[4] = {false, problem->number == 0, problem->backup_id == 0, false};

	values[0] = CStringGetTextDatum(problem->resource_id);
	values[1] = Int64GetDatum(problem->number);
	values[2] = Int64GetDatum(problem->backup_id);
	values[3] = CStringGetTextDatum(problem->problem);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* A resource's id, or that of the keys' chain; NULL for null. */
static char *
chain_argument(FunctionCallInfo fcinfo, int argument)
{
	char	   *chain = bk_optional_text(fcinfo, argument);

	if (chain != NULL && strcmp(chain, BK_KEY_CHAIN) == 0)
		return chain;
	return bk_optional_resource_id(fcinfo, argument, "resource_id");
}

/* bk_audit_verify(resource_id text) returns table (chain text, number bigint, backup_id bigint, problem text) */
BK_FUNCTION(bk_audit_verify)
{
	BkAuditReport report = {.tell = put_problem, .context = fcinfo->resultinfo};

	InitMaterializedSRF(fcinfo, 0);
	bk_audit_verify_chains(&entry->call, chain_argument(fcinfo, 0), &report);
	return (Datum) 0;
}

/* bk_audit_trim(before timestamptz) returns bigint */
BK_FUNCTION(bk_audit_trim)
{
	bk_check_not_null(fcinfo, 0, "before");
	bk_check_can_write("bk_audit_trim()", NULL);
	PG_RETURN_INT64(bk_audit_trim_events(&entry->call, PG_GETARG_TIMESTAMPTZ(0)));
}
