/*
 * diff.h
 *		What the parts of the differ share: walk, alignment of arrays, and
 *		rendering.
 *
 * The walk (diff.c) compares pairs of values from the root down with frames on
 * the heap, aligns the elements of arrays (align.c, lcs.c) and collects entries;
 * where a pair has nothing in common, what was collected below it is thrown
 * away.  Paths are kept as links to the pair above, and written once (render.c).
 */
#ifndef BK_DIFF_H
#define BK_DIFF_H

#include "delta/delta.h"
#include "document/beside.h"

#define BK_NO_STEP		UINT32_MAX
#define BK_NO_MATCH		UINT32_MAX
#define BK_MATCH_EQUAL	0x80000000	/* a match is known to be equal */

/* A pair of containers on the way to an entry: its place in the pair above. */
typedef struct BkDiffStep
{
	uint32		above;			/* BK_NO_STEP: this is the root */
	BkNodeRef	node;			/* of the new document, for its key */
	uint32		old_index;
	uint32		new_index;
} BkDiffStep;

/* An entry of the delta. */
typedef struct BkDiffEntry
{
	uint32		step;			/* the pair that it is in; BK_NO_STEP: the root's place */
	uint32		index;			/* in the old array for deletions, else the new one */
	BkNodeRef	old_node;
	BkNodeRef	new_node;
} BkDiffEntry;

typedef struct BkDiffEntries
{
	BkDiffEntry *items;
	size_t		count;
	size_t		capacity;
} BkDiffEntries;

/* Bytes for work whose need is over together; see bk_scratch_alloc. */
typedef struct BkScratch
{
	BkMemory	memory;
	char	   *block;
	size_t		used;
	size_t		size;
	char	  **full_blocks;
	size_t		full_count;
	size_t		full_capacity;
} BkScratch;

typedef struct BkDiff
{
	BkMemory	memory;
	BkTree	   *tree;			/* both documents */
	uint64	   *hashes;			/* of long values where they are needed; see hash.c */
	size_t		vain_budget;	/* bytes that may still be compared in vain */
	size_t		class_budget;	/* bytes that may still be compared to find classes */
	BkScratch	scratch;

	BkDiffStep *steps;
	size_t		step_count;
	size_t		step_capacity;

	BkDiffEntries deletions;
	BkDiffEntries additions;
	BkDiffEntries changes;
} BkDiff;

/* hash.c */
extern uint64 bk_hash_bytes(uint64 seed, const char *data, size_t len);

/* Prepare the hashes of values and all below them, none of which is a twin or outlined. */
extern void bk_hash_values(BkDiff *diff, const BkNodeRef *nodes, uint32 count);

/* The hash of a value that was prepared. */
extern uint64 bk_hash_value(const BkDiff *diff, BkNodeRef node);

/* Are two values equal?  May say no to equal ones when the budget is used up. */
extern bool bk_diff_equal(BkDiff *diff, BkNodeRef a, BkNodeRef b);

/* scratch.c: zeroed memory until the next reset */
extern void *bk_scratch_alloc(BkScratch *scratch, size_t size);
extern void bk_scratch_reset(BkScratch *scratch);

/* Is a new value equal to the old one in the same place (document/beside.h)? */
static inline bool
bk_diff_twin(const BkDiff *diff, BkNodeRef new_node)
{
	return bk_node_kind(diff->tree, new_node) == BK_KIND_TWIN;
}

/*
 * align.c: match the elements of two arrays without crossings.  match[i] is the
 * new position of the old element i or BK_NO_MATCH, with BK_MATCH_EQUAL where
 * the two are known to be equal.  beside says that the arrays are in the same
 * place; else they were prepared for hashing.
 */
extern void bk_align_arrays(BkDiff *diff, BkNodeRef old_array, BkNodeRef new_array, bool beside,
							uint32 *match);

/*
 * lcs.c: a long common subsequence of two sequences of classes (0 to
 * class_count - 1; BK_NO_MATCH equals nothing), the longest one where the work
 * budget allows.  Sets match[i] where it finds a partner.
 */
extern void bk_common_subsequence(BkScratch *scratch, const uint32 *old_classes, uint32 old_count,
								  const uint32 *new_classes, uint32 new_count,
								  uint32 class_count, uint32 *match);

/* render.c: is it done?  The buffer has a limit. */
extern bool bk_diff_render(const BkDiff *diff, BkDeltaForm form, BkBuffer *buffer);

#endif							/* BK_DIFF_H */
