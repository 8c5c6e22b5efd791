/*
 * chain.h
 *		Rebuilding documents: a full backup's text, and the deltas of a chain
 *		applied to it in one tree.
 */
#ifndef BK_CHAIN_H
#define BK_CHAIN_H

#include "document/document.h"
#include "service/stored.h"

/* A document as it is being rebuilt, at one backup of its chain. */
typedef struct BkState BkState;

/* Start anew in each backup's own memory; all is freed with bk_state_close(). */
extern BkState *bk_state_open(BkKeys *keys, BkMemory memory);
extern void bk_state_close(BkState *state);

/*
 * Bring the state to a backup, in a view: by its delta alone where the state is at
 * its base, else by its whole chain.  Every payload is proven on the way.
 */
extern void bk_state_go_to(BkState *state, const BkBackup *backup);

/* Where it is: the tree, good until the next bk_state_ call. */
extern BkTree *bk_state_tree(BkState *state, BkNodeRef *root);

/*
 * The document's text, good until the next bk_state_ call.  validate: after
 * its digest was compared with the one taken when the backup was made.
 */
extern BkText bk_state_text(BkState *state, bool validate);

/* How many backups the chain of a backup has, itself included. */
extern int	bk_chain_length(const BkBackup *backup);

#endif							/* BK_CHAIN_H */
