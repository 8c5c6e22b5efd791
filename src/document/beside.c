/*
 * beside.c
 *		Finds what a text has in common with a tree while it is parsed.
 */
#include "document/beside.h"
#include "document/scan.h"

/* How many bytes are the same from the start. */
static size_t
common_length(const char *a, const char *b, size_t len)
{
	size_t		at = 0;

	for (; at + 32 <= len; at += 32)
	{
		uint64		x[4];
		uint64		y[4];

		memcpy(x, a + at, 32);
		memcpy(y, b + at, 32);
		if (((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) != 0)
			break;
	}
	while (at < len && a[at] == b[at])
		at++;
	return at;
}

/* The innermost pair, where it is that of this container, else NULL. */
static inline BkPair *
find_pair(const BkBeside *beside, BkNodeRef open)
{
	BkPair	   *pair = beside->depth > 0 ? &beside->pairs[beside->depth - 1] : NULL;

	return pair && pair->open == open ? pair : NULL;
}

static void
push_pair(BkBeside *beside, BkPair pair)
{
	beside->pairs = bk_array_enlarge(beside->tree->memory, beside->pairs, &beside->capacity,
									 beside->depth + 1, sizeof(BkPair));
	beside->pairs[beside->depth++] = pair;
}

/* The root stands in no container, as if it were the child of no node. */
void
bk_beside_begin(BkBeside *beside, BkNodeRef old)
{
	push_pair(beside, (BkPair) {.open = BK_NO_NODE, .old_children = {.node = old}});
}

void
bk_beside_open(BkBeside *beside, BkNodeRef open, BkNodeRef old)
{
	push_pair(beside, (BkPair) {.open = open, .old_children = bk_children(beside->tree, old)});
}

void
bk_beside_twin(BkBeside *beside, BkNodeRef child)
{
	BkNode	   *node = &beside->tree->nodes[child];

	node->bits = (node->bits & BK_KEY_ESCAPED) | BK_KIND_TWIN;
	beside->pairs[beside->depth - 1].twins++;
}

/* A changed old container has no text to compare, so that it takes its children to see that nothing is different. */
void
bk_beside_close(BkBeside *beside, BkNodeRef open)
{
	BkPair	   *pair = find_pair(beside, open);
	uint32		count = bk_node_count(beside->tree, open);

	if (pair == NULL)
		return;
	beside->depth--;
	if (pair->twins < count || pair->old_children.count > count)
		return;
	beside->tree->count = open + 1;
	bk_beside_twin(beside, open);
}

BkNodeRef
bk_beside_next(BkBeside *beside, BkNodeRef open, const BkKey *key)
{
	BkPair	   *pair = find_pair(beside, open);
	BkChildren *children;
	BkNodeRef	old;

	if (pair == NULL)
		return BK_NO_NODE;
	children = &pair->old_children;
	for (; key && children->node; bk_children_move(beside->tree, children))
	{
		int			order = bk_key_compare(bk_node_key(beside->tree, children->node), *key);

		if (order == 0)
			break;
		if (order > 0)
			return BK_NO_NODE;
	}
	old = children->node;
	if (old != BK_NO_NODE)
		bk_children_move(beside->tree, children);
	return old;
}

void
bk_beside_part(BkBeside *beside, BkNodeRef open)
{
	BkPair	   *pair = find_pair(beside, open);

	if (pair)
		pair->old_children.node = BK_NO_NODE;
}

/* May a number go on with this character? */
static inline bool
continues_number(char c)
{
	return (c >= '0' && c <= '9') || c == '.';
}

bool
bk_beside_same(BkBeside *beside, const char *at, const char *end, BkNodeRef old)
{
	BkText		text = bk_node_slice(beside->tree, old);
	ptrdiff_t	distance = (ptrdiff_t) ((uintptr_t) text.data - (uintptr_t) at);
	size_t		left = (size_t) (end - at);

	if (bk_node_outline(beside->tree, old))
		return false;
	if (at > beside->same_until || distance != beside->distance)
	{
		beside->same_until = at + common_length(at, text.data, Min(left, text.len));
		beside->distance = distance;
	}
	if ((size_t) (beside->same_until - at) < text.len)
		return false;
	return left == text.len || !continues_number(text.data[text.len - 1]) || !continues_number(at[text.len]);
}
