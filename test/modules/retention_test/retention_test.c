/*
 * retention_test.c
 *		Shows the retention layer to SQL, for tests: points come as arrays, times as
 *		PostgreSQL's microseconds since 2000, so that nothing is lost on the way.
 */
#include "retention/retention.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(retention_decide);
PG_FUNCTION_INFO_V1(retention_doomed);
PG_FUNCTION_INFO_V1(retention_check);
PG_FUNCTION_INFO_V1(retention_check_zone);

/* The arguments that all functions begin with, as in retention_test.sql. */
enum
{
	ARG_IDS, ARG_BASES, ARG_CREATED, ARG_EXPIRES, ARG_FLAGS,
	ARG_KEEP, ARG_KEEP_FOR, ARG_ZONE, ARG_WEEK_START,
	ARG_NOW, ARG_FRACTION, ARG_ALREADY
};

/* The elements of a bigint[] without nulls. */
static int64 *
array_argument(FunctionCallInfo fcinfo, int number, int expected)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(number);

	if (ARR_HASNULL(array) || (expected >= 0 && ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) != expected))
		elog(ERROR, "argument %d has nulls or not %d elements", number, expected);
	return (int64 *) ARR_DATA_PTR(array);
}

static int
array_count(FunctionCallInfo fcinfo, int number)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(number);

	return ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
}

static BkRetentionPoint *
points_argument(FunctionCallInfo fcinfo, int count)
{
	int64	   *ids = array_argument(fcinfo, ARG_IDS, count);
	int64	   *bases = array_argument(fcinfo, ARG_BASES, count);
	int64	   *created = array_argument(fcinfo, ARG_CREATED, count);
	int64	   *expires = array_argument(fcinfo, ARG_EXPIRES, count);
	int64	   *flags = array_argument(fcinfo, ARG_FLAGS, count);
	BkRetentionPoint *points = palloc(sizeof(BkRetentionPoint) * count);

	for (int i = 0; i < count; i++)
		points[i] = (BkRetentionPoint) {
			.backup_id = ids[i],
			.base_id = bases[i],
			.created_at = created[i],
			.expires_at = expires[i],
			.flags = flags[i],
		};
	return points;
}

/* NULL where keep is null. */
static BkRetentionPolicy *
policy_argument(FunctionCallInfo fcinfo, int first, BkRetentionPolicy *policy)
{
	int64	   *keep;

	if (PG_ARGISNULL(first))
		return NULL;
	memset(policy, 0, sizeof(*policy));
	keep = array_argument(fcinfo, first, BK_COUNTED_RULES);
	for (int rule = 0; rule < BK_COUNTED_RULES; rule++)
		policy->keep[rule] = keep[rule];
	if (!PG_ARGISNULL(first + 1))
		policy->keep_for = *PG_GETARG_INTERVAL_P(first + 1);
	policy->time_zone = bk_retention_zone(text_to_cstring(PG_GETARG_TEXT_PP(first + 2)));
	policy->week_start = PG_GETARG_INT32(first + 3);
	return policy;
}

/* Zero-based reasons of the set, as a text[]. */
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

static Datum
places_datum(const int32 *places)
{
	Datum		values[BK_COUNTED_RULES];

	for (int rule = 0; rule < BK_COUNTED_RULES; rule++)
		values[rule] = Int32GetDatum(places[rule]);
	return PointerGetDatum(construct_array(values, BK_COUNTED_RULES, INT4OID, 4, true, TYPALIGN_INT));
}

/* Every decision as a row. */
Datum
retention_decide(PG_FUNCTION_ARGS)
{
	int			count = array_count(fcinfo, ARG_IDS);
	BkRetentionPoint *points = points_argument(fcinfo, count);
	BkRetentionPolicy space;
	BkRetentionPolicy *policy = policy_argument(fcinfo, ARG_KEEP, &space);
	BkRetentionDecision *decisions = palloc(sizeof(BkRetentionDecision) * count);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			waiting;

	InitMaterializedSRF(fcinfo, 0);
	bk_retention_decide(policy, points, count, PG_GETARG_INT64(ARG_NOW), decisions);
	waiting = bk_retention_limit(decisions, count, PG_GETARG_FLOAT8(ARG_FRACTION), PG_GETARG_INT32(ARG_ALREADY));
	for (int i = 0; i < count; i++)
	{
		const BkRetentionDecision *decision = &decisions[i];
		Datum		values[] = {
			Int64GetDatum(points[i].backup_id),
			CStringGetTextDatum(bk_retention_verdict_name(decision->verdict)),
			reasons_datum(decision->reasons),
			places_datum(decision->place),
			Int64GetDatum(decision->until),
			BoolGetDatum(decision->until_is_exact),
			CStringGetTextDatum(bk_retention_words(policy, &points[i], decision)),
			Int32GetDatum(waiting),
		};
		bool		nulls[lengthof(values)] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* The ids of what is to go, as an array: for large timelines. */
Datum
retention_doomed(PG_FUNCTION_ARGS)
{
	int			count = array_count(fcinfo, ARG_IDS);
	BkRetentionPoint *points = points_argument(fcinfo, count);
	BkRetentionPolicy space;
	BkRetentionDecision *decisions = palloc(sizeof(BkRetentionDecision) * count);
	Datum	   *ids = palloc(sizeof(Datum) * count);
	int			doomed = 0;

	bk_retention_decide(policy_argument(fcinfo, ARG_KEEP, &space), points, count, PG_GETARG_INT64(ARG_NOW), decisions);
	for (int i = 0; i < count; i++)
		if (decisions[i].verdict == BK_VERDICT_GO)
			ids[doomed++] = Int64GetDatum(points[i].backup_id);
	PG_RETURN_ARRAYTYPE_P(construct_array(ids, doomed, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

Datum
retention_check(PG_FUNCTION_ARGS)
{
	BkRetentionPolicy policy;

	bk_retention_check(policy_argument(fcinfo, 0, &policy));
	PG_RETURN_VOID();
}

Datum
retention_check_zone(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(bk_retention_check_zone(text_to_cstring(PG_GETARG_TEXT_PP(0)))));
}
