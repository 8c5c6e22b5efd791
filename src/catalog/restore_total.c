/*
 * restore_total.c
 *		Statements on backup_service.restore_total.
 */
#include "catalog/restore_total.h"

#include "catalog/pg_type.h"

static const char *const ends[BK_ENDS] = {"cancelled", "completed", "failed"};

static BkStatement add_total = {
	.sql = "INSERT INTO backup_service.restore_total AS t (status, bucket, restores, duration_total) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (status, bucket) DO UPDATE SET restores = t.restores + EXCLUDED.restores,"
	" duration_total = t.duration_total + EXCLUDED.duration_total",
	.nargs = 4,
	.types = {TEXTOID, INT4OID, INT8OID, INT8OID},
};

void
bk_restore_totals_count(BkRestoreTotals *totals, const BkEnded *ended)
{
	int			bucket = bk_duration_bucket(ended->duration);

	for (int end = 0; end < BK_ENDS; end++)
		if (strcmp(ended->status, ends[end]) == 0)
		{
			totals->restores[end][bucket - 1]++;
			totals->durations[end][bucket - 1] += ended->duration;
		}
}

static void
add(const char *status, int bucket, int64 restores, int64 duration)
{
	BkValues	values = {0};

	bk_value_add_text(&values, status);
	bk_value_add(&values, Int32GetDatum(bucket));
	bk_value_add_int64(&values, restores);
	bk_value_add_int64(&values, duration);
	bk_statement_write(&add_total, &values);
}

void
bk_restore_totals_add(const BkRestoreTotals *totals)
{
	for (int end = 0; end < BK_ENDS; end++)
		for (int bucket = 1; bucket <= BK_DURATION_BUCKETS; bucket++)
			if (totals->restores[end][bucket - 1] > 0)
				add(ends[end], bucket, totals->restores[end][bucket - 1], totals->durations[end][bucket - 1]);
}
