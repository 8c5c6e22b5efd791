/*
 * chain.h
 *		Rebuilding documents: a full backup's text, and the deltas of a chain
 *		applied to it in one tree.
 */
#ifndef BK_CHAIN_H
#define BK_CHAIN_H

#include "document/document.h"
#include "service/stored.h"

/* Fail with check "chain" unless the bases, nearest first, are the chain of this backup down to a full one. */
extern void bk_chain_check(const BkBackup *backup, const BkBackup *bases, int count);

/* A document as it is being rebuilt, at one backup of its chain. */
typedef struct BkState BkState;

/* A state that is nowhere yet; it is freed with memory. */
extern BkState *bk_state_open(BkKeys *keys, BkMemory memory);

/*
 * Bring the state to a backup, in a view: by its delta alone where the state is at
 * its base, else by its whole chain.  Every payload is proven on the way.
 */
extern void bk_state_go_to(BkState *state, const BkBackup *backup);

/*
 * Bring it to a full backup, or from a backup's base to the backup, by stored bytes
 * that come from elsewhere.
 */
extern void bk_state_take(BkState *state, const BkBackup *backup, const BkChunkSource *source);

/* Where it is: the tree, good until the next bk_state_ call. */
extern BkTree *bk_state_tree(BkState *state, BkNodeRef *root);

/*
 * The document's text, good until the next bk_state_ call.  validate: after
 * its digest was compared with the one taken when the backup was made.
 */
extern BkText bk_state_text(BkState *state, bool validate);

/*
 * The document's tree alone, after the same check: no text is written for it.  It is
 * good until the next bk_state_ call, and of the text only the length is given.
 */
extern BkDocument bk_state_proven_tree(BkState *state);

/* The same with the document's tree, where that was needed to rebuild it; both belong to the state. */
extern BkDocument bk_state_document(BkState *state, bool validate);

/* How many backups the chain that it is at the end of has. */
extern int	bk_state_chain_length(const BkState *state);

#endif							/* BK_CHAIN_H */
