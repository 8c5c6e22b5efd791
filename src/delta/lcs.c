/*
 * lcs.c
 *		Long common subsequences in time linear in the input: Myers' greedy
 *		algorithm ("An O(ND) Difference Algorithm", 1986) within a budget, and
 *		beyond it anchors, the patience way: elements that occur once on each
 *		side, in the longest run that keeps their order.
 */
#include "delta/diff.h"

#define MAX_DIFFERENCES			1024	/* bounds the trace: 2 MB */
#define MAX_GAP_DIFFERENCES		64
#define WORK_PER_ELEMENT		128

/* Two sequences without the elements that the other one lacks. */
typedef struct Lcs
{
	BkScratch  *scratch;
	const uint32 *a;
	const uint32 *b;
	uint32	   *match;			/* of a's positions */
	uint32		class_count;
	int32	   *trace;			/* row d: furthest x for k = -d, -d + 2 .. d */
	size_t		trace_capacity;
} Lcs;

/* Parts of the two sequences: [a, a_end) and [b, b_end). */
typedef struct Range
{
	uint32		a;
	uint32		a_end;
	uint32		b;
	uint32		b_end;
} Range;

/* A sequence after filtering: what is left, and where it was. */
typedef struct Filtered
{
	uint32	   *classes;
	uint32	   *positions;
	uint32		count;
} Filtered;

/* Where row d of the trace begins: the rows before it have 1, 2 .. d items. */
static inline size_t
row_start(uint32 d)
{
	return (size_t) d * (d + 1) / 2;
}

/* Make room for row d of the trace. */
static int32 *
trace_row(Lcs *lcs, uint32 d)
{
	size_t		needed = row_start(d + 1);

	if (needed > lcs->trace_capacity)
	{
		int32	   *larger = bk_scratch_alloc(lcs->scratch, needed * 2 * sizeof(int32));

		if (d > 0)
			memcpy(larger, lcs->trace, row_start(d) * sizeof(int32));
		lcs->trace = larger;
		lcs->trace_capacity = needed * 2;
	}
	return lcs->trace + row_start(d);
}

/* Does the furthest path on diagonal i of row d come from the diagonal above? */
static inline bool
comes_down(const int32 *previous, uint32 d, uint32 i)
{
	return i == 0 || (i != d && previous[i - 1] < previous[i]);
}

/* Where diagonal i of row d begins, before it follows equal elements. */
static inline int32
row_begin(const int32 *previous, uint32 d, uint32 i)
{
	if (d == 0)
		return 0;
	return comes_down(previous, d, i) ? previous[i] : previous[i - 1] + 1;
}

/* Read the matches off the trace, from the end of both sequences back. */
static void
read_trace(Lcs *lcs, Range range, uint32 d)
{
	int32		x = (int32) (range.a_end - range.a);
	int32		y = (int32) (range.b_end - range.b);

	for (;; d--)
	{
		const int32 *previous = d > 0 ? lcs->trace + row_start(d - 1) : NULL;
		uint32		i = (uint32) (x - y + (int32) d) / 2;
		int32		begin = row_begin(previous, d, i);

		for (; x > begin; x--, y--)
			lcs->match[range.a + x - 1] = range.b + y - 1;
		if (d == 0)
			return;
		if (comes_down(previous, d, i))
			y--;
		else
			x--;
	}
}

/* Match a range by its longest common subsequence; false: too much work. */
static bool
match_myers(Lcs *lcs, Range range, uint32 max_differences)
{
	const uint32 *a = lcs->a + range.a;
	const uint32 *b = lcs->b + range.b;
	int32		n = (int32) (range.a_end - range.a);
	int32		m = (int32) (range.b_end - range.b);
	int64		work = ((int64) n + m) * WORK_PER_ELEMENT;

	for (uint32 d = 0; d <= max_differences && work > 0; d++)
	{
		int32	   *row = trace_row(lcs, d);
		const int32 *previous = d > 0 ? lcs->trace + row_start(d - 1) : NULL;

		for (uint32 i = 0; i <= d && work > 0; i++)
		{
			int32		begin = row_begin(previous, d, i);
			int32		x = begin;
			int32		y = x - ((int32) (2 * i) - (int32) d);

			while (x < n && y < m && a[x] == b[y])
				x++, y++;
			work -= x - begin + 1;
			row[i] = x;
			if (x >= n && y >= m)
			{
				read_trace(lcs, range, d);
				return true;
			}
		}
		BK_CHECK_INTERRUPTS();
	}
	return false;
}

/* Match what a range has in common at its start and at its end. */
static void
match_ends(Lcs *lcs, Range *range)
{
	while (range->a < range->a_end && range->b < range->b_end &&
		   lcs->a[range->a] == lcs->b[range->b])
		lcs->match[range->a++] = range->b++;
	while (range->a < range->a_end && range->b < range->b_end &&
		   lcs->a[range->a_end - 1] == lcs->b[range->b_end - 1])
		lcs->match[--range->a_end] = --range->b_end;
}

/* Match a range, or only its ends where that is too much work (false). */
static bool
match_range(Lcs *lcs, Range *range, uint32 max_differences)
{
	match_ends(lcs, range);
	return range->a == range->a_end || range->b == range->b_end ||
		match_myers(lcs, *range, max_differences);
}

/*
 * Collect the positions in a of elements that occur once in a and once in b;
 * partner[] gets their positions in b.
 */
static uint32
find_unique(Lcs *lcs, Range range, uint32 *positions, uint32 *partner)
{
	uint8	   *in_a = bk_scratch_alloc(lcs->scratch, lcs->class_count);
	uint8	   *in_b = bk_scratch_alloc(lcs->scratch, lcs->class_count);
	uint32	   *where = bk_scratch_alloc(lcs->scratch, lcs->class_count * sizeof(uint32));
	uint32		count = 0;

	for (uint32 i = range.a; i < range.a_end; i++)
		in_a[lcs->a[i]] = in_a[lcs->a[i]] == 0 ? 1 : 2;
	for (uint32 i = range.b; i < range.b_end; i++)
	{
		in_b[lcs->b[i]] = in_b[lcs->b[i]] == 0 ? 1 : 2;
		where[lcs->b[i]] = i;
	}
	for (uint32 i = range.a; i < range.a_end; i++)
	{
		uint32		class = lcs->a[i];

		if (in_a[class] == 1 && in_b[class] == 1)
		{
			positions[count] = i;
			partner[count++] = where[class];
		}
	}
	return count;
}

/*
 * The longest increasing subsequence of partner[], by patience sorting: piles[]
 * holds the item on top of each pile, before[] what lay on top of the pile to
 * the left.  Its members get their match.
 */
static void
match_increasing(Lcs *lcs, const uint32 *positions, const uint32 *partner, uint32 count)
{
	uint32	   *piles = bk_scratch_alloc(lcs->scratch, (size_t) count * sizeof(uint32));
	uint32	   *before = bk_scratch_alloc(lcs->scratch, (size_t) count * sizeof(uint32));
	uint32		pile_count = 0;
	uint32		item;

	for (uint32 i = 0; i < count; i++)
	{
		uint32		low = 0;
		uint32		high = pile_count;

		while (low < high)
		{
			uint32		middle = low + (high - low) / 2;

			if (partner[piles[middle]] < partner[i])
				low = middle + 1;
			else
				high = middle;
		}
		before[i] = low > 0 ? piles[low - 1] : BK_NO_MATCH;
		piles[low] = i;
		pile_count = Max(pile_count, low + 1);
	}
	item = pile_count > 0 ? piles[pile_count - 1] : BK_NO_MATCH;
	for (; item != BK_NO_MATCH; item = before[item])
		lcs->match[positions[item]] = partner[item];
}

/* Match anchors in a range, then what lies between them. */
static void
match_anchors(Lcs *lcs, Range range)
{
	size_t		size = (size_t) (range.a_end - range.a) * sizeof(uint32);
	uint32	   *positions = bk_scratch_alloc(lcs->scratch, size);
	uint32	   *partner = bk_scratch_alloc(lcs->scratch, size);
	Range		gap = {range.a, range.a, range.b, range.b};
	uint32		count = find_unique(lcs, range, positions, partner);

	match_increasing(lcs, positions, partner, count);
	for (uint32 i = range.a; i <= range.a_end; i++)
	{
		Range		inside;

		if (i < range.a_end && lcs->match[i] == BK_NO_MATCH)
			continue;
		gap.a_end = i;
		gap.b_end = i < range.a_end ? lcs->match[i] : range.b_end;
		inside = gap;
		match_range(lcs, &inside, MAX_GAP_DIFFERENCES);
		gap.a = i + 1;
		gap.b = gap.b_end + 1;
	}
}

/* Which classes occur? */
static bool *
mark_classes(BkScratch *scratch, const uint32 *classes, uint32 count, uint32 class_count)
{
	bool	   *marks = bk_scratch_alloc(scratch, class_count);

	for (uint32 i = 0; i < count; i++)
	{
		if (classes[i] != BK_NO_MATCH)
			marks[classes[i]] = true;
	}
	return marks;
}

/* Leave out what the other side, whose classes are marked, does not have. */
static Filtered
filter(BkScratch *scratch, const uint32 *classes, uint32 count, const bool *marks)
{
	Filtered	filtered = {
		.classes = bk_scratch_alloc(scratch, (size_t) count * sizeof(uint32)),
		.positions = bk_scratch_alloc(scratch, (size_t) count * sizeof(uint32))
	};

	for (uint32 i = 0; i < count; i++)
	{
		if (classes[i] != BK_NO_MATCH && marks[classes[i]])
		{
			filtered.classes[filtered.count] = classes[i];
			filtered.positions[filtered.count++] = i;
		}
	}
	return filtered;
}

void
bk_common_subsequence(BkScratch *scratch, const uint32 *old_classes, uint32 old_count,
					  const uint32 *new_classes, uint32 new_count,
					  uint32 class_count, uint32 *match)
{
	bool	   *in_old = mark_classes(scratch, old_classes, old_count, class_count);
	bool	   *in_new = mark_classes(scratch, new_classes, new_count, class_count);
	Filtered	a = filter(scratch, old_classes, old_count, in_new);
	Filtered	b = filter(scratch, new_classes, new_count, in_old);
	Range		range = {0, a.count, 0, b.count};
	Lcs			lcs = {
		.scratch = scratch,
		.a = a.classes,
		.b = b.classes,
		.match = bk_scratch_alloc(scratch, (size_t) a.count * sizeof(uint32)),
		.class_count = class_count
	};

	for (uint32 i = 0; i < a.count; i++)
		lcs.match[i] = BK_NO_MATCH;
	if (!match_range(&lcs, &range, MAX_DIFFERENCES))
		match_anchors(&lcs, range);
	for (uint32 i = 0; i < a.count; i++)
	{
		if (lcs.match[i] != BK_NO_MATCH)
			match[a.positions[i]] = b.positions[lcs.match[i]];
	}
}
