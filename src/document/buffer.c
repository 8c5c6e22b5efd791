/*
 * buffer.c
 *		Growing bytes and growing arrays.
 */
#include "document/buffer.h"

#define MIN_BUFFER		256
#define MIN_ITEMS		16

void
bk_buffer_init(BkBuffer *buffer, BkMemory memory, size_t expected, size_t limit)
{
	*buffer = (BkBuffer) {.memory = memory, .limit = limit};
	buffer->capacity = Max(expected, MIN_BUFFER);
	buffer->data = bk_alloc(memory, buffer->capacity);
}

void
bk_buffer_enlarge(BkBuffer *buffer, size_t extra)
{
	if (extra > SIZE_MAX / 4 - buffer->len)
		bk_fail_limit("text of more than %zu bytes cannot be handled", SIZE_MAX / 4);
	buffer->capacity = Max(buffer->capacity * 2, buffer->len + extra);
	buffer->data = bk_realloc(buffer->memory, buffer->data, buffer->capacity);
}

void *
bk_array_enlarge(BkMemory memory, void *items, size_t *capacity, size_t needed, size_t item_size)
{
	if (needed <= *capacity)
		return items;
	if (needed > SIZE_MAX / 4 / item_size)
		bk_fail_limit("more than %zu items cannot be handled", SIZE_MAX / 4 / item_size);
	*capacity = Max(Max(*capacity * 2, needed), MIN_ITEMS);
	return bk_realloc(memory, items, *capacity * item_size);
}
