/*
 * test_error.c
 *		Does an error in the middle of a payload leave anything open?  (The
 *		answer is the leak sanitizer's.)  Is it said where libdeflate has no memory?
 *
 * gcc -std=gnu11 -fsanitize=address -DFRONTEND -I../../../src test_error.c store.c
 *     and all of src/common, src/payload: see run.sh.
 */
#include "store.h"
#include "tap.h"

#include "payload/filter.h"

#ifdef BK_LIBDEFLATE
#include <libdeflate.h>
#endif

/* Raise in the sink at a chunk. */
static void
test_sink(BkText text, BkCompression compression, bool encrypted, int chunk)
{
	BkMemory	memory = bk_memory_new(NULL, "sink");
	Store	   *store = store_new(memory);

	store->fail_at = chunk;
	fails("XX000", "test", store_write(store, text, compression, encrypted, BK_BUFFER_BYTES),
		  "writing %zu bytes (compression %d, encrypted %d) stops at chunk %d",
		  text.len, compression, encrypted, chunk);
	bk_memory_delete(memory);
}

/* Raise in the source at a chunk, in the first pass over it or in the second. */
static void
test_source(BkText text, BkCompression compression, bool encrypted, int chunk, bool second)
{
	BkMemory	memory = bk_memory_new(NULL, "source");
	Store	   *store = store_new(memory);

	store_write(store, text, compression, encrypted, BK_BUFFER_BYTES);
	store->fail_at = chunk;
	if (second)
	{
		/* spoil the text behind the proof: authentic, but longer than recorded */
		store->fail_at = -1;
		store->header.size /= 2;
		store_seal(store);
	}
	fails(second ? "XX001" : "XX000", second ? "size" : "test", store_read(store, BK_BUFFER_BYTES),
		  "reading %zu bytes (compression %d, encrypted %d) stops in the %s pass",
		  text.len, compression, encrypted, second ? "second" : "first");
	bk_memory_delete(memory);
}

#ifdef BK_LIBDEFLATE
static void *
no_memory(size_t size pg_attribute_unused())
{
	return NULL;
}

/* Comes before any other use of libdeflate: what it has made once is kept. */
static void
test_no_memory(BkText text)
{
	BkMemory	memory = bk_memory_new(NULL, "no memory");
	Store	   *store = store_new(memory);

	libdeflate_set_memory_allocator(no_memory, free);
	fails("53200", "libdeflate", store_write(store, text, BK_COMPRESSION_GZIP, false, BK_BUFFER_BYTES),
		  "writing gzip without memory for libdeflate");
	libdeflate_set_memory_allocator(malloc, free);
	bk_memory_delete(memory);

	memory = bk_memory_new(NULL, "memory again");
	store = store_new(memory);
	store_write(store, text, BK_COMPRESSION_GZIP, false, BK_BUFFER_BYTES);
	libdeflate_set_memory_allocator(no_memory, free);
	fails("53200", "libdeflate", store_read(store, BK_BUFFER_BYTES), "reading it");
	libdeflate_set_memory_allocator(malloc, free);
	ok(bk_text_equal(store_read(store, BK_BUFFER_BYTES), text), "it is read when there is memory again");
	bk_memory_delete(memory);
}
#endif

int
main(void)
{
	BkMemory	memory = bk_memory_new(NULL, "main");
	BkText		text = text_of_json(memory, 1000000);

#ifdef BK_LIBDEFLATE
	test_no_memory(text);
#endif
	for (BkCompression compression = 0; compression <= BK_COMPRESSION_ZSTD; compression++)
		for (int encrypted = 0; encrypted < 2; encrypted++)
		{
			test_sink(text, compression, encrypted, 0);
			test_sink(text, compression, encrypted, 1);
			test_sink((BkText) {text.data, 1000}, compression, encrypted, 0);
			test_source(text, compression, encrypted, 1, false);
			test_source(text, compression, encrypted, 1, true);
		}
	bk_memory_delete(memory);
	return tap_done();
}
