/*
 * gaps.c
 *		Compares what archives say of each other with what is there.
 */
#include "recover/gaps.h"

static bool
same_resource(const BkRecoverPoint *a, const BkRecoverPoint *b)
{
	return bk_text_equal(a->resource_id, b->resource_id);
}

static int64
number_of(const BkRecoverPoint *point)
{
	for (int i = 0; i < point->count; i++)
		if (point->copies[i].number > 0)
			return point->copies[i].number;
	return point->is_missing ? point->copies[0].number : 0;
}

/* How many numbers are between two; unknown where they cannot be of one count. */
static int64
numbers_between(int64 first, int64 last)
{
	return first > 0 && last > first ? last - first - 1 : BK_LOST_UNKNOWN;
}

/* Between these two something may be missing; how much is the later one's. */
static void
note(BkRecoverPoint *points, int first, int last, int64 lost)
{
	points[last].lost = lost;
	for (int i = first + 1; lost != 0 && i <= last; i++)
		points[i].after_gap = true;
}

/*
 * Nobody says what was before a point that is missing but its number.  Points without one are of archives of the whole
 * resource, or tombstones: they are counted, up to the next point that has one.
 */
static void
note_before_missing(BkRecoverPoint *points, int at)
{
	int			first = at - 1;
	int64		lost;

	while (first > 0 && number_of(&points[first]) == 0 && same_resource(&points[first - 1], &points[at]))
		first--;
	lost = numbers_between(number_of(&points[first]), points[at].copies[0].number);
	note(points, first, at, lost == BK_LOST_UNKNOWN ? lost : Max(lost - (at - first - 1), 0));
}

/* The place of what a copy names, which is a point where anything is before it. */
static int
find_previous(const BkRecoverPoint *points, int at, const BkCopy *copy)
{
	const BkArchivePlace *previous = &copy->previous;

	for (int i = at - 1; previous->backup_id != 0 && i >= 0 && same_resource(&points[i], &points[at])
		 && points[i].created_at >= previous->created_at; i--)
		if (points[i].backup_id == previous->backup_id && points[i].created_at == previous->created_at)
			return i;
	return -1;
}

/* Was it shipped after another one, be it by way of others?  One of another database was not. */
static bool
follows(const BkRecoverPoint *points, int at, int first)
{
	while (at > first && points[at].count > 0)
		at = find_previous(points, at, &points[at].copies[0]);
	return at == first;
}

/* What was shipped late lies between a backup and the one that it names. */
static int64
lost_before(const BkRecoverPoint *points, int first, int at, const BkCopy *copy)
{
	int64		lost = numbers_between(copy->previous.number, copy->number);

	for (int i = first + 1; i < at && lost > 0; i++)
		lost -= follows(points, i, first);
	return lost;
}

/* What its own archives say; what one of them accounts for is so. */
static void
note_before(BkRecoverPoint *points, int at)
{
	int			nearest = -1;
	int64		least = 0;

	for (int i = 0; i < points[at].count; i++)
	{
		int			first = find_previous(points, at, &points[at].copies[i]);
		int64		lost = first < 0 ? 0 : lost_before(points, first, at, &points[at].copies[i]);

		if (first >= 0 && (nearest < 0 || lost < least))
		{
			nearest = first;
			least = lost;
		}
	}
	/* numbers that are not known claim nothing */
	if (least > 0)
		note(points, nearest, at, least);
}

void
bk_gaps_note(BkRecoverPoint *points, int count)
{
	for (int i = 0; i < count; i++)
		if (points[i].is_missing)
			note_before_missing(points, i);
		else
			note_before(points, i);
}

int
bk_gaps_find(const BkRecoverPoint *points, int count, int from, int before)
{
	/* the newest first: it is the nearest to the time */
	for (int i = before - 1; i > from; i--)
		if (points[i].is_missing)
			return i;
	for (int i = Min(before, count - 1); i > from; i--)
		if (points[i].after_gap)
			return i;
	return -1;
}
