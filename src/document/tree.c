/*
 * tree.c
 *		Trees: making one, looking things up, writing one as text.
 */
#include "document/tree.h"

#define MIN_NODES		64

/* A changed container that is being written. */
typedef struct Frame
{
	BkNodeRef	container;
	uint32		position;		/* of the child to write next */
} Frame;

typedef struct Writer
{
	BkTree	   *tree;
	BkBuffer	buffer;
	Frame	   *frames;
	size_t		depth;
	size_t		capacity;
} Writer;

BkTree *
bk_tree_new(BkMemory memory)
{
	BkTree	   *tree = bk_alloc_zero(memory, sizeof(BkTree));

	tree->memory = memory;
	tree->nodes = bk_array_enlarge(memory, NULL, &tree->capacity, MIN_NODES, sizeof(BkNode));
	tree->nodes[0] = (BkNode) {.text = NULL};
	tree->count = 1;
	return tree;
}

/* Write a node that was never changed, or begin one that was. */
static void
write_node(Writer *writer, BkNodeRef node)
{
	if (bk_node_outline(writer->tree, node) == NULL)
	{
		bk_buffer_append_text(&writer->buffer, bk_node_slice(writer->tree, node));
		return;
	}
	writer->frames = bk_array_enlarge(writer->tree->memory, writer->frames, &writer->capacity,
									  writer->depth + 1, sizeof(Frame));
	writer->frames[writer->depth++] = (Frame) {node, 0};
	bk_buffer_append_char(&writer->buffer,
						  bk_node_kind(writer->tree, node) == BK_KIND_ARRAY ? '[' : '{');
}

/* Write the next child of the innermost changed container, or its end. */
static void
write_next(Writer *writer)
{
	BkTree	   *tree = writer->tree;
	Frame	   *frame = &writer->frames[writer->depth - 1];
	bool		array = bk_node_kind(tree, frame->container) == BK_KIND_ARRAY;
	BkNodeRef	child;

	if (frame->position == bk_node_count(tree, frame->container))
	{
		writer->depth--;
		bk_buffer_append_char(&writer->buffer, array ? ']' : '}');
		return;
	}
	child = bk_outline_child(bk_node_outline(tree, frame->container), frame->position);
	if (frame->position++ > 0)
		bk_buffer_append(&writer->buffer, ", ", 2);
	if (!array)
	{
		bk_buffer_append_text(&writer->buffer, bk_node_quoted_key(tree, child));
		bk_buffer_append(&writer->buffer, ": ", 2);
	}
	write_node(writer, child);
}

/* Write a node's text, up to limit bytes; is that all of it? */
static bool
write_tree(Writer *writer, BkTree *tree, BkNodeRef node, size_t expected, size_t limit)
{
	*writer = (Writer) {.tree = tree};
	bk_buffer_init(&writer->buffer, tree->memory, expected, limit);
	write_node(writer, node);
	for (uint32 steps = 1; writer->depth > 0 && !writer->buffer.full; steps++)
	{
		write_next(writer);
		if (steps % 0x1000 == 0)
			BK_CHECK_INTERRUPTS();
	}
	bk_free(tree->memory, writer->frames);
	return !writer->buffer.full;
}

/* A changed text is mostly about as long as it was; room for a little more spares moving all of it. */
static size_t
expected_len(const BkTree *tree, BkNodeRef node)
{
	return (size_t) tree->nodes[node].len + tree->nodes[node].len / 64;
}

BkText
bk_tree_text(BkTree *tree, BkNodeRef node)
{
	Writer		writer;

	if (bk_node_outline(tree, node) == NULL)
		return bk_node_slice(tree, node);
	if (!write_tree(&writer, tree, node, expected_len(tree, node), BK_MAX_TEXT))
		bk_fail_limit("the document would be longer than the %zu bytes that can be handled", BK_MAX_TEXT);
	return bk_buffer_text(&writer.buffer);
}

bool
bk_tree_equals(BkTree *tree, BkNodeRef node, BkText text)
{
	Writer		writer;
	bool		equal;

	if (bk_node_outline(tree, node) == NULL)
		return bk_text_equal(bk_node_slice(tree, node), text);
	equal = write_tree(&writer, tree, node, text.len, text.len) &&
		bk_text_equal(bk_buffer_text(&writer.buffer), text);
	bk_free(tree->memory, writer.buffer.data);
	return equal;
}

BkNodeRef
bk_tree_child(BkTree *tree, BkNodeRef container, uint32 position)
{
	BkOutline  *outline = bk_node_outline(tree, container);
	BkNodeRef	child = bk_node_first(tree, container);

	if (position >= bk_node_count(tree, container))
		return BK_NO_NODE;
	if (outline)
		return bk_outline_child(outline, position);
	while (position-- > 0)
		child = bk_node_next(tree, child);
	return child;
}

/* Binary search in an outlined object. */
static BkNodeRef
search_outline(BkTree *tree, BkNodeRef object, BkKey key, uint32 *position)
{
	BkOutline  *outline = bk_node_outline(tree, object);
	uint32		low = 0;
	uint32		high = bk_node_count(tree, object);

	while (low < high)
	{
		uint32		middle = low + (high - low) / 2;
		BkNodeRef	child = bk_outline_child(outline, middle);
		int			order = bk_key_compare(bk_node_key(tree, child), key);

		if (order == 0)
		{
			*position = middle;
			return child;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*position = low;
	return BK_NO_NODE;
}

BkNodeRef
bk_tree_member(BkTree *tree, BkNodeRef object, BkKey key, uint32 *position)
{
	uint32		ignored;

	if (position == NULL)
		position = &ignored;
	if (bk_node_outline(tree, object))
		return search_outline(tree, object, key, position);
	*position = 0;
	for (BkNodeRef child = bk_node_first(tree, object); child; child = bk_node_next(tree, child))
	{
		int			order = bk_key_compare(bk_node_key(tree, child), key);

		if (order == 0)
			return child;
		if (order > 0)
			break;
		++*position;
	}
	return BK_NO_NODE;
}
