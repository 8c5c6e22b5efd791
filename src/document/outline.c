/*
 * outline.c
 *		Changing a tree: containers whose children lie in gap buffers, so that
 *		changes in ascending or descending order cost one sweep altogether.
 */
#include "document/tree.h"

#define MIN_GAP		8

/* Give a node an outline that has no children yet. */
static BkOutline *
make_outline(BkTree *tree, BkNodeRef ref, size_t extra)
{
	BkNode	   *node = &tree->nodes[ref];
	BkOutline  *outline = bk_alloc(tree->memory, sizeof(BkOutline) + extra);

	*outline = (BkOutline) {.text = node->text};
	if (node->key_len > 0)
		outline->key = bk_node_quoted_key(tree, ref);
	node->outline = outline;
	node->bits |= BK_OUTLINED;
	return outline;
}

void
bk_tree_outline(BkTree *tree, BkNodeRef container)
{
	BkNode	   *node = &tree->nodes[container];
	BkOutline  *outline = (node->bits & BK_OUTLINED) ? node->outline : make_outline(tree, container, 0);
	uint32		count = bk_node_count(tree, container);
	uint32		i = 0;

	if (outline->children)
		return;
	tree->outlined = bk_array_enlarge(tree->memory, tree->outlined, &tree->outlined_capacity,
									  tree->outlined_count + 1, sizeof(BkNodeRef));
	tree->outlined[tree->outlined_count++] = container;
	outline->capacity = count + MIN_GAP;
	outline->children = bk_alloc(tree->memory, outline->capacity * sizeof(BkNodeRef));
	for (BkNodeRef child = bk_node_first(tree, container); child; child = bk_node_next(tree, child))
		outline->children[i++] = child;
	outline->gap_start = count;
	outline->gap_end = outline->capacity;
}

/* Move the gap to a position. */
static void
move_gap(BkOutline *outline, uint32 position)
{
	BkNodeRef  *children = outline->children;

	if (position < outline->gap_start)
	{
		uint32		moved = outline->gap_start - position;

		memmove(children + outline->gap_end - moved, children + position, moved * sizeof(BkNodeRef));
		outline->gap_end -= moved;
	}
	else
	{
		uint32		moved = position - outline->gap_start;

		memmove(children + outline->gap_start, children + outline->gap_end, moved * sizeof(BkNodeRef));
		outline->gap_end += moved;
	}
	outline->gap_start = position;
}

/* Double the room of an outline without a gap. */
static void
open_gap(BkTree *tree, BkOutline *outline)
{
	uint32		old_capacity = outline->capacity;
	uint32		after = old_capacity - outline->gap_end;

	outline->capacity = Max(old_capacity * 2, MIN_GAP);
	outline->children = bk_realloc(tree->memory, outline->children,
								   (size_t) outline->capacity * sizeof(BkNodeRef));
	memmove(outline->children + outline->capacity - after,
			outline->children + old_capacity - after, after * sizeof(BkNodeRef));
	outline->gap_end = outline->capacity - after;
}

void
bk_tree_insert(BkTree *tree, BkNodeRef container, uint32 position, BkNodeRef child)
{
	BkOutline  *outline = bk_node_outline(tree, container);

	Assert(outline && position <= bk_node_count(tree, container));
	if (bk_node_count(tree, container) == BK_MAX_CHILDREN)
		bk_fail_limit("arrays and objects of more than %u elements cannot be handled", BK_MAX_CHILDREN);
	move_gap(outline, position);
	if (outline->gap_start == outline->gap_end)
		open_gap(tree, outline);
	outline->children[outline->gap_start++] = child;
	tree->nodes[container].bits++;
}

void
bk_tree_remove(BkTree *tree, BkNodeRef container, uint32 position)
{
	BkOutline  *outline = bk_node_outline(tree, container);

	Assert(outline && position < bk_node_count(tree, container));
	move_gap(outline, position);
	outline->gap_end++;
	tree->nodes[container].bits--;
}

void
bk_tree_replace(BkTree *tree, BkNodeRef container, uint32 position, BkNodeRef child)
{
	BkOutline  *outline = bk_node_outline(tree, container);

	Assert(outline && position < bk_node_count(tree, container));
	if (position >= outline->gap_start)
		position += outline->gap_end - outline->gap_start;
	outline->children[position] = child;
}

void
bk_tree_set_key(BkTree *tree, BkNodeRef ref, BkKey key)
{
	size_t		len = key.text.len + 2;
	BkOutline  *outline;
	char	   *copy;

	Assert((tree->nodes[ref].bits & BK_OUTLINED) == 0);
	outline = make_outline(tree, ref, len);
	copy = (char *) (outline + 1);
	copy[0] = '"';
	memcpy(copy + 1, key.text.data, key.text.len);
	copy[len - 1] = '"';
	outline->key = (BkText) {copy, len};
	tree->nodes[ref].key_len = (uint32) len;
	tree->nodes[ref].bits &= ~BK_KEY_ESCAPED;
	if (key.escaped)
		tree->nodes[ref].bits |= BK_KEY_ESCAPED;
}

void
bk_tree_clear_key(BkTree *tree, BkNodeRef ref)
{
	tree->nodes[ref].key_len = 0;
}
