/*
 * guards.c
 *		What keeps a backup whatever the policy says: holds, running restores, being
 *		the newest good one.
 */
#include "retention/decide.h"

/* Where the point of a backup's id is. */
typedef struct Place
{
	int64		backup_id;
	int			point;
} Place;

static int
compare_places(const void *a, const void *b)
{
	int64		left = ((const Place *) a)->backup_id;
	int64		right = ((const Place *) b)->backup_id;

	return left < right ? -1 : left > right;
}

/* The live points by id. */
static int
sort_by_id(const BkDecide *decide, Place *places)
{
	int			count = 0;

	for (int i = 0; i < decide->count; i++)
		if (bk_decide_is_live(decide, i))
			places[count++] = (Place) {decide->points[i].backup_id, i};
	qsort(places, count, sizeof(Place), compare_places);
	return count;
}

/* The base of a point, or -1. */
static int
base_of(const BkDecide *decide, const Place *places, int count, int point)
{
	Place		wanted = {.backup_id = decide->points[point].base_id};
	const Place *found;

	if (wanted.backup_id == 0)
		return -1;
	found = bsearch(&wanted, places, count, sizeof(Place), compare_places);
	return found ? found->point : -1;
}

/*
 * Keep the points with a flag, and their bases.  A base that has the reason
 * already was reached by another way, so its own bases have it too.
 */
static void
pin(BkDecide *decide, uint32 flag, BkReason reason, BkReason base_reason)
{
	Place	   *places = NULL;
	int			live = 0;

	for (int i = decide->count - 1; i >= 0; i--)
	{
		if (!bk_decide_is_live(decide, i) || (decide->points[i].flags & flag) == 0)
			continue;
		bk_decide_keep(decide, i, reason);
		if (places == NULL)
		{
			places = bk_alloc(decide->memory, decide->count * sizeof(Place));
			live = sort_by_id(decide, places);
		}
		for (int base = base_of(decide, places, live, i);
			 base >= 0 && (decide->decisions[base].reasons & BK_REASON_BIT(base_reason)) == 0;
			 base = base_of(decide, places, live, base))
			bk_decide_keep(decide, base, base_reason);
	}
}

void
bk_decide_guards(BkDecide *decide)
{
	pin(decide, BK_POINT_HELD, BK_KEEP_HOLD, BK_KEEP_HOLD_BASE);
	pin(decide, BK_POINT_READ, BK_KEEP_RESTORE, BK_KEEP_RESTORE_BASE);
	for (int i = decide->count - 1; i >= 0; i--)
		if ((decide->points[i].flags & (BK_POINT_REMOVED | BK_POINT_CORRUPT)) == 0)
		{
			bk_decide_keep(decide, i, BK_KEEP_NEWEST);
			break;
		}
}
