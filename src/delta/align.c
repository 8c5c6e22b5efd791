/*
 * align.c
 *		Which element of the old array is which one of the new array.
 *
 * What the arrays have in common at their ends is equal; in the middle equal
 * elements are found by a common subsequence.  Elements left over in the same
 * gap pair up when they are objects with an equal identity, again by a common
 * subsequence, and the rest by position.
 */
#include "delta/diff.h"

#define MAX_PROBES			64
#define IDENTITY_KEYS		5

/* What two elements must have equal to be in the same class. */
typedef struct Sign
{
	BkText		text;			/* data NULL: equal to nothing */
	uint64		hash;
} Sign;

/* Signs by hash: a table of class + 1, 0 where it is free. */
typedef struct Classes
{
	const Sign **signs;			/* of each class */
	uint32		count;
	uint32	   *slots;
	uint64		mask;
} Classes;

/* The elements that are still to be matched, [0, old_count) and [0, new_count). */
typedef struct Middle
{
	BkDiff	   *diff;
	const BkNodeRef *old_nodes;
	const BkNodeRef *new_nodes;
	uint32		old_count;
	uint32		new_count;
	uint32	   *match;
} Middle;

/* A part of the middle without equal elements. */
typedef struct Gap
{
	uint32		old_start;
	uint32		old_end;
	uint32		new_start;
	uint32		new_end;
} Gap;

/* The class of a sign, a new one if need be. */
static uint32
classify(BkDiff *diff, Classes *classes, const Sign *sign)
{
	uint64		slot = sign->hash;
	uint64		step = (sign->hash >> 40) | 1;

	if (sign->text.data == NULL)
		return BK_NO_MATCH;
	for (uint32 probes = 0; probes < MAX_PROBES; probes++, slot += step)
	{
		uint32	   *found = &classes->slots[slot & classes->mask];
		const Sign *other;

		if (*found == 0)
		{
			classes->signs[classes->count] = sign;
			*found = ++classes->count;
			return *found - 1;
		}
		other = classes->signs[*found - 1];
		if (other->hash != sign->hash || sign->text.len > diff->class_budget)
			continue;
		diff->class_budget -= sign->text.len;
		if (bk_text_equal(other->text, sign->text))
			return *found - 1;
	}
	return BK_NO_MATCH;
}

/* Match elements whose signs are equal by a common subsequence. */
static void
match_signs(BkDiff *diff, const Sign *old_signs, uint32 old_count,
			const Sign *new_signs, uint32 new_count, uint32 *match)
{
	BkScratch  *scratch = &diff->scratch;
	size_t		total = (size_t) old_count + new_count;
	uint32	   *numbers = bk_scratch_alloc(scratch, total * sizeof(uint32));
	Classes		classes = {.signs = bk_scratch_alloc(scratch, total * sizeof(Sign *))};
	size_t		slots = 4;

	while (slots < total * 2)
		slots *= 2;
	classes.slots = bk_scratch_alloc(scratch, slots * sizeof(uint32));
	classes.mask = slots - 1;
	for (size_t i = 0; i < total; i++)
		numbers[i] = classify(diff, &classes, i < old_count ? &old_signs[i] : &new_signs[i - old_count]);
	bk_common_subsequence(scratch, numbers, old_count, numbers + old_count, new_count,
						  classes.count, match);
}

/* Signs of whole elements. */
static Sign *
value_signs(BkDiff *diff, const BkNodeRef *nodes, uint32 count)
{
	Sign	   *signs = bk_scratch_alloc(&diff->scratch, (size_t) count * sizeof(Sign));

	for (uint32 i = 0; i < count; i++)
		signs[i] = (Sign) {bk_node_slice(diff->tree, nodes[i]), bk_hash_value(diff, nodes[i])};
	return signs;
}

/*
 * The member that identifies an object: the first of these keys that it has.
 * jsonb's order has the short keys first, so few members are looked at.
 */
static BkNodeRef
find_identity(const BkTree *tree, BkNodeRef node)
{
	static const char *const keys[IDENTITY_KEYS] = {"\"id\"", "\"_id\"", "\"uuid\"", "\"key\"", "\"name\""};
	BkNodeRef	found[IDENTITY_KEYS + 1] = {BK_NO_NODE};
	int			first = 0;

	if (bk_node_kind(tree, node) != BK_KIND_OBJECT)
		return BK_NO_NODE;
	for (BkNodeRef child = bk_node_first(tree, node); child; child = bk_node_next(tree, child))
	{
		BkText		key = bk_node_quoted_key(tree, child);

		if (key.len > 6)
			break;
		for (int i = 0; i < IDENTITY_KEYS; i++)
		{
			if (strlen(keys[i]) == key.len && memcmp(keys[i], key.data, key.len) == 0)
				found[i] = child;
		}
	}
	while (first < IDENTITY_KEYS && found[first] == BK_NO_NODE)
		first++;
	return found[first];
}

/* Signs of identities: the identifying member with its key, where it is a scalar. */
static Sign *
identity_signs(BkDiff *diff, const BkNodeRef *nodes, uint32 count)
{
	Sign	   *signs = bk_scratch_alloc(&diff->scratch, (size_t) count * sizeof(Sign));

	for (uint32 i = 0; i < count; i++)
	{
		BkNodeRef	identity = find_identity(diff->tree, nodes[i]);
		BkText		key;

		if (identity == BK_NO_NODE || bk_node_kind(diff->tree, identity) != BK_KIND_SCALAR)
			continue;
		key = bk_node_quoted_key(diff->tree, identity);
		signs[i].text = (BkText) {key.data, key.len + 2 + bk_node_slice(diff->tree, identity).len};
		signs[i].hash = bk_hash_bytes(0, signs[i].text.data, signs[i].text.len);
	}
	return signs;
}

/* Pair what is left in a gap by position. */
static void
pair_by_position(Middle *middle, Gap gap)
{
	while (gap.old_start < gap.old_end && gap.new_start < gap.new_end)
		middle->match[gap.old_start++] = gap.new_start++;
}

/* Pair the elements of a gap by identity, and the others between them by position. */
static void
pair_gap(Middle *middle, Gap gap)
{
	BkDiff	   *diff = middle->diff;
	uint32		old_count = gap.old_end - gap.old_start;
	uint32		new_count = gap.new_end - gap.new_start;
	Gap			rest = {gap.old_start, gap.old_start, gap.new_start, gap.new_start};
	uint32	   *match = bk_scratch_alloc(&diff->scratch, (size_t) old_count * sizeof(uint32));

	memset(match, 0xFF, (size_t) old_count * sizeof(uint32));
	match_signs(diff, identity_signs(diff, middle->old_nodes + gap.old_start, old_count), old_count,
				identity_signs(diff, middle->new_nodes + gap.new_start, new_count), new_count, match);
	for (uint32 i = 0; i < old_count; i++)
	{
		if (match[i] == BK_NO_MATCH)
			continue;
		rest.old_end = gap.old_start + i;
		rest.new_end = gap.new_start + match[i];
		pair_by_position(middle, rest);
		middle->match[rest.old_end] = rest.new_end;
		rest.old_start = rest.old_end + 1;
		rest.new_start = rest.new_end + 1;
	}
	rest.old_end = gap.old_end;
	rest.new_end = gap.new_end;
	pair_by_position(middle, rest);
}

/* Pair the elements between equal ones. */
static void
pair_gaps(Middle *middle)
{
	Gap			gap = {0, 0, 0, 0};

	for (uint32 i = 0; i <= middle->old_count; i++)
	{
		bool		last = i == middle->old_count;

		if (!last && middle->match[i] == BK_NO_MATCH)
			continue;
		gap.old_end = i;
		gap.new_end = last ? middle->new_count : middle->match[i] & ~BK_MATCH_EQUAL;
		if (gap.old_end > gap.old_start && gap.new_end > gap.new_start)
		{
			if (gap.old_end - gap.old_start == 1 && gap.new_end - gap.new_start == 1)
				pair_by_position(middle, gap);
			else
				pair_gap(middle, gap);
		}
		gap.old_start = i + 1;
		gap.new_start = gap.new_end + 1;
	}
}

/* Match what neither end has in common. */
static void
match_middle(Middle *middle)
{
	BkDiff	   *diff = middle->diff;

	if (middle->old_count > 1 || middle->new_count > 1)
	{
		match_signs(diff, value_signs(diff, middle->old_nodes, middle->old_count), middle->old_count,
					value_signs(diff, middle->new_nodes, middle->new_count), middle->new_count,
					middle->match);
		for (uint32 i = 0; i < middle->old_count; i++)
		{
			if (middle->match[i] != BK_NO_MATCH)
				middle->match[i] |= BK_MATCH_EQUAL;
		}
	}
	pair_gaps(middle);
}

/* What is left of an array's elements. */
static BkNodeRef *
list_nodes(BkDiff *diff, BkChildren children)
{
	BkNodeRef  *nodes = bk_scratch_alloc(&diff->scratch, (size_t) (children.count - children.position) * sizeof(BkNodeRef));

	for (uint32 i = 0; children.node; bk_children_move(diff->tree, &children))
		nodes[i++] = children.node;
	return nodes;
}

/* Are two elements equal that may stand at the arrays' ends? */
static bool
same_element(BkDiff *diff, BkNodeRef old_node, BkNodeRef new_node, bool beside)
{
	if (!beside)
		return bk_diff_equal(diff, old_node, new_node);
	return bk_text_equal(bk_node_slice(diff->tree, old_node), bk_node_slice(diff->tree, new_node));
}

/* Match equal elements at the arrays' start; returns how many there are, and moves on to what follows. */
static uint32
match_start(BkDiff *diff, BkChildren *old, BkChildren *new, bool beside, uint32 *match)
{
	uint32		same = 0;

	while (old->node && new->node &&
		   (beside ? bk_diff_twin(diff, new->node) : bk_diff_equal(diff, old->node, new->node)))
	{
		match[same] = same | BK_MATCH_EQUAL;
		bk_children_move(diff->tree, old);
		bk_children_move(diff->tree, new);
		same++;
	}
	return same;
}

void
bk_align_arrays(BkDiff *diff, BkNodeRef old_array, BkNodeRef new_array, bool beside, uint32 *match)
{
	uint32		old_count = bk_node_count(diff->tree, old_array);
	BkChildren	old = bk_children(diff->tree, old_array);
	BkChildren	new = bk_children(diff->tree, new_array);
	uint32		same = match_start(diff, &old, &new, beside, match);
	Middle		middle = {.diff = diff};

	middle.old_count = old_count - same;
	middle.new_count = bk_node_count(diff->tree, new_array) - same;
	middle.old_nodes = list_nodes(diff, old);
	middle.new_nodes = list_nodes(diff, new);
	middle.match = bk_scratch_alloc(&diff->scratch, (size_t) middle.old_count * sizeof(uint32));
	memset(middle.match, 0xFF, (size_t) middle.old_count * sizeof(uint32));
	while (middle.old_count > 0 && middle.new_count > 0 &&
		   same_element(diff, middle.old_nodes[middle.old_count - 1], middle.new_nodes[middle.new_count - 1], beside))
		middle.match[--middle.old_count] = --middle.new_count | BK_MATCH_EQUAL;
	if (middle.old_count > 0 && middle.new_count > 0)
	{
		if (beside)
		{
			bk_hash_values(diff, middle.old_nodes, middle.old_count);
			bk_hash_values(diff, middle.new_nodes, middle.new_count);
		}
		match_middle(&middle);
	}
	for (uint32 i = same; i < old_count; i++)
		match[i] = middle.match[i - same] == BK_NO_MATCH ? BK_NO_MATCH : middle.match[i - same] + same;
	bk_scratch_reset(&diff->scratch);
}
