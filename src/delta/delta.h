/*
 * delta.h
 *		The difference of two documents, as text, and its application.
 *
 * {"changes": [{"key", "newValue", "oldValue"}], "additions": [{"key", "value"}],
 *  "deletions": [{"key", "value"}]}, canonical text.  "key" is a path (path.h).
 * Deletions are in the old document's coordinates and are applied first, last
 * one first; additions and changes are in the new document's, additions first,
 * in order.
 */
#ifndef BK_DELTA_H
#define BK_DELTA_H

#include "document/document.h"

typedef enum BkDeltaForm
{
	BK_DELTA_COMPLETE,			/* what users see: with oldValue and the deletions' value */
	BK_DELTA_STORED				/* what backups store: without them */
} BkDeltaForm;

/*
 * The delta from one canonical document to another, allocated in memory.
 * Gives data = NULL when it would be longer than limit bytes (SIZE_MAX: no
 * limit).  Where the entries together get longer than that, or than twice both
 * documents, the delta is one change of the root instead, if that fits.  Time is bounded by the documents' length times a small constant,
 * however hostile they are; nothing recurses.
 */
extern BkText bk_delta_between(BkMemory memory, BkText old_text, BkText new_text,
							   BkDeltaForm form, size_t limit);

/*
 * The same from a document that deltas were applied to, which is then of no other use,
 * in the form that backups store.  Of its text only the length is looked at.
 */
extern BkText bk_delta_from_tree(BkMemory memory, const BkDocument *old, BkText new_text, size_t limit);

/*
 * Apply a delta's text to the document at *root; *root changes when the delta
 * replaces the whole document.  The cost is the delta's, plus once per touched
 * container its number of children.  oldValue, and a deletion's value, are
 * compared where they are given.  A delta that is malformed or does not fit
 * fails with check "delta"; the tree is then unusable.
 */
extern void bk_delta_apply(BkTree *tree, BkNodeRef *root, BkText delta, BkOrigin origin);

#endif							/* BK_DELTA_H */
