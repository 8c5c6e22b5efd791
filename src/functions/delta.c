/*
 * delta.c
 *		bk_delta() and bk_apply(): pure functions of documents.
 */
#include "delta/delta.h"

#include "document/document.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(bk_delta);
PG_FUNCTION_INFO_V1(bk_apply);

/* The result outlives the memory that it was computed in. */
static Datum
finish(BkMemory memory, BkText text)
{
	Jsonb	   *result = bk_document_to_jsonb(text, BK_ARGUMENT);

	bk_memory_delete(memory);
	return JsonbPGetDatum(result);
}

/* bk_delta(old jsonb, new jsonb) returns jsonb */
Datum
bk_delta(PG_FUNCTION_ARGS)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service delta");
	BkText		old_text = bk_document_from_jsonb(memory, PG_GETARG_JSONB_P(0));
	BkText		new_text = bk_document_from_jsonb(memory, PG_GETARG_JSONB_P(1));

	return finish(memory, bk_delta_between(memory, old_text, new_text, BK_DELTA_COMPLETE, SIZE_MAX));
}

/* bk_apply(document jsonb, delta jsonb) returns jsonb */
Datum
bk_apply(PG_FUNCTION_ARGS)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service delta");
	BkText		document = bk_document_from_jsonb(memory, PG_GETARG_JSONB_P(0));
	BkText		delta = bk_document_from_jsonb(memory, PG_GETARG_JSONB_P(1));
	BkTree	   *tree = bk_tree_new(memory);
	BkNodeRef	root = bk_tree_parse(tree, document, BK_ARGUMENT);

	bk_delta_apply(tree, &root, delta, BK_ARGUMENT);
	return finish(memory, bk_tree_text(tree, root));
}
