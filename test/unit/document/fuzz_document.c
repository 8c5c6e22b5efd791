/*
 * fuzz_document.c
 *		Fuzz target: any bytes as a document; what is accepted comes out again.
 *
 * clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -DFRONTEND -Isrc
 *    test/unit/document/fuzz_document.c src/common/error.c src/common/memory.c
 *    src/document/{buffer,key,outline,parse,tree}.c src/delta/[a-z]*.c -lcrypto
 */
#include "delta/path.h"
#include "document/tree.h"

#include <stdlib.h>

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

/* Outline everything, so that all of it is written anew. */
static void
outline_all(BkTree *tree)
{
	for (BkNodeRef node = 1; node < tree->count; node++)
	{
		if (bk_node_kind(tree, node) != BK_KIND_SCALAR)
			bk_tree_outline(tree, node);
	}
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	BkMemory	memory = bk_memory_new(NULL, "fuzz");
	BkText		text = {(const char *) data, size};

	BK_TRY
	{
		BkTree	   *tree = bk_tree_new(memory);
		BkNodeRef	root = bk_tree_parse(tree, text, BK_ARGUMENT);
		BkNodeRef	found;

		if (!bk_text_equal(bk_tree_text(tree, root), text))
			abort();
		outline_all(tree);
		if (!bk_text_equal(bk_tree_text(tree, root), text))
			abort();
		if (!bk_text_equal(bk_text_sort_keys(memory, text), text))
			abort();
		bk_path_find(tree, root, text, BK_ARGUMENT, &found);
	}
	BK_CATCH
	{
		/* refused */
	}
	BK_END_TRY;
	bk_memory_delete(memory);
	return 0;
}
