/*
 * explain.c
 *		Decisions in words.
 */
#include "retention/calendar.h"

#include "lib/stringinfo.h"

/* How a reason is named in results and in a sentence, and what must happen for it to end. */
typedef struct ReasonText
{
	const char *name;
	const char *kept_by;
	const char *condition;		/* of rules that count: what is counted */
} ReasonText;

static const ReasonText reason_texts[BK_REASON_COUNT] = {
	[BK_KEEP_LAST] = {"keep_last", "last", "newer"},
	[BK_KEEP_HOURLY] = {"keep_hourly", "hourly", "newer hourly"},
	[BK_KEEP_DAILY] = {"keep_daily", "daily", "newer daily"},
	[BK_KEEP_WEEKLY] = {"keep_weekly", "weekly", "newer weekly"},
	[BK_KEEP_MONTHLY] = {"keep_monthly", "monthly", "newer monthly"},
	[BK_KEEP_YEARLY] = {"keep_yearly", "yearly", "newer yearly"},
	[BK_KEEP_FOR] = {"keep_for", "keep_for", NULL},
	[BK_KEEP_RETENTION] = {"retention", "its own retention", NULL},
	[BK_KEEP_NO_POLICY] = {"no_policy", "having no policy", "a policy is assigned"},
	[BK_KEEP_HOLD] = {"hold", "a hold", "the hold is released"},
	[BK_KEEP_HOLD_BASE] = {"hold_base", "a hold on what builds on it", "that hold is released"},
	[BK_KEEP_RESTORE] = {"restore", "a running restore", "the restore ends"},
	[BK_KEEP_RESTORE_BASE] = {"restore_base", "a running restore of what builds on it", "that restore ends"},
	[BK_KEEP_NEWEST] = {"newest", "being the newest good backup", "a newer good backup exists"},
};

static const char *const verdict_names[] = {
	[BK_VERDICT_KEEP] = "keep",
	[BK_VERDICT_GO] = "go",
	[BK_VERDICT_WAIT] = "wait",
	[BK_VERDICT_REMOVED] = "removed",
};

/* A decision that is being put into words. */
typedef struct Sentence
{
	const BkRetentionPolicy *policy;
	const BkRetentionDecision *decision;
	StringInfoData text;
} Sentence;

const char *
bk_retention_reason_name(BkReason reason)
{
	return reason_texts[reason].name;
}

const char *
bk_retention_verdict_name(BkRetentionVerdict verdict)
{
	return verdict_names[verdict];
}

static void
append_reason(Sentence *sentence, BkReason reason)
{
	appendStringInfoString(&sentence->text, reason_texts[reason].kept_by);
	if (reason < BK_COUNTED_RULES)
		appendStringInfo(&sentence->text, " (%d of %d)", sentence->decision->place[reason],
						 sentence->policy->keep[reason]);
}

static void
append_condition(Sentence *sentence, BkReason reason)
{
	const char *condition = reason_texts[reason].condition;
	int64		missing;

	if (reason >= BK_COUNTED_RULES)
	{
		appendStringInfoString(&sentence->text, condition);
		return;
	}
	missing = (int64) sentence->policy->keep[reason] - sentence->decision->place[reason] + 1;
	appendStringInfo(&sentence->text, INT64_FORMAT " %s %s", missing, condition,
					 missing == 1 ? "backup exists" : "backups exist");
}

/* Items of all reasons in the set: a, b and c. */
static void
append_list(Sentence *sentence, uint32 reasons, void (*append) (Sentence *sentence, BkReason reason))
{
	bool		first = true;

	for (int reason = 0; reason < BK_REASON_COUNT; reason++)
	{
		if ((reasons & BK_REASON_BIT(reason)) == 0)
			continue;
		reasons &= ~BK_REASON_BIT(reason);
		if (!first)
			appendStringInfoString(&sentence->text, reasons ? ", " : " and ");
		append(sentence, reason);
		first = false;
	}
}

static pg_tz *
zone_of(const BkRetentionPolicy *policy)
{
	return policy ? policy->time_zone : NULL;
}

static void
append_until(Sentence *sentence)
{
	const BkRetentionDecision *decision = sentence->decision;
	const char *moment = bk_calendar_text(decision->until, zone_of(sentence->policy));

	if (TIMESTAMP_IS_NOEND(decision->until))
		appendStringInfoString(&sentence->text, " for ever");
	else if (decision->until_is_exact)
		appendStringInfo(&sentence->text, " until %s", moment);
	else
	{
		appendStringInfoString(&sentence->text, " until ");
		append_list(sentence,
					decision->reasons & ~(BK_REASON_BIT(BK_KEEP_FOR) | BK_REASON_BIT(BK_KEEP_RETENTION)),
					append_condition);
		if (!TIMESTAMP_IS_NOBEGIN(decision->until))
			appendStringInfo(&sentence->text, ", %s at the earliest", moment);
	}
}

char *
bk_retention_why_not(const BkRetentionPolicy *policy, const BkRetentionPoint *point)
{
	if (point->flags & BK_POINT_OWN_RETENTION)
		return psprintf("its own retention ended %s", bk_calendar_text(point->expires_at, zone_of(policy)));
	return pstrdup("no rule keeps it");
}

char *
bk_retention_words(const BkRetentionPolicy *policy, const BkRetentionPoint *point,
					 const BkRetentionDecision *decision)
{
	Sentence	sentence = {.policy = policy, .decision = decision};

	initStringInfo(&sentence.text);
	switch (decision->verdict)
	{
		case BK_VERDICT_KEEP:
			appendStringInfoString(&sentence.text, "kept by ");
			append_list(&sentence, decision->reasons, append_reason);
			append_until(&sentence);
			break;
		case BK_VERDICT_GO:
			appendStringInfo(&sentence.text, "to go: %s", bk_retention_why_not(policy, point));
			break;
		case BK_VERDICT_WAIT:
			appendStringInfo(&sentence.text, "to go, waits for bk_prune(): %s", bk_retention_why_not(policy, point));
			break;
		case BK_VERDICT_REMOVED:
			appendStringInfoString(&sentence.text, "removed");
			break;
	}
	return sentence.text.data;
}
