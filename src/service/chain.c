/*
 * chain.c
 *		Chains: their order, and the documents at their ends.
 */
#include "service/chain.h"

#include "delta/delta.h"
#include "payload/payload.h"

/* Deltas may hold this many bytes, or the document's size, before they are folded in. */
#define FOLD_BYTES	(1024 * 1024)

struct BkState
{
	BkKeys	   *keys;
	BkMemory	parent;
	BkDek	   *dek;			/* of the backup below */
	BkBackup	backup;			/* where the state is; backup_id 0 for nowhere */
	int			chain_length;	/* of that backup's chain */

	BkMemory	memory;			/* of what follows */
	BkText		text;			/* data is NULL where only the tree is current */
	BkTree	   *tree;			/* NULL where only the text is current */
	BkNodeRef	root;
	size_t		held;			/* bytes of deltas that the tree refers to */
};

BkState *
bk_state_open(BkKeys *keys, BkMemory memory)
{
	BkState    *state = bk_alloc_zero(memory, sizeof(BkState));

	state->keys = keys;
	state->parent = memory;
	state->dek = bk_alloc_secret(memory, sizeof(BkDek));
	return state;
}

static BkOrigin
origin_of(const BkState *state)
{
	return (BkOrigin) {state->backup.backup_id};
}

/* Go nowhere, and free what was held. */
static void
leave(BkState *state)
{
	if (state->memory)
		bk_memory_delete(state->memory);
	state->memory = NULL;
	state->tree = NULL;
	state->text.data = NULL;
	state->held = 0;
	state->backup.backup_id = 0;
}

/* Read a payload, from the catalog where source is NULL. */
static BkText
read_payload(BkState *state, const BkBackup *backup, const BkChunkSource *source)
{
	if (source)
		return bk_stored_read_from(state->keys, state->memory, backup, state->dek, source);
	return bk_stored_read(state->keys, state->memory, backup, state->dek, NULL);
}

/* Start from a full backup. */
static void
load_full(BkState *state, const BkBackup *full, const BkChunkSource *source)
{
	leave(state);
	state->memory = bk_memory_new(state->parent, "backup_service document");
	state->backup = *full;
	state->chain_length = 1;
	state->text = read_payload(state, full, source);
}

BkTree *
bk_state_tree(BkState *state, BkNodeRef *root)
{
	if (state->tree == NULL)
	{
		state->tree = bk_tree_new(state->memory);
		state->root = bk_tree_parse(state->tree, state->text, origin_of(state));
	}
	*root = state->root;
	return state->tree;
}

/* Make the text current. */
static BkText
current_text(BkState *state)
{
	if (state->text.data == NULL)
		state->text = bk_tree_text(state->tree, state->root);
	return state->text;
}

/*
 * Write the document out and drop tree and deltas, so that memory follows the
 * document, not the chain.
 */
static void
fold(BkState *state)
{
	BkMemory	memory = bk_memory_new(state->parent, "backup_service document");
	BkText		text = current_text(state);
	char	   *copy = bk_alloc(memory, text.len);

	memcpy(copy, text.data, text.len);
	bk_memory_delete(state->memory);
	state->memory = memory;
	state->text = (BkText) {copy, text.len};
	state->tree = NULL;
	state->held = 0;
}

/* Go one delta further. */
static void
apply(BkState *state, const BkBackup *backup, const BkChunkSource *source)
{
	BkNodeRef	root;
	BkTree	   *tree;
	BkText		delta;

	if (state->held > Max((size_t) state->backup.document_size, FOLD_BYTES))
		fold(state);
	tree = bk_state_tree(state, &root);
	state->backup = *backup;
	state->chain_length++;
	delta = read_payload(state, backup, source);
	bk_delta_apply(tree, &state->root, delta, origin_of(state));
	state->text.data = NULL;
	state->held += delta.len;
}

void
bk_chain_check(const BkBackup *backup, const BkBackup *bases, int count)
{
	for (int i = 0; backup->base_id != 0; i++)
	{
		if (i == count || bases[i].backup_id != backup->base_id)
			bk_fail((BkOrigin) {backup->backup_id}, "chain", "its base, backup " INT64_FORMAT ", is missing",
					backup->base_id);
		backup = &bases[i];
	}
}

int
bk_state_chain_length(const BkState *state)
{
	return state->chain_length;
}

void
bk_state_take(BkState *state, const BkBackup *backup, const BkChunkSource *source)
{
	if (backup->base_id == 0)
		load_full(state, backup, source);
	else
	{
		if (state->backup.backup_id != backup->base_id)
			elog(ERROR, "backup " INT64_FORMAT " does not follow backup " INT64_FORMAT,
				 backup->backup_id, state->backup.backup_id);
		apply(state, backup, source);
	}
}

void
bk_state_go_to(BkState *state, const BkBackup *backup)
{
	BkBackup   *bases = NULL;
	int			count;

	if (backup->base_id == 0)
		load_full(state, backup, NULL);
	else if (state->backup.backup_id == backup->base_id)
		apply(state, backup, NULL);
	else
	{
		count = bk_backup_find_bases(backup, &bases);
		bk_chain_check(backup, bases, count);
		load_full(state, &bases[count - 1], NULL);
		for (int i = count - 2; i >= 0; i--)
			apply(state, &bases[i], NULL);
		apply(state, backup, NULL);
	}
}

/* Prove the document at hand, without writing its text where only the tree is current. */
static void
prove(BkState *state)
{
	if (state->text.data)
		bk_stored_prove_document(&state->backup, state->dek, state->text);
	else
		bk_stored_prove_tree(&state->backup, state->dek, state->tree, state->root);
}

BkDocument
bk_state_proven_tree(BkState *state)
{
	BkNodeRef	root;
	BkTree	   *tree;

	prove(state);
	tree = bk_state_tree(state, &root);
	return (BkDocument) {{NULL, state->backup.document_size}, tree, root};
}

BkDocument
bk_state_document(BkState *state, bool validate)
{
	return (BkDocument) {bk_state_text(state, validate), state->tree, state->root};
}

BkText
bk_state_text(BkState *state, bool validate)
{
	BkText		text = current_text(state);

	if (validate)
		bk_stored_prove_document(&state->backup, state->dek, text);
	return text;
}
