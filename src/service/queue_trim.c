/*
 * queue_trim.c
 *		backup_service.operation_retention.
 */
#include "service/queue_trim.h"

#include "catalog/restore_total.h"
#include "settings.h"
#include "utils/timestamp.h"

/* How many leave in one transaction. */
#define TRIM_BATCH		500

/* Those that are due within this time leave together. */
#define TOGETHER		USECS_PER_HOUR

/* For which retention it was found out when the next ones are due. */
static TimestampTz next_trim = DT_NOBEGIN;
static int	known_retention;

TimestampTz
bk_queue_trim_due(void)
{
	if (bk_setting_operation_retention == 0)
		return DT_NOEND;
	return bk_setting_operation_retention == known_retention ? next_trim : DT_NOBEGIN;
}

/* What ends from now on is not due before its retention is over. */
static TimestampTz
find_next(TimestampTz now, int64 retention)
{
	TimestampTz oldest;

	bk_view_open();
	oldest = bk_queue_find_oldest_end();
	bk_view_close();
	return Max(Min(oldest, now) + retention, now + TOGETHER);
}

/* What is counted stays counted. */
static void
forget(const BkQueued *operations, int count)
{
	BkRestoreTotals totals = {0};
	BkEnded		ended;

	for (int i = 0; i < count; i++)
		if (bk_queue_delete(&operations[i], &ended))
			bk_restore_totals_count(&totals, &ended);
	bk_restore_totals_add(&totals);
}

bool
bk_queue_trim(TimestampTz now)
{
	int64		retention = bk_setting_operation_retention * USECS_PER_SEC;
	BkQueued   *ended;
	int			count;

	if (bk_queue_trim_due() > now)
		return false;
	bk_view_open();
	count = bk_queue_find_ended(now - retention, TRIM_BATCH, &ended);
	bk_view_close();
	forget(ended, count);
	if (count == TRIM_BATCH)
		return true;
	next_trim = find_next(now, retention);
	known_retention = bk_setting_operation_retention;
	return false;
}
