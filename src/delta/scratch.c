/*
 * scratch.c
 *		Memory for the alignment of one pair of arrays at a time.
 */
#include "delta/diff.h"

#define MIN_BLOCK		8192

/* A new block, larger than the ones before it. */
static void
add_block(BkScratch *scratch, size_t size)
{
	if (scratch->block)
	{
		scratch->full_blocks = bk_array_enlarge(scratch->memory, scratch->full_blocks,
												&scratch->full_capacity,
												scratch->full_count + 1, sizeof(char *));
		scratch->full_blocks[scratch->full_count++] = scratch->block;
	}
	scratch->size = Max(Max(scratch->size * 2, size), MIN_BLOCK);
	scratch->block = bk_alloc(scratch->memory, scratch->size);
	scratch->used = 0;
}

void *
bk_scratch_alloc(BkScratch *scratch, size_t size)
{
	char	   *result;

	size = (size + 16) / 16 * 16;
	if (size > scratch->size - scratch->used)
		add_block(scratch, size);
	result = scratch->block + scratch->used;
	scratch->used += size;
	return memset(result, 0, size);
}

/* Only the last block, which is the largest, is kept. */
void
bk_scratch_reset(BkScratch *scratch)
{
	while (scratch->full_count > 0)
		bk_free(scratch->memory, scratch->full_blocks[--scratch->full_count]);
	scratch->used = 0;
}
