/*
 * sort.c
 *		Putting the keys of a text into canonical order.
 */
#include "document/tree.h"

#include <stdlib.h>

typedef struct SortItem
{
	BkKey		key;
	BkNodeRef	node;
} SortItem;

/* For qsort. */
static int
compare_items(const void *a, const void *b)
{
	return bk_key_compare(((const SortItem *) a)->key, ((const SortItem *) b)->key);
}

/* Sort the members of an outlined object. */
static void
sort_members(BkTree *tree, BkNodeRef object)
{
	uint32		count = bk_node_count(tree, object);
	BkOutline  *outline = bk_node_outline(tree, object);
	SortItem   *items = bk_alloc(tree->memory, count * sizeof(SortItem));

	for (uint32 i = 0; i < count; i++)
	{
		items[i].node = bk_outline_child(outline, i);
		items[i].key = bk_node_key(tree, items[i].node);
	}
	qsort(items, count, sizeof(SortItem), compare_items);
	for (uint32 i = 0; i < count; i++)
		bk_tree_replace(tree, object, i, items[i].node);
	bk_free(tree->memory, items);
}

/* Sort the members of every object below, and at, a node. */
static void
sort_tree(BkTree *tree, BkNodeRef root)
{
	for (BkNodeRef node = root; node < tree->count; node++)
	{
		BK_CHECK_INTERRUPTS();
		if (bk_node_count(tree, node) == 0)
			continue;
		bk_tree_outline(tree, node);
		if (bk_node_kind(tree, node) == BK_KIND_OBJECT)
			sort_members(tree, node);
	}
}

BkText
bk_text_sort_keys(BkMemory memory, BkText text)
{
	BkMemory	work = bk_memory_new(memory, "backup_service keys");
	BkTree	   *tree = bk_tree_new(work);
	BkNodeRef	root = bk_tree_parse_any_order(tree, text);
	BkText		sorted;
	char	   *copy;

	sort_tree(tree, root);
	sorted = bk_tree_text(tree, root);
	copy = bk_alloc(memory, sorted.len);
	memcpy(copy, sorted.data, sorted.len);
	bk_memory_delete(work);
	return (BkText) {copy, sorted.len};
}
