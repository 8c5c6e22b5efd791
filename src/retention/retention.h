/*
 * retention.h
 *		Which backups of a resource are kept, for which reasons, and until when.
 *
 * docs/retention.md is the specification, and says why the answer is stable.
 * Everything here is a pure function of its arguments: no table, no setting,
 * no clock, and nothing of the session's time zone or date style.
 */
#ifndef BK_RETENTION_H
#define BK_RETENTION_H

#include "common/common.h"

#include "pgtime.h"
#include "utils/timestamp.h"

/*
 * Why a backup is kept.  The first BK_COUNTED_RULES are the rules of a policy
 * that count backups or buckets; they index keep and place below.
 */
typedef enum BkReason
{
	BK_KEEP_LAST,
	BK_KEEP_HOURLY,
	BK_KEEP_DAILY,
	BK_KEEP_WEEKLY,
	BK_KEEP_MONTHLY,
	BK_KEEP_YEARLY,
	BK_KEEP_FOR,
	BK_KEEP_RETENTION,			/* the backup's own */
	BK_KEEP_NO_POLICY,
	BK_KEEP_HOLD,
	BK_KEEP_HOLD_BASE,			/* a held backup builds on it */
	BK_KEEP_RESTORE,
	BK_KEEP_RESTORE_BASE,
	BK_KEEP_NEWEST
} BkReason;

#define BK_COUNTED_RULES	(BK_KEEP_YEARLY + 1)
#define BK_REASON_COUNT		(BK_KEEP_NEWEST + 1)
#define BK_REASON_BIT(reason)	((uint32) 1 << (reason))

#define BK_WEEK_FROM_MONDAY	1
#define BK_WEEK_FROM_SUNDAY	7

typedef struct BkRetentionPolicy
{
	int32		keep[BK_COUNTED_RULES]; /* 0: no such rule */
	Interval	keep_for;		/* all zero: no such rule */
	pg_tz	   *time_zone;
	int			week_start;		/* ISO day of the week, 1 to 7 */
} BkRetentionPolicy;

/* What a point is; any combination.  Those of a tombstone are what they were when it was removed. */
#define BK_POINT_REMOVED		0x01	/* a tombstone */
#define BK_POINT_CORRUPT		0x02
#define BK_POINT_OWN_RETENTION	0x04	/* expires_at decides, not the policy */
#define BK_POINT_HELD			0x08
#define BK_POINT_READ			0x10	/* a running restore reads it */

/* One backup that a resource has or had. */
typedef struct BkRetentionPoint
{
	int64		backup_id;
	int64		base_id;		/* 0 for none; of a tombstone it does not matter */
	TimestampTz created_at;
	TimestampTz expires_at;		/* read only with BK_POINT_OWN_RETENTION, not removed */
	uint32		flags;
} BkRetentionPoint;

typedef enum BkRetentionVerdict
{
	BK_VERDICT_KEEP,
	BK_VERDICT_GO,
	BK_VERDICT_WAIT,			/* to go, but not in this run: bk_retention_limit() */
	BK_VERDICT_REMOVED
} BkRetentionVerdict;

typedef struct BkRetentionDecision
{
	BkRetentionVerdict	verdict;
	uint32		reasons;		/* BK_REASON_BIT() of all; none but with BK_VERDICT_KEEP */
	int32		place[BK_COUNTED_RULES];	/* "2 of 7": the 2; 0 where the rule does not keep it */
	bool		until_is_exact; /* else it is kept at least so long */
	TimestampTz until;			/* DT_NOEND for ever, DT_NOBEGIN where nothing can be told */
} BkRetentionDecision;

/*
 * Decide on count points in order of (created_at, backup_id), at the time now.
 * policy is NULL where the resource has none.  In n log n, linear where the
 * clock was never set back.  22023 where the points are not in order.
 */
extern void bk_retention_decide(const BkRetentionPolicy *policy, const BkRetentionPoint *points, int count,
								TimestampTz now, BkRetentionDecision *decisions);

/*
 * Let no more than a fraction of a resource's backups go in one run: of what is
 * to go, all but the oldest wait.  already is how many the run has removed of
 * the backups before.  Returns how many wait: where any do, a warning is due.
 */
extern int	bk_retention_limit(BkRetentionDecision *decisions, int count, double max_fraction, int already);

/* The decision as a sentence, palloc'd. */
extern char *bk_retention_words(const BkRetentionPolicy *policy, const BkRetentionPoint *point,
								  const BkRetentionDecision *decision);

/* Why nothing keeps a backup that goes, without the verdict, palloc'd. */
extern char *bk_retention_why_not(const BkRetentionPolicy *policy, const BkRetentionPoint *point);

/* As in SQL results: "keep_daily", "newest"; "keep", "go". */
extern const char *bk_retention_reason_name(BkReason reason);
extern const char *bk_retention_verdict_name(BkRetentionVerdict verdict);

/* 22023 for a policy without a rule, or with one that makes no sense. */
extern void bk_retention_check(const BkRetentionPolicy *policy);

/*
 * A time zone by the name that bk_retention_check_zone() gave; fast.  22023
 * where this server does not have it.
 */
extern pg_tz *bk_retention_zone(const char *name);

/*
 * The time zone that somebody names, as PostgreSQL spells it; 22023 where it is
 * not one of pg_timezone_names.  Slow: it looks through all of them, because
 * PostgreSQL takes much else for a POSIX time zone, with the sign turned round.
 */
extern const char *bk_retention_check_zone(const char *name);

#endif							/* BK_RETENTION_H */
