/*
 * document.h
 *		A document between its three forms: canonical text, tree, jsonb.
 *
 * Canonical text is what jsonb::text gives in a UTF-8 database: one space after
 * ',' and ':', keys unique and ascending (by unescaped length in bytes, then
 * bytes), one spelling of every string and number.  Equal values have equal
 * bytes, so comparing is memcmp and hashing is hashing bytes.  All text here is
 * UTF-8, whatever the server's encoding; the jsonb functions convert.
 */
#ifndef BK_DOCUMENT_H
#define BK_DOCUMENT_H

#include "common/common.h"

/*
 * A tree: nodes in one array, addressed by index, whose keys and values are
 * slices of the parsed texts.  The texts must outlive the tree.
 */
typedef struct BkTree BkTree;
typedef uint32 BkNodeRef;

/* A document's text, and its tree where that is at hand, else NULL. */
typedef struct BkDocument
{
	BkText		text;
	BkTree	   *tree;
	BkNodeRef	root;
} BkDocument;

extern BkTree *bk_tree_new(BkMemory memory);

/*
 * Parse one canonical text into nodes of the tree and return its root; several
 * texts (a document, its deltas) may be parsed into one tree.  Anything that is
 * not canonical (spacing, key order, a doubled key, an escape or a number that
 * jsonb would spell otherwise, bytes left over) fails with check "document".
 * Depth is limited by memory only: nothing here recurses.
 */
extern BkNodeRef bk_tree_parse(BkTree *tree, BkText text, BkOrigin origin);

/* The canonical text of a node; a slice where the node was never changed. */
extern BkText bk_tree_text(BkTree *tree, BkNodeRef node);

/*
 * Give a node's canonical text to take, piece by piece: what stands together in a
 * parsed text is one.  Stops where take says false, and is then false itself.
 */
extern bool bk_tree_write(BkTree *tree, BkNodeRef node, bool (*take) (void *context, BkText piece), void *context);

#ifndef FRONTEND

#include "utils/jsonb.h"

/* The canonical text of a jsonb value, allocated in memory. */
extern BkText bk_document_from_jsonb(BkMemory memory, Jsonb *value);

/*
 * The jsonb value of a canonical text, in the current memory context.  The text
 * is verified (UTF-8, syntax, key order) before a byte of jsonb is built; a
 * character that the database's encoding lacks is 22P05.
 */
extern Jsonb *bk_document_to_jsonb(BkText text, BkOrigin origin);

/* The same, where the tree, if it is there, was verified when its texts were parsed. */
extern Jsonb *bk_document_build(const BkDocument *document, BkOrigin origin);

#endif

#endif							/* BK_DOCUMENT_H */
