/*
 * limit.c
 *		At most a fraction of a resource's backups goes in one run of clean-up.
 */
#include "retention/retention.h"

#include <math.h>

/* A resource with fewer backups is not limited. */
#define MIN_BACKUPS		10

static int
count_verdicts(const BkRetentionDecision *decisions, int count, BkRetentionVerdict verdict)
{
	int			found = 0;

	for (int i = 0; i < count; i++)
		found += decisions[i].verdict == verdict;
	return found;
}

/* How many may go of so many, of which some have gone already. */
static int64
allowance(int64 backups, double max_fraction, int64 already)
{
	if (backups < MIN_BACKUPS || max_fraction >= 1)
		return backups;
	if (max_fraction <= 0)
		return 0;
	/* 0.29 * 100 is less than 29 by a hair. */
	return Max(1, (int64) floor(max_fraction * backups + 1e-9)) - already;
}

int
bk_retention_limit(BkRetentionDecision *decisions, int count, double max_fraction, int already)
{
	int64		live = count - count_verdicts(decisions, count, BK_VERDICT_REMOVED);
	int64		allowed = allowance(live + already, max_fraction, already);
	int			waiting = 0;

	for (int i = 0; i < count; i++)
	{
		if (decisions[i].verdict != BK_VERDICT_GO)
			continue;
		if (allowed > 0)
			allowed--;
		else
		{
			decisions[i].verdict = BK_VERDICT_WAIT;
			waiting++;
		}
	}
	return waiting;
}
