/*
 * decide.c
 *		The rules of a policy, and the verdicts.
 */
#include "retention/decide.h"

/* A point in its bucket. */
typedef struct Entry
{
	int64		bucket;
	int			point;
} Entry;

/* Clean-up destroys what this layer lets go, so it takes nothing for granted. */
static void
check_timeline(const BkRetentionPoint *points, int count)
{
	for (int i = 0; i < count; i++)
	{
		const BkRetentionPoint *point = &points[i];

		if (!IS_VALID_TIMESTAMP(point->created_at))
			bk_fail(BK_ARGUMENT, "timeline", "backup " INT64_FORMAT " has no time", point->backup_id);
		if (i > 0 && (point->created_at < point[-1].created_at ||
					  (point->created_at == point[-1].created_at && point->backup_id <= point[-1].backup_id)))
			bk_fail(BK_ARGUMENT, "timeline", "backup " INT64_FORMAT " is out of order", point->backup_id);
	}
}

/* keep_last. */
static void
apply_last(BkDecide *decide)
{
	int32		limit = decide->policy->keep[BK_KEEP_LAST];
	int32		later = 0;

	for (int i = decide->count - 1; i >= 0 && later < limit; i--)
	{
		if (!bk_decide_follows_policy(decide, i))
			continue;
		bk_decide_keep(decide, i, BK_KEEP_LAST);
		decide->decisions[i].place[BK_KEEP_LAST] = later + 1;
		if (bk_decide_counts(decide, i))
			later++;
	}
}

static int
compare_entries(const void *a, const void *b)
{
	const Entry *left = a;
	const Entry *right = b;

	if (left->bucket != right->bucket)
		return left->bucket < right->bucket ? -1 : 1;
	return left->point < right->point ? -1 : 1;
}

/*
 * The points that matter to the rules, by bucket.  Mostly they are in order as
 * they come, which qsort() notices; where a clock was put back past midnight
 * they are not.
 */
static int
sort_into_buckets(const BkDecide *decide, BkReason rule, Entry *entries)
{
	int			count = 0;

	for (int i = 0; i < decide->count; i++)
		if (bk_decide_counts(decide, i) || (bk_decide_follows_policy(decide, i) && bk_decide_is_live(decide, i)))
			entries[count++] = (Entry) {
				.bucket = bk_calendar_bucket(&decide->locals[i], rule, decide->policy->week_start),
				.point = i,
			};
	qsort(entries, count, sizeof(Entry), compare_entries);
	return count;
}

/* Keep the points of one bucket up to the first that counts; false where none does. */
static bool
keep_first(BkDecide *decide, BkReason rule, const Entry *entries, int count, int32 later_buckets)
{
	for (int i = 0; i < count; i++)
	{
		bk_decide_keep(decide, entries[i].point, rule);
		decide->decisions[entries[i].point].place[rule] = later_buckets + 1;
		if (bk_decide_counts(decide, entries[i].point))
			return true;
	}
	return false;
}

/* keep_hourly to keep_yearly. */
static void
apply_buckets(BkDecide *decide, BkReason rule, Entry *entries)
{
	int			end = sort_into_buckets(decide, rule, entries);
	int32		later_buckets = 0;

	while (end > 0 && later_buckets < decide->policy->keep[rule])
	{
		int			start = end - 1;

		while (start > 0 && entries[start - 1].bucket == entries[start].bucket)
			start--;
		if (keep_first(decide, rule, entries + start, end - start, later_buckets))
		{
			if (later_buckets == 0)
				decide->newest[rule] = entries[start].bucket;
			later_buckets++;
		}
		end = start;
	}
}

/* keep_for, and what does not follow the policy. */
static void
apply_times(BkDecide *decide)
{
	const BkRetentionPolicy *policy = decide->policy;

	for (int i = 0; i < decide->count; i++)
	{
		const BkRetentionPoint *point = &decide->points[i];

		if (!bk_decide_is_live(decide, i))
			continue;
		if (!bk_decide_follows_policy(decide, i))
		{
			if (decide->now < point->expires_at)
				bk_decide_keep(decide, i, BK_KEEP_RETENTION);
		}
		else if (policy == NULL)
			bk_decide_keep(decide, i, BK_KEEP_NO_POLICY);
		else if (!bk_interval_is_zero(&policy->keep_for) &&
				 decide->now < bk_calendar_add(point->created_at, &policy->keep_for))
			bk_decide_keep(decide, i, BK_KEEP_FOR);
	}
}

/* What the clock on the wall showed at each backup. */
static void
find_local_times(BkDecide *decide)
{
	decide->locals = bk_alloc(decide->memory, decide->count * sizeof(BkLocalTime));
	for (int i = 0; i < decide->count; i++)
		if (!bk_calendar_local(decide->points[i].created_at, decide->policy->time_zone, &decide->locals[i]))
			bk_fail(BK_ARGUMENT, "timeline", "backup " INT64_FORMAT " has no local time", decide->points[i].backup_id);
}

static void
apply_policy(BkDecide *decide)
{
	Entry	   *entries = NULL;

	apply_last(decide);
	for (int rule = BK_KEEP_HOURLY; rule < BK_COUNTED_RULES; rule++)
	{
		if (decide->policy->keep[rule] == 0)
			continue;
		if (entries == NULL)
		{
			find_local_times(decide);
			entries = bk_alloc(decide->memory, decide->count * sizeof(Entry));
		}
		apply_buckets(decide, rule, entries);
		BK_CHECK_INTERRUPTS();
	}
}

static void
conclude(BkDecide *decide)
{
	for (int i = 0; i < decide->count; i++)
	{
		BkRetentionDecision *decision = &decide->decisions[i];

		if (!bk_decide_is_live(decide, i))
			*decision = (BkRetentionDecision) {.verdict = BK_VERDICT_REMOVED, .until = DT_NOBEGIN};
		else if (decision->reasons == 0)
			decision->verdict = BK_VERDICT_GO;
		else
		{
			decision->verdict = BK_VERDICT_KEEP;
			bk_decide_until(decide, i);
		}
	}
}

void
bk_retention_decide(const BkRetentionPolicy *policy, const BkRetentionPoint *points, int count,
					TimestampTz now, BkRetentionDecision *decisions)
{
	BkDecide	decide = {
		.policy = policy,
		.points = points,
		.count = count,
		.now = now,
		.decisions = decisions,
		.memory = bk_memory_new(CurrentMemoryContext, "backup_service retention"),
	};

	check_timeline(points, count);
	for (int i = 0; i < count; i++)
		decisions[i] = (BkRetentionDecision) {.until = DT_NOBEGIN};
	for (int rule = 0; rule < BK_COUNTED_RULES; rule++)
		decide.newest[rule] = BK_NO_BUCKET;

	if (policy)
		apply_policy(&decide);
	apply_times(&decide);
	bk_decide_guards(&decide);
	conclude(&decide);
	bk_memory_delete(decide.memory);
}
