/*
 * beside.h
 *		Parsing a text beside the tree of a similar one: what is the same in the
 *		same place is found by comparing bytes, and not parsed.
 *
 * The places are the root, members with the same key in objects in the same
 * place, and the elements at the start of such arrays up to the first that
 * differs.  A value that is the same becomes a twin: one node without children, of
 * a kind of its own.  So a diff that pairs values by these rules knows equal ones
 * by their kind, and all others of these places to differ.
 */
#ifndef BK_BESIDE_H
#define BK_BESIDE_H

#include "document/tree.h"

/* A container that is being parsed, and the old one in its place. */
typedef struct BkPair
{
	BkNodeRef	open;
	BkChildren	old_children;	/* from the next one to be met on */
	uint32		twins;			/* so many are the same so far */
} BkPair;

typedef struct BkBeside
{
	BkTree	   *tree;
	BkPair	   *pairs;			/* of the open containers, outermost first */
	size_t		depth;
	size_t		capacity;

	/* the last comparison: the same up to here, where the old text is at this distance */
	const char *same_until;
	ptrdiff_t	distance;
} BkBeside;

/* Parse a text beside an old value of the tree, which is settled; another text than that value's. */
extern BkNodeRef bk_tree_parse_beside(BkTree *tree, BkText text, BkNodeRef old, BkOrigin origin);

/* The root's place. */
extern void bk_beside_begin(BkBeside *beside, BkNodeRef old);

/* A container is opened whose old one is this. */
extern void bk_beside_open(BkBeside *beside, BkNodeRef open, BkNodeRef old);

/* It is closed, and parsed but for its length: where all children are the same, it becomes a twin itself. */
extern void bk_beside_close(BkBeside *beside, BkNodeRef open);

/* The child that was met last is the same. */
extern void bk_beside_twin(BkBeside *beside, BkNodeRef child);

/* The old value in the place of the next child of the innermost open container, or BK_NO_NODE. */
extern BkNodeRef bk_beside_next(BkBeside *beside, BkNodeRef open, const BkKey *key);

/* Does the text at this point begin with the old value?  Each byte is compared once, however deep it lies. */
extern bool bk_beside_same(BkBeside *beside, const char *at, const char *end, BkNodeRef old);

/* An element that is not the same: no later one of its array is in the same place. */
extern void bk_beside_part(BkBeside *beside, BkNodeRef open);

#endif							/* BK_BESIDE_H */
