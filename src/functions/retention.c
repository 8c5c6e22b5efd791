/*
 * retention.c
 *		bk_prune(), bk_retention_explain(), bk_policy_simulate(), bk_resource_drop().
 */
#include "service/prune.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "functions/arguments.h"
#include "functions/entry.h"
#include "functions/policy.h"
#include "service/drop.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* One row of bk_prune(). */
static void
put_fate(void *context, int64 backup_id, BkFate fate, const char *reason)
{
	ReturnSetInfo *result = context;
	Datum		values[] = {
		Int64GetDatum(backup_id),
		CStringGetTextDatum(bk_fate_name(fate)),
		CStringGetTextDatum(reason),
	};
	bool		nulls[lengthof(values)] = {false};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* bk_prune(resource_id text, dry_run boolean) returns table (backup_id bigint, action text, reason text) */
BK_FUNCTION(bk_prune)
{
	char	   *resource_id = bk_optional_resource_id(fcinfo, 0, "resource_id");
	bool		dry_run = bk_bool_argument(fcinfo, 1, "dry_run");

	if (!dry_run)
		bk_check_can_write("bk_prune()", "bk_prune(..., dry_run => true) says what it would do.");
	InitMaterializedSRF(fcinfo, 0);
	bk_prune_resources(&entry->call, resource_id, dry_run, put_fate, fcinfo->resultinfo);
	return (Datum) 0;
}

/* The names of all reasons, as a text[]. */
static Datum
reasons_datum(uint32 reasons)
{
	Datum		names[BK_REASON_COUNT];
	int			count = 0;

	for (int reason = 0; reason < BK_REASON_COUNT; reason++)
		if (reasons & BK_REASON_BIT(reason))
			names[count++] = CStringGetTextDatum(bk_retention_reason_name(reason));
	return PointerGetDatum(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
}

static void
put_decision(ReturnSetInfo *result, const BkPlan *plan, int point)
{
	const BkRetentionPoint *where = &plan->timeline.points[point];
	const BkRetentionDecision *decision = &plan->decisions[point];
	Datum		values[] = {
		Int64GetDatum(where->backup_id),
		TimestampTzGetDatum(where->created_at),
		CStringGetTextDatum(bk_retention_verdict_name(decision->verdict)),
		reasons_datum(decision->reasons),
		TimestampTzGetDatum(decision->until),
		BoolGetDatum(decision->until_is_exact),
		CStringGetTextDatum(bk_retention_words(plan->rules, where, decision)),
	};
	bool		nulls[lengthof(values)] = {false};

	nulls[4] = TIMESTAMP_IS_NOBEGIN(decision->until);
	nulls[5] = decision->verdict != BK_VERDICT_KEEP;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* A row for each backup; tombstones are in bk_snapshots. */
static void
explain(FunctionCallInfo fcinfo, const BkEntry *entry, const char *resource_id, const BkRetentionPolicy *rules)
{
	BkPlan		plan;

	InitMaterializedSRF(fcinfo, 0);
	bk_explain_retention(&entry->call, resource_id, rules, &plan);
	for (int i = 0; i < plan.timeline.count; i++)
		if (plan.decisions[i].verdict != BK_VERDICT_REMOVED)
			put_decision((ReturnSetInfo *) fcinfo->resultinfo, &plan, i);
}

/*
 * bk_retention_explain(resource_id text) returns table (backup_id bigint, created_at timestamptz, action text,
 * rules text[], until timestamptz, until_is_exact boolean, reason text)
 */
BK_FUNCTION(bk_retention_explain)
{
	explain(fcinfo, entry, bk_resource_id_argument(fcinfo, 0, "resource_id"), NULL);
	return (Datum) 0;
}

/*
 * bk_policy_simulate(resource_id text, keep_for interval, keep_last int, keep_hourly int, keep_daily int,
 * keep_weekly int, keep_monthly int, keep_yearly int, time_zone text, week_start int) returns the same table
 */
BK_FUNCTION(bk_policy_simulate)
{
	char	   *resource_id = bk_resource_id_argument(fcinfo, 0, "resource_id");
	BkRetentionPolicy rules;
	char	   *time_zone;

	bk_rules_argument(fcinfo, 1, &rules, &time_zone);
	rules.time_zone = bk_retention_zone(bk_retention_check_zone(time_zone));
	bk_retention_check(&rules);
	explain(fcinfo, entry, resource_id, &rules);
	return (Datum) 0;
}

/* bk_resource_drop(resource_id text) returns bigint */
BK_FUNCTION(bk_resource_drop)
{
	char	   *resource_id = bk_resource_id_argument(fcinfo, 0, "resource_id");

	bk_check_can_write("bk_resource_drop()", NULL);
	PG_RETURN_INT64(bk_drop_resource(&entry->call, resource_id));
}
