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
	BkChildren	children;
} Frame;

typedef struct Writer
{
	BkTree	   *tree;
	bool		(*take) (void *context, BkText piece);
	void	   *context;
	bool		stopped;		/* take wants no more */
	BkText		run;			/* what is not given yet */
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

/* Write a piece, which often goes on where the last one ends. */
static inline void
write_piece(Writer *writer, BkText piece)
{
	if (piece.data == writer->run.data + writer->run.len)
	{
		writer->run.len += piece.len;
		return;
	}
	writer->stopped = writer->stopped ||
		(writer->run.len > 0 && !writer->take(writer->context, writer->run));
	writer->run = piece;
}

/* Write two characters before a piece: where that comes two after the last one, mostly those between them. */
static inline void
write_between(Writer *writer, const char *literal, const char *next)
{
	const char *end = writer->run.data + writer->run.len;

	if (next == end + 2 && memcmp(end, literal, 2) == 0)
		writer->run.len += 2;
	else
		write_piece(writer, (BkText) {literal, 2});
}

/* A changed container's first or last character, in the text that it was parsed from. */
static inline BkText
bracket(const BkTree *tree, BkNodeRef container, bool last)
{
	const BkNode *node = &tree->nodes[container];

	return (BkText) {node->outline->text + (last ? node->len - 1 : 0), 1};
}

/* Write a node that was never changed, or begin one that was. */
static void
write_node(Writer *writer, BkNodeRef node)
{
	BkTree	   *tree = writer->tree;

	if (bk_node_outline(tree, node) == NULL)
	{
		write_piece(writer, bk_node_slice(tree, node));
		return;
	}
	writer->frames = bk_array_enlarge(tree->memory, writer->frames, &writer->capacity,
									  writer->depth + 1, sizeof(Frame));
	writer->frames[writer->depth++] = (Frame) {node, bk_children(tree, node)};
	write_piece(writer, bracket(tree, node, false));
}

/* Write the next child of the innermost changed container, or its end. */
static void
write_next(Writer *writer)
{
	BkTree	   *tree = writer->tree;
	Frame	   *frame = &writer->frames[writer->depth - 1];
	BkNodeRef	child = frame->children.node;
	BkText		key;

	if (child == BK_NO_NODE)
	{
		writer->depth--;
		write_piece(writer, bracket(tree, frame->container, true));
		return;
	}
	key = tree->nodes[child].key_len > 0 ? bk_node_quoted_key(tree, child) : bk_node_slice(tree, child);
	if (frame->children.position > 0)
		write_between(writer, ", ", key.data);
	if (tree->nodes[child].key_len > 0)
	{
		write_piece(writer, key);
		write_between(writer, ": ", bk_node_slice(tree, child).data);
	}
	bk_children_move(tree, &frame->children);
	write_node(writer, child);
}

bool
bk_tree_write(BkTree *tree, BkNodeRef node, bool (*take) (void *context, BkText piece), void *context)
{
	Writer		writer = {.tree = tree, .take = take, .context = context, .run = {"", 0}};

	write_node(&writer, node);
	for (uint32 steps = 1; writer.depth > 0 && !writer.stopped; steps++)
	{
		write_next(&writer);
		if (steps % 0x1000 == 0)
			BK_CHECK_INTERRUPTS();
	}
	bk_free(tree->memory, writer.frames);
	return !writer.stopped && take(context, writer.run);
}

static bool
measure_piece(void *context, BkText piece)
{
	*(size_t *) context += piece.len;
	return true;
}

static bool
append_piece(void *context, BkText piece)
{
	bk_buffer_append_text(context, piece);
	return true;
}

/* Measuring a text before it is written spares moving it as it grows. */
BkText
bk_tree_text(BkTree *tree, BkNodeRef node)
{
	size_t		len = 0;
	BkBuffer	buffer;

	if (bk_node_outline(tree, node) == NULL)
		return bk_node_slice(tree, node);
	bk_tree_write(tree, node, measure_piece, &len);
	if (len > BK_MAX_TEXT)
		bk_fail_limit("the document would be longer than the %zu bytes that can be handled", BK_MAX_TEXT);
	bk_buffer_init(&buffer, tree->memory, len, len);
	bk_tree_write(tree, node, append_piece, &buffer);
	return bk_buffer_text(&buffer);
}

/* Does what is left of the text begin with the piece? */
static bool
compare_piece(void *context, BkText piece)
{
	BkText	   *rest = context;

	if (piece.len > rest->len || memcmp(piece.data, rest->data, piece.len) != 0)
		return false;
	rest->data += piece.len;
	rest->len -= piece.len;
	return true;
}

bool
bk_tree_equals(BkTree *tree, BkNodeRef node, BkText text)
{
	return bk_tree_write(tree, node, compare_piece, &text) && text.len == 0;
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
