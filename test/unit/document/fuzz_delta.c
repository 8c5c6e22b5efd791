/*
 * fuzz_delta.c
 *		Fuzz target: two texts with a NUL byte between them.  The second one is
 *		applied as a delta to the first, and back from the tree that this leaves the
 *		delta must be as from its text; and where both are documents, the delta
 *		between them must lead from one to the other.
 *
 * Compiles as fuzz_document.c does.
 */
#include "delta/delta.h"
#include "document/tree.h"

#include <stdlib.h>

extern int	LLVMFuzzerTestOneInput(const uint8 *data, size_t size);

/* From a tree that a delta was applied to comes the same delta as from its text. */
static void
check_from_tree(BkMemory memory, const BkDocument *old, BkText text)
{
	BkText		between = bk_delta_between(memory, old->text, text, BK_DELTA_STORED, SIZE_MAX);

	if (!bk_text_equal(bk_delta_from_tree(memory, old, text, SIZE_MAX), between))
		abort();
}

static void
check_apply(BkMemory memory, BkText document, BkText delta)
{
	BkText		volatile result = {NULL, 0};
	BkTree	   *tree = bk_tree_new(memory);
	BkNodeRef	volatile changed = 0;

	BK_TRY
	{
		BkNodeRef	root = bk_tree_parse(tree, document, BK_ARGUMENT);

		bk_delta_apply(tree, &root, delta, BK_ARGUMENT);
		result = bk_tree_text(tree, root);
		if (!bk_tree_equals(tree, root, result))
			abort();
		changed = root;
	}
	BK_CATCH
	{
		/* refused */
	}
	BK_END_TRY;
	/* a jsonb is built from such a tree as it is: what was applied is canonical, and no handler says otherwise */
	if (result.data)
	{
		bk_tree_parse(bk_tree_new(memory), result, BK_ARGUMENT);
		check_from_tree(memory, &(BkDocument) {result, tree, changed}, document);
	}
}

/* Both are documents. */
static bool
accepted(BkMemory memory, BkText a, BkText b)
{
	volatile bool result = false;

	BK_TRY
	{
		bk_tree_parse(bk_tree_new(memory), a, BK_ARGUMENT);
		bk_tree_parse(bk_tree_new(memory), b, BK_ARGUMENT);
		result = true;
	}
	BK_CATCH
	{
		/* refused */
	}
	BK_END_TRY;
	return result;
}

/* No handler here: any error is a failure. */
static void
check_between(BkMemory memory, BkText a, BkText b, BkDeltaForm form)
{
	BkTree	   *tree = bk_tree_new(memory);
	BkNodeRef	root = bk_tree_parse(tree, a, BK_ARGUMENT);
	BkText		delta = bk_delta_between(memory, a, b, form, SIZE_MAX);

	bk_delta_apply(tree, &root, delta, BK_ARGUMENT);
	if (!bk_tree_equals(tree, root, b))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8 *data, size_t size)
{
	const uint8 *separator = size > 0 ? memchr(data, 0, size) : NULL;
	BkMemory	memory;
	BkText		a;
	BkText		b;

	if (separator == NULL)
		return 0;
	memory = bk_memory_new(NULL, "fuzz");
	a = (BkText) {(const char *) data, (size_t) (separator - data)};
	b = (BkText) {(const char *) separator + 1, size - a.len - 1};
	check_apply(memory, a, b);
	if (accepted(memory, a, b))
	{
		check_between(memory, a, b, BK_DELTA_COMPLETE);
		check_between(memory, b, a, BK_DELTA_STORED);
	}
	bk_memory_delete(memory);
	return 0;
}
