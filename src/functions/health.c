/*
 * health.c
 *		bk_health().  Who may call it is a matter of EXECUTE.
 */
#include "service/health.h"

#include "funcapi.h"
#include "functions/entry.h"
#include "service/rights.h"
#include "utils/builtins.h"

static Datum
checks(FunctionCallInfo fcinfo, BkEntry *entry, bool with_details)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	BkHealth   *health;
	int			count;

	InitMaterializedSRF(fcinfo, 0);
	count = bk_health_check(&entry->call, &health);
	for (int i = 0; i < count; i++)
	{
		Datum		values[] = {
			CStringGetTextDatum(health[i].name),
			BoolGetDatum(health[i].ok),
			BoolGetDatum(health[i].critical),
			CStringGetTextDatum(health[i].detail),
		};
		bool		nulls[lengthof(values)] = {[3] = !with_details};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* bk_health() returns table (name text, ok boolean, critical boolean, detail text) */
BK_FUNCTION(bk_health)
{
	return checks(fcinfo, entry, true);
}

/*
 * backup_service_http.checks() returns the same to whoever asks; the details, which may name others' resources, to
 * those alone who may see these.
 */
BK_FUNCTION(bk_http_checks)
{
	return checks(fcinfo, entry, bk_may_list_all(&entry->call));
}
