/*
 * fuzz_payload.c
 *		libFuzzer: any bytes as what is stored, with a proper seal made here, so
 *		that decryption and decompression get to see them.
 *
 * clang -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -DFRONTEND -I../../../src -I. \
 *     -o fuzz_payload fuzz_payload.c store.c ../../../src/common/error.c \
 *     ../../../src/common/memory.c ../../../src/common/openssl.c ../../../src/payload/(all) -lz -lzstd -lcrypto
 * ./fuzz_payload -max_len=200000 corpus
 *
 * The first bytes say how: compression, encrypted, buffer size, recorded size.
 */
#include "store.h"

#include <stdlib.h>

#include "payload/filter.h"

#define CONTROL_BYTES	6

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Set up header and chunks from the input, and seal them. */
static Store *
make_store(BkMemory memory, const uint8 *data, size_t size)
{
	Store	   *store = store_new(memory);

	memset(store->dek, 7, sizeof(*store->dek));
	store->header.compression = data[0] & 3;
	store->header.encrypted = data[0] >> 2 & 1;
	store->header.size = data[2] << 16 | data[3] << 8 | data[4];
	store_replace(store, (BkText) {(const char *) data + CONTROL_BYTES, size - CONTROL_BYTES});
	return store;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BkMemory	memory;
	Store	   *store;

	if (size <= CONTROL_BYTES || size > BK_CHUNK_BYTES * 4)
		return 0;
	memory = bk_memory_new(NULL, "fuzz");
	store = make_store(memory, data, size);
	BK_TRY
	{
		BkText		text = store_read(store, 1 + (size_t) data[1] * data[5]);

		/* what reads can be written, and then gives the same text */
		if ((int64) text.len != store->header.size)
			abort();
		store_write(store, text, data[0] % 3, store->header.encrypted, 4096);
		if (!bk_text_equal(text, store_read(store, 999)))
			abort();
	}
	BK_CATCH
	{
		/* nothing but a refusal is right here */
		if (strcmp(bk_last_error.sqlstate, "XX001") != 0)
			abort();
	}
	BK_END_TRY;
	bk_memory_delete(memory);
	return 0;
}
