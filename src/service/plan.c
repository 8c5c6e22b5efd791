/*
 * plan.c
 *		From decisions to fates: what leaves, and what is made full because of that.
 */
#include "service/plan.h"

#include "utils/memutils.h"

/* Where the point of a backup's id is. */
typedef struct Place
{
	int64		backup_id;
	int			point;
} Place;

static const char *const fate_names[] = {
	[BK_FATE_GONE] = "removed",
	[BK_FATE_KEEP] = "keep",
	[BK_FATE_CONSOLIDATE] = "consolidate",
	[BK_FATE_EXPIRE] = "expire",
	[BK_FATE_WAIT] = "wait",
	[BK_FATE_NEEDED] = "skip",
};

const char *
bk_fate_name(BkFate fate)
{
	return fate_names[fate];
}

static void *
alloc_array(const BkPlan *plan, Size element_size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, element_size * Max(plan->timeline.count, 1));
}

static int
compare_places(const void *a, const void *b)
{
	int64		left = ((const Place *) a)->backup_id;
	int64		right = ((const Place *) b)->backup_id;

	return left < right ? -1 : left > right;
}

static bool
is_live(const BkPlan *plan, int point)
{
	return (plan->timeline.points[point].flags & BK_POINT_REMOVED) == 0;
}

/* Which live point each builds on. */
static void
find_bases(BkPlan *plan)
{
	Place	   *places = alloc_array(plan, sizeof(Place));

	plan->live = 0;
	for (int i = 0; i < plan->timeline.count; i++)
		if (is_live(plan, i))
			places[plan->live++] = (Place) {plan->timeline.points[i].backup_id, i};
	qsort(places, plan->live, sizeof(Place), compare_places);

	plan->bases = alloc_array(plan, sizeof(int));
	for (int i = 0; i < plan->timeline.count; i++)
	{
		Place		wanted = {.backup_id = plan->timeline.points[i].base_id};
		Place	   *found = NULL;

		if (wanted.backup_id != 0 && is_live(plan, i))
			found = bsearch(&wanted, places, plan->live, sizeof(Place), compare_places);
		plan->bases[i] = found ? found->point : -1;
	}
	pfree(places);
}

/* A resource that clean-up has stopped at waits with all that is to go. */
static void
wait_for_prune(BkPlan *plan)
{
	for (int i = 0; i < plan->timeline.count; i++)
		if (plan->decisions[i].verdict == BK_VERDICT_GO)
		{
			plan->decisions[i].verdict = BK_VERDICT_WAIT;
			plan->waiting++;
		}
}

static void
decide(BkPlan *plan, const BkResource *resource, double max_fraction)
{
	plan->decisions = alloc_array(plan, sizeof(BkRetentionDecision));
	bk_retention_decide(plan->rules, plan->timeline.points, plan->timeline.count, plan->now, plan->decisions);
	plan->waiting = bk_retention_limit(plan->decisions, plan->timeline.count, max_fraction, resource->cleanup_removed);
	if (max_fraction < 1 && resource->cleanup_stopped_at != 0)
		wait_for_prune(plan);
}

static BkFate
fate_of(BkRetentionVerdict verdict)
{
	switch (verdict)
	{
		case BK_VERDICT_KEEP:
			return BK_FATE_KEEP;
		case BK_VERDICT_GO:
			return BK_FATE_EXPIRE;
		case BK_VERDICT_WAIT:
			return BK_FATE_WAIT;
		case BK_VERDICT_REMOVED:
			return BK_FATE_GONE;
	}
	pg_unreachable();
}

/* Kept, on a base that goes. */
static bool
loses_base(const BkPlan *plan, int point)
{
	return plan->bases[point] >= 0
		&& plan->fates[point] != BK_FATE_EXPIRE
		&& plan->fates[plan->bases[point]] == BK_FATE_EXPIRE;
}

/* What is corrupt cannot be made full; so what it builds on goes when it goes itself. */
static void
find_fates(BkPlan *plan)
{
	plan->fates = alloc_array(plan, sizeof(BkFate));
	for (int i = 0; i < plan->timeline.count; i++)
		plan->fates[i] = fate_of(plan->decisions[i].verdict);
	for (int i = 0; i < plan->timeline.count; i++)
		if (loses_base(plan, i) && (plan->timeline.points[i].flags & BK_POINT_CORRUPT))
			bk_plan_keep_bases(plan, i);
	/* One that waits for bk_prune() is made full like one that is kept. */
	for (int i = 0; i < plan->timeline.count; i++)
		if (loses_base(plan, i))
			plan->fates[i] = BK_FATE_CONSOLIDATE;
}

static void
make(const BkResource *resource, TimestampTz now, double max_fraction, BkPlan *plan)
{
	plan->resource_id = pstrdup(resource->resource_id);
	plan->now = now;
	plan->audit_number = resource->audit_number;
	bk_timeline_read(resource->resource_id, now, &plan->timeline);
	find_bases(plan);
	decide(plan, resource, max_fraction);
	find_fates(plan);
}

void
bk_plan_make(const BkResource *resource, TimestampTz now, double max_fraction, BkPlan *plan)
{
	memset(plan, 0, sizeof(*plan));
	if (bk_policy_find_effective(resource->resource_id, &plan->policy))
		plan->rules = &plan->policy.rules;
	make(resource, now, max_fraction, plan);
}

void
bk_plan_make_for(const BkResource *resource, const BkRetentionPolicy *rules, TimestampTz now, double max_fraction,
				 BkPlan *plan)
{
	memset(plan, 0, sizeof(*plan));
	plan->rules = rules;
	make(resource, now, max_fraction, plan);
}

static bool
same_rules(const BkRetentionPolicy *a, const BkRetentionPolicy *b)
{
	return memcmp(a->keep, b->keep, sizeof(a->keep)) == 0
		&& a->keep_for.month == b->keep_for.month
		&& a->keep_for.day == b->keep_for.day
		&& a->keep_for.time == b->keep_for.time
		&& a->time_zone == b->time_zone
		&& a->week_start == b->week_start;
}

bool
bk_plan_has_policy(const BkPlan *plan)
{
	BkPolicy	policy;
	bool		found = bk_policy_find_effective(plan->resource_id, &policy);

	return found == (plan->rules != NULL) && (!found || same_rules(&policy.rules, plan->rules));
}

int
bk_plan_count(const BkPlan *plan, BkFate fate)
{
	int			count = 0;

	for (int i = 0; i < plan->timeline.count; i++)
		count += plan->fates[i] == fate;
	return count;
}

bool
bk_plan_must_consolidate(const BkPlan *plan, int point)
{
	return plan->fates[point] == BK_FATE_CONSOLIDATE
		&& plan->timeline.points[point].base_id != 0
		&& loses_base(plan, point);
}

BkFate
bk_plan_fate(const BkPlan *plan, int point)
{
	if (plan->fates[point] == BK_FATE_CONSOLIDATE && !loses_base(plan, point))
		return fate_of(plan->decisions[point].verdict);
	return plan->fates[point];
}

void
bk_plan_keep_bases(BkPlan *plan, int point)
{
	for (int base = plan->bases[point]; base >= 0 && plan->fates[base] == BK_FATE_EXPIRE; base = plan->bases[base])
		plan->fates[base] = BK_FATE_NEEDED;
}

char *
bk_plan_reason(const BkPlan *plan, int point)
{
	char	   *reason = bk_retention_words(plan->rules, &plan->timeline.points[point], &plan->decisions[point]);

	if (bk_plan_fate(plan, point) == BK_FATE_CONSOLIDATE)
		return psprintf("%s; made full, since backup " INT64_FORMAT " goes", reason,
						plan->timeline.points[plan->bases[point]].backup_id);
	if (plan->fates[point] == BK_FATE_NEEDED)
		return psprintf("%s; it stays, since a backup that builds on it cannot be made full", reason);
	return reason;
}
