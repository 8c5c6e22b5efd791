/*
 * health.c
 *		bk_health().  Who may call it is a matter of EXECUTE.
 */
#include "service/health.h"

#include "funcapi.h"
#include "functions/entry.h"
#include "utils/builtins.h"

/* bk_health() returns table (name text, ok boolean, critical boolean, detail text) */
BK_FUNCTION(bk_health)
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
		bool		nulls[lengthof(values)] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
