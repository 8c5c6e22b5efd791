/*
 * settle.c
 *		Making changed documents fit to be compared with another.
 */
#include "document/tree.h"

/* An empty container has a text that needs no changed side. */
static void
settle_empty(BkTree *tree, BkNodeRef container)
{
	BkNode	   *node = &tree->nodes[container];

	node->outline->text = bk_node_kind(tree, container) == BK_KIND_ARRAY ? "[]" : "{}";
	node->outline->children = NULL;
	node->len = 2;
}

/* No value is reached through the outlined children any more. */
static void
abandon_children(BkTree *tree, BkNodeRef container)
{
	for (BkChildren children = bk_children(tree, container); children.node; bk_children_move(tree, &children))
		if (bk_node_outline(tree, children.node))
			bk_node_outline(tree, children.node)->text = NULL;
}

/* Elements are hashed, and compared as bytes, wherever they stand: so they get a text, and lie together. */
static void
settle_elements(BkTree *tree, BkNodeRef array)
{
	for (BkChildren elements = bk_children(tree, array); elements.node; bk_children_move(tree, &elements))
	{
		BkOutline  *outline = bk_node_outline(tree, elements.node);

		if (outline == NULL)
			continue;
		bk_tree_replace(tree, array, elements.position,
						bk_tree_parse(tree, bk_tree_text(tree, elements.node), BK_ARGUMENT));
		outline->text = NULL;
	}
}

/* A container was outlined after the one that it is in, so that whatever is below an element is abandoned in time. */
void
bk_tree_settle(BkTree *tree)
{
	for (size_t i = 0; i < tree->outlined_count; i++)
	{
		BkNodeRef	container = tree->outlined[i];

		if (tree->nodes[container].outline->text == NULL)
			abandon_children(tree, container);
		else if (bk_node_count(tree, container) == 0)
			settle_empty(tree, container);
		else if (bk_node_kind(tree, container) == BK_KIND_ARRAY)
			settle_elements(tree, container);
		BK_CHECK_INTERRUPTS();
	}
	tree->outlined_count = 0;
}
