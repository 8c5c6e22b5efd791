/*
 * buffer.h
 *		Growing bytes and growing arrays, neither limited to 1 GB.
 */
#ifndef BK_BUFFER_H
#define BK_BUFFER_H

#include "common/common.h"

/*
 * Text that is being written.  What would make it longer than limit is dropped
 * and sets full, so that a writer may look only now and then.
 */
typedef struct BkBuffer
{
	BkMemory	memory;
	char	   *data;
	size_t		len;
	size_t		capacity;
	size_t		limit;
	bool		full;
} BkBuffer;

/* An empty buffer; expected bytes are allocated at once. */
extern void bk_buffer_init(BkBuffer *buffer, BkMemory memory, size_t expected, size_t limit);

/* Make room for extra bytes after len, whatever the limit. */
extern void bk_buffer_enlarge(BkBuffer *buffer, size_t extra);

/*
 * Make an array of *capacity items hold at least needed ones; gives the moved
 * array.  items may be NULL with *capacity 0.
 */
extern void *bk_array_enlarge(BkMemory memory, void *items, size_t *capacity,
							  size_t needed, size_t item_size);

/* Is there room for extra bytes, after enlarging, within the limit? */
static inline bool
bk_buffer_reserve(BkBuffer *buffer, size_t extra)
{
	if (unlikely(extra > buffer->limit - buffer->len || buffer->full))
	{
		buffer->full = true;
		return false;
	}
	if (unlikely(extra > buffer->capacity - buffer->len))
		bk_buffer_enlarge(buffer, extra);
	return true;
}

static inline void
bk_buffer_append(BkBuffer *buffer, const char *data, size_t len)
{
	if (bk_buffer_reserve(buffer, len))
	{
		memcpy(buffer->data + buffer->len, data, len);
		buffer->len += len;
	}
}

static inline void
bk_buffer_append_text(BkBuffer *buffer, BkText text)
{
	bk_buffer_append(buffer, text.data, text.len);
}

static inline void
bk_buffer_append_char(BkBuffer *buffer, char c)
{
	if (bk_buffer_reserve(buffer, 1))
		buffer->data[buffer->len++] = c;
}

static inline BkText
bk_buffer_text(const BkBuffer *buffer)
{
	return (BkText) {buffer->data, buffer->len};
}

#endif							/* BK_BUFFER_H */
