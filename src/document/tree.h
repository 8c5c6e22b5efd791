/*
 * tree.h
 *		The inside of BkTree, for the document and delta layers.
 *
 * Nodes lie in the order of the text: the first child of a parsed, non-empty
 * container is the node after it, and siblings are linked.  Node 0 is no node.
 * A node's text covers its whole subtree; a member's key stands right before
 * its value ("key": value), so it needs only a length.
 *
 * A container that a delta changes is outlined: its children move to a gap
 * buffer, and its text is no longer valid (nor that of its ancestors, which are
 * outlined too).  A value that gets another key than the one before it in its
 * text is also outlined, but keeps its text until it is changed itself.
 */
#ifndef BK_TREE_H
#define BK_TREE_H

#include "document/buffer.h"
#include "document/document.h"

#define BK_NO_NODE			((BkNodeRef) 0)
#define BK_MAX_TEXT			((size_t) UINT32_MAX)
#define BK_MAX_CHILDREN		0x0FFFFFFF

/* BkNode.bits: 28 bits of child count, the kind, two flags. */
#define BK_KIND_MASK		0x30000000
#define BK_KIND_SCALAR		0x00000000
#define BK_KIND_ARRAY		0x10000000
#define BK_KIND_OBJECT		0x20000000
#define BK_KIND_TWIN		0x30000000	/* of beside.h */
#define BK_KEY_ESCAPED		0x40000000
#define BK_OUTLINED			0x80000000

/* The changed side of a node; children is NULL while the text is valid. */
typedef struct BkOutline
{
	BkText		key;			/* with quotes; len 0: none */
	const char *text;
	BkNodeRef  *children;
	uint32		gap_start;		/* children [gap_start, gap_end) are free */
	uint32		gap_end;
	uint32		capacity;
} BkOutline;

typedef struct BkNode
{
	union
	{
		const char *text;
		BkOutline  *outline;
	};
	uint32		len;			/* of the text */
	uint32		key_len;		/* with quotes; 0: none */
	BkNodeRef	next;			/* sibling */
	uint32		bits;
} BkNode;

StaticAssertDecl(sizeof(BkNode) <= 24, "a node is small");

struct BkTree
{
	BkMemory	memory;
	BkNode	   *nodes;
	size_t		count;
	size_t		capacity;
	BkNodeRef  *outlined;		/* the containers with outlined children */
	size_t		outlined_count;
	size_t		outlined_capacity;
};

/* A member's key: what stands between the quotes, canonically escaped. */
typedef struct BkKey
{
	BkText		text;
	bool		escaped;		/* there is a backslash in it */
} BkKey;

static inline uint32
bk_node_kind(const BkTree *tree, BkNodeRef node)
{
	return tree->nodes[node].bits & BK_KIND_MASK;
}

/* How many children a container has. */
static inline uint32
bk_node_count(const BkTree *tree, BkNodeRef node)
{
	return tree->nodes[node].bits & BK_MAX_CHILDREN;
}

/* The first child of a container that was never changed. */
static inline BkNodeRef
bk_node_first(const BkTree *tree, BkNodeRef node)
{
	return bk_node_count(tree, node) > 0 ? node + 1 : BK_NO_NODE;
}

static inline BkNodeRef
bk_node_next(const BkTree *tree, BkNodeRef node)
{
	return tree->nodes[node].next;
}

/* The outline where the children are in it, else NULL. */
static inline BkOutline *
bk_node_outline(const BkTree *tree, BkNodeRef node)
{
	const BkNode *n = &tree->nodes[node];

	return (n->bits & BK_OUTLINED) && n->outline->children ? n->outline : NULL;
}

/* The text of a node whose children are not outlined. */
static inline BkText
bk_node_slice(const BkTree *tree, BkNodeRef node)
{
	const BkNode *n = &tree->nodes[node];

	return (BkText) {(n->bits & BK_OUTLINED) ? n->outline->text : n->text, n->len};
}

/* A member's key with its quotes. */
static inline BkText
bk_node_quoted_key(const BkTree *tree, BkNodeRef node)
{
	const BkNode *n = &tree->nodes[node];

	if (n->bits & BK_OUTLINED)
		return n->outline->key;
	return (BkText) {n->text - 2 - n->key_len, n->key_len};
}

static inline BkKey
bk_node_key(const BkTree *tree, BkNodeRef node)
{
	BkText		quoted = bk_node_quoted_key(tree, node);

	return (BkKey) {{quoted.data + 1, quoted.len - 2},
					(tree->nodes[node].bits & BK_KEY_ESCAPED) != 0};
}

/* A child of an outlined container. */
static inline BkNodeRef
bk_outline_child(const BkOutline *outline, uint32 position)
{
	return outline->children[position < outline->gap_start ? position
							 : position + (outline->gap_end - outline->gap_start)];
}

/* A container's children, one after the other. */
typedef struct BkChildren
{
	const BkOutline *outline;	/* where they are in it, else NULL */
	BkNodeRef	node;			/* the one at hand; BK_NO_NODE: none is left */
	uint32		position;		/* of that one */
	uint32		count;
} BkChildren;

/* From the first on. */
static inline BkChildren
bk_children(const BkTree *tree, BkNodeRef container)
{
	const BkOutline *outline = bk_node_outline(tree, container);
	uint32		count = bk_node_count(tree, container);

	if (likely(outline == NULL))
		return (BkChildren) {.node = bk_node_first(tree, container), .count = count};
	return (BkChildren) {outline, count > 0 ? bk_outline_child(outline, 0) : BK_NO_NODE, 0, count};
}

/* On to the next one. */
static inline void
bk_children_move(const BkTree *tree, BkChildren *children)
{
	children->position++;
	if (likely(children->outline == NULL))
		children->node = bk_node_next(tree, children->node);
	else if (children->position < children->count)
		children->node = bk_outline_child(children->outline, children->position);
	else
		children->node = BK_NO_NODE;
}

/* parse.c */

/* bk_tree_parse, where another check than "document" fails. */
extern BkNodeRef bk_tree_parse_as(BkTree *tree, BkText text, BkOrigin origin, const char *check);

/* bk_tree_parse for a text whose keys may be in any order. */
extern BkNodeRef bk_tree_parse_any_order(BkTree *tree, BkText text);

/* sort.c */

/*
 * The canonical text of a text that is canonical but for the order of keys (a
 * text that was converted from another encoding), allocated in memory.
 */
extern BkText bk_text_sort_keys(BkMemory memory, BkText text);

/* key.c */

/* jsonb's order: length in bytes without escapes, then bytes. */
extern int	bk_key_compare_escaped(BkKey a, BkKey b);

static inline int
bk_key_compare(BkKey a, BkKey b)
{
	if (unlikely(a.escaped || b.escaped))
		return bk_key_compare_escaped(a, b);
	if (a.text.len != b.text.len)
		return a.text.len < b.text.len ? -1 : 1;
	return memcmp(a.text.data, b.text.data, a.text.len);
}

/*
 * Undo canonical escapes; returns the number of bytes written to to, which is
 * at most text.len.
 */
extern size_t bk_unescape(char *to, BkText text);

/* Append with canonical escapes, without quotes. */
extern void bk_buffer_append_escaped(BkBuffer *buffer, BkText text);

/* tree.c, outline.c, settle.c */

/* Is the node's canonical text this one?  Stops where it cannot be any more. */
extern bool bk_tree_equals(BkTree *tree, BkNodeRef node, BkText text);

/* A container's child by position (BK_NO_NODE beyond the last). */
extern BkNodeRef bk_tree_child(BkTree *tree, BkNodeRef container, uint32 position);

/*
 * Look up a member.  Where there is none returns BK_NO_NODE, and position, if
 * not NULL, is where it would go.
 */
extern BkNodeRef bk_tree_member(BkTree *tree, BkNodeRef object, BkKey key, uint32 *position);

/* Move a container's children to a gap buffer, where they can be changed. */
extern void bk_tree_outline(BkTree *tree, BkNodeRef container);

/* Change the children of an outlined container. */
extern void bk_tree_insert(BkTree *tree, BkNodeRef container, uint32 position, BkNodeRef child);
extern void bk_tree_remove(BkTree *tree, BkNodeRef container, uint32 position);
extern void bk_tree_replace(BkTree *tree, BkNodeRef container, uint32 position, BkNodeRef child);

/*
 * Make changed documents fit to be compared with another: afterwards no container is
 * outlined that is empty, or an element of an array.  Such elements are written and
 * parsed again.
 */
extern void bk_tree_settle(BkTree *tree);

/* Give a value a key (copied), or none, before it becomes a child. */
extern void bk_tree_set_key(BkTree *tree, BkNodeRef node, BkKey key);
extern void bk_tree_clear_key(BkTree *tree, BkNodeRef node);

#endif							/* BK_TREE_H */
