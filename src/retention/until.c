/*
 * until.c
 *		Until when a backup is kept.
 */
#include "retention/decide.h"

/* Reasons that end at a moment that is known. */
#define TIME_REASONS	(BK_REASON_BIT(BK_KEEP_FOR) | BK_REASON_BIT(BK_KEEP_RETENTION))

/*
 * The first moment at which so many later buckets can be there that the rule
 * lets the point go, if from now on each bucket gets a backup when it begins.
 */
static TimestampTz
bucket_rule_until(const BkDecide *decide, int point, BkReason rule, int32 place)
{
	const BkRetentionPolicy *policy = decide->policy;
	int64		own = bk_calendar_bucket(&decide->locals[point], rule, policy->week_start);
	int64		next = bk_calendar_later(Max(own, decide->newest[rule]), rule, 1);
	BkLocalTime local;

	if (bk_calendar_local(decide->now, policy->time_zone, &local))
		next = Max(next, bk_calendar_bucket(&local, rule, policy->week_start));
	return bk_calendar_start(bk_calendar_later(next, rule, policy->keep[rule] - place), rule, policy->time_zone);
}

/* DT_NOBEGIN where it can be any moment. */
static TimestampTz
reason_until(const BkDecide *decide, int point, BkReason reason)
{
	switch (reason)
	{
		case BK_KEEP_HOURLY:
		case BK_KEEP_DAILY:
		case BK_KEEP_WEEKLY:
		case BK_KEEP_MONTHLY:
		case BK_KEEP_YEARLY:
			return bucket_rule_until(decide, point, reason, decide->decisions[point].place[reason]);
		case BK_KEEP_FOR:
			return bk_calendar_add(decide->points[point].created_at, &decide->policy->keep_for);
		case BK_KEEP_RETENTION:
			return decide->points[point].expires_at;
		default:
			return DT_NOBEGIN;
	}
}

void
bk_decide_until(const BkDecide *decide, int point)
{
	BkRetentionDecision *decision = &decide->decisions[point];

	decision->until = DT_NOBEGIN;
	for (int reason = 0; reason < BK_REASON_COUNT; reason++)
		if (decision->reasons & BK_REASON_BIT(reason))
			decision->until = Max(decision->until, reason_until(decide, point, reason));
	if (decision->until <= decide->now)
		decision->until = DT_NOBEGIN;
	decision->until_is_exact = (decision->reasons & ~TIME_REASONS) == 0 || TIMESTAMP_IS_NOEND(decision->until);
}
