/*
 * queue_trim.c
 *		backup_service.operation_retention.
 */
#include "service/queue_trim.h"

#include "catalog/queue.h"
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
	for (int i = 0; i < count; i++)
		bk_queue_delete(&ended[i]);
	if (count == TRIM_BATCH)
		return true;
	next_trim = find_next(now, retention);
	known_retention = bk_setting_operation_retention;
	return false;
}
