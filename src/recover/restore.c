/*
 * restore.c
 *		Chooses a backup by id, by time, or the newest.
 */
#include "recover/restore.h"

#include "recover/gaps.h"
#include "recover/json.h"
#include "recover/report.h"

#include <stdio.h>
#include <stdlib.h>

#define GAP_BYTES	(256 + 2 * BK_TIME_BYTES)

static bool
is_wanted(const BkRecoverPoint *point, const BkRecoverOptions *options)
{
	if (options->resource && !bk_text_equal(point->resource_id, (BkText) {options->resource, strlen(options->resource)}))
		return false;
	return options->backup_id == 0 || point->backup_id == options->backup_id;
}

int
bk_recover_filter(BkRecoverPoint *points, int count, const BkRecoverOptions *options)
{
	int			left = 0;

	for (int i = 0; i < count; i++)
		if (is_wanted(&points[i], options))
			points[left++] = points[i];
	return left;
}

/* Points are in order of their resources. */
static void
check_one_resource(const BkRecoverPoint *points, int count)
{
	if (bk_text_equal(points[0].resource_id, points[count - 1].resource_id))
		return;
	bk_report_error("several resources are meant, %s and %s among them", bk_shown(points[0].resource_id),
					bk_shown(points[count - 1].resource_id));
	bk_report_hint("Name one with --resource; \"bk_recover list\" shows all.");
	exit(BK_EXIT_USAGE);
}

/* Two databases may have given the same id; their times differ. */
static const BkRecoverPoint *
choose_by_id(const BkRecoverPoint *points, int count, const BkRecoverOptions *options)
{
	char		first[BK_TIME_BYTES];
	char		last[BK_TIME_BYTES];

	if (count > 1)
	{
		bk_report_error("there are %d backups %lld of resource %s, of %s and %s", count, (long long) options->backup_id,
						bk_shown(points[0].resource_id), bk_time_text(points[0].created_at, first),
						bk_time_text(points[count - 1].created_at, last));
		bk_report_hint("Choose one by its time with --at.");
		exit(BK_EXIT_USAGE);
	}
	if (points[0].is_missing)
		bk_die(BK_EXIT_PROBLEM, "backup %lld of %s is in none of the archives, though one that was shipped after it is",
			   (long long) options->backup_id, bk_time_text(points[0].created_at, first));
	if (!points[0].is_backup)
		bk_die(BK_EXIT_PROBLEM, "backup %lld was deleted before it was archived", (long long) options->backup_id);
	return &points[0];
}

/* The position of the newest live one of the first count points; -1 where there is none. */
static int
newest_live(const BkRecoverPoint *points, int count)
{
	while (count > 0 && !points[count - 1].is_live)
		count--;
	return count - 1;
}

BK_NORETURN static void
no_such_state(const BkRecoverPoint *points, const BkRecoverOptions *options, const BkRecoverPoint *earlier)
{
	char		time[BK_TIME_BYTES];

	bk_report_error("resource %s has no state of %s", bk_shown(points[0].resource_id), bk_time_text(options->at, time));
	if (earlier)
		bk_report_hint("The nearest earlier one is backup %lld of %s: name it with --backup-id, or take it with --nearest.",
					   (long long) earlier->backup_id, bk_time_text(earlier->created_at, time));
	else
		bk_report_hint("The first backup is of %s.", bk_time_text(points[0].created_at, time));
	exit(BK_EXIT_PROBLEM);
}

/* Points that have left the timeline unseen have no time any more; deleted ones have, and it is not another's. */
static bool
has_place(const BkRecoverPoint *point)
{
	return point->is_live || point->copies[0].entry.point == BK_ARCHIVE_POINT_REMOVED;
}

/* What may be the state of the time, and is in no archive. */
static void
describe_gap(const BkRecoverPoint *points, int gap, int64 at, char what[GAP_BYTES])
{
	char		first[BK_TIME_BYTES];
	char		last[BK_TIME_BYTES];

	if (points[gap].is_missing && points[gap].created_at <= at)
		snprintf(what, GAP_BYTES, "backup %lld of %s is in none of the archives", (long long) points[gap].backup_id,
				 bk_time_text(points[gap].created_at, last));
	else
		snprintf(what, GAP_BYTES, "not every backup that was made between backup %lld of %s and backup %lld of %s is in the archives",
				 (long long) points[gap - 1].backup_id, bk_time_text(points[gap - 1].created_at, first),
				 (long long) points[gap].backup_id, bk_time_text(points[gap].created_at, last));
}

/* Refuse, unless the nearest earlier one is what is wanted. */
static void
check_certain(const BkRecoverPoint *points, int count, const BkRecoverOptions *options, int earlier, int before)
{
	int			gap = bk_gaps_find(points, count, earlier, before);
	char		what[GAP_BYTES];
	char		time[BK_TIME_BYTES];

	if (gap < 0)
		return;
	describe_gap(points, gap, options->at, what);
	if (options->nearest)
	{
		bk_report_warning("the state of %s is not certain: %s", bk_time_text(options->at, time), what);
		return;
	}
	bk_report_error("the state of resource %s at %s is not certain: %s", bk_shown(points[gap].resource_id),
					bk_time_text(options->at, time), what);
	bk_report_hint("Look for the file elsewhere, or take backup %lld of %s, the nearest earlier one, with --nearest.",
				   (long long) points[earlier].backup_id, bk_time_text(points[earlier].created_at, time));
	exit(BK_EXIT_PROBLEM);
}

static const BkRecoverPoint *
choose_by_time(const BkRecoverPoint *points, int count, const BkRecoverOptions *options)
{
	int			before = 0;
	int			last = -1;
	int			earlier;

	while (before < count && points[before].created_at <= options->at)
	{
		if (has_place(&points[before]))
			last = before;
		before++;
	}
	earlier = newest_live(points, before);
	if (earlier >= 0)
		check_certain(points, count, options, earlier, before);
	if (earlier < 0 || (!points[last].is_live && !options->nearest))
		no_such_state(points, options, earlier < 0 ? NULL : &points[earlier]);
	return &points[earlier];
}

const BkRecoverPoint *
bk_recover_choose(const BkRecoverPoint *points, int count, const BkRecoverOptions *options)
{
	int			newest;

	if (count == 0)
	{
		bk_report_error("no such backup is in the archives");
		bk_report_hint("\"bk_recover list\" shows what is.");
		return NULL;
	}
	check_one_resource(points, count);
	if (options->backup_id)
		return choose_by_id(points, count, options);
	if (options->has_time)
		return choose_by_time(points, count, options);
	newest = newest_live(points, count);
	if (newest < 0)
		bk_die(BK_EXIT_PROBLEM, "no backup of resource %s is in its timeline; name one with --backup-id", bk_shown(points[0].resource_id));
	return &points[newest];
}
