/*
 * test_roundtrip.c
 *		Does every text come back, for all codecs, encrypted or not, with any
 *		buffer?
 *
 * gcc -std=gnu11 -DFRONTEND -I../../../src test_roundtrip.c store.c
 *     and all of src/common, src/payload: see run.sh.
 */
#define _GNU_SOURCE
#include "store.h"
#include "tap.h"

#include "payload/filter.h"

static const char *const names[] = {"none", "gzip", "zstd"};

/* Chunks are numbered, full but for the last, and as many bytes as the header says. */
static bool
chunks_are_regular(const Store *store)
{
	int64		total = 0;

	for (int i = 0; i < store->count; i++)
	{
		size_t		len = store->chunks[i].data.len;

		if (store->chunks[i].seq != i || len == 0 || len > BK_CHUNK_BYTES ||
			(i < store->count - 1 && len != BK_CHUNK_BYTES))
			return false;
		total += len;
	}
	return total == store->header.stored_size;
}

/* Write and read with one pair of buffer sizes. */
static bool
comes_back(BkText text, BkCompression compression, bool encrypted, size_t out, size_t in)
{
	BkMemory	memory = bk_memory_new(NULL, "round trip");
	Store	   *store = store_new(memory);
	bool		result;

	store_write(store, text, compression, encrypted, out);
	result = chunks_are_regular(store) &&
		store->header.size == (int64) text.len &&
		store->header.stored_size <= (int64) text.len + 16 &&
		bk_text_equal(text, store_read(store, in));
	bk_memory_delete(memory);
	return result;
}

static void
test_size(size_t size)
{
	BkMemory	memory = bk_memory_new(NULL, "texts");
	BkText		texts[] = {text_of_json(memory, size), text_of_noise(memory, size)};

	for (int kind = 0; kind < 2; kind++)
		for (BkCompression compression = 0; compression <= BK_COMPRESSION_ZSTD; compression++)
			for (int encrypted = 0; encrypted < 2; encrypted++)
			{
				ok(comes_back(texts[kind], compression, encrypted, BK_BUFFER_BYTES,
							  BK_BUFFER_BYTES),
				   "%zu bytes of %s, %s%s", size, kind ? "noise" : "json", names[compression],
				   encrypted ? ", encrypted" : "");
				if (size <= 70000)
					ok(comes_back(texts[kind], compression, encrypted, 1, 1) &&
					   comes_back(texts[kind], compression, encrypted, 1, 999) &&
					   comes_back(texts[kind], compression, encrypted, 77, 1),
					   "the same with buffers of one byte");
			}
	bk_memory_delete(memory);
}

/* What does not shrink is stored as it is, and says so. */
static void
test_choice(void)
{
	BkMemory	memory = bk_memory_new(NULL, "choice");
	Store	   *store = store_new(memory);

	for (BkCompression wanted = BK_COMPRESSION_GZIP; wanted <= BK_COMPRESSION_ZSTD; wanted++)
	{
		store_write(store, text_of_noise(memory, 2000), wanted, false, 4096);
		ok(store->header.compression == BK_COMPRESSION_NONE && store->header.stored_size == 2000,
		   "%s: short noise is stored as it is", names[wanted]);
		store_write(store, text_of_noise(memory, 200000), wanted, false, 4096);
		ok(store->header.compression == BK_COMPRESSION_NONE && store->header.stored_size == 200000,
		   "%s: long noise is stored as it is", names[wanted]);
		store_write(store, text_of_json(memory, 2000), wanted, false, 4096);
		ok(store->header.compression == wanted && store->header.stored_size < 1500,
		   "%s: short JSON is compressed", names[wanted]);
		store_write(store, text_of_json(memory, 200000), wanted, false, 4096);
		ok(store->header.compression == wanted && store->header.stored_size < 100000,
		   "%s: long JSON is compressed", names[wanted]);
		store_write(store, BK_TEXT("{}"), wanted, true, 4096);
		ok(store->header.compression == BK_COMPRESSION_NONE && store->header.stored_size == 16,
		   "%s: {} is stored as it is, in one block", names[wanted]);
	}
	bk_memory_delete(memory);
}

/* The packed bytes beside the text, which must come back as ever. */
static BkText
read_packed(Store *store, size_t buffer_bytes)
{
	BkChunkSource source = store_source(store);
	BkText		packed;
	BkText		text = bk_recipe_read(store->memory, store->dek, &store->header, &store->seal, &source, &packed, buffer_bytes);

	ok(bk_text_equal(text, store_read(store, buffer_bytes)), "the text is the same where packed bytes are wanted");
	return packed;
}

/* What compression gave, encrypted or not, and nothing that is not proved. */
static void
test_packed(void)
{
	static const size_t sizes[] = {100, 5000, 300000};
	BkMemory	memory = bk_memory_new(NULL, "packed");
	Store	   *store = store_new(memory);

	for (size_t i = 0; i < lengthof(sizes); i++)
		for (int encrypted = 0; encrypted < 2; encrypted++)
		{
			BkText		text = text_of_json(memory, sizes[i]);
			BkText		gzip = bk_payload_gzip(memory, text);

			store_write(store, text, BK_COMPRESSION_GZIP, encrypted, 32768);
			ok(bk_text_equal(gzip, read_packed(store, 32768)) && bk_text_equal(gzip, read_packed(store, 1)),
			   "%zu bytes packed are a .gz file%s", sizes[i], encrypted ? ", from an encrypted payload" : "");
			store_write(store, text, BK_COMPRESSION_NONE, encrypted, 32768);
			ok(bk_text_equal(text, read_packed(store, 77)), "uncompressed they are the text");
		}
	((char *) store->chunks[2].data.data)[5] ^= 1;
	fails("XX001", "checksum", read_packed(store, 32768), "a changed byte is refused");
	store->header.backup_id++;
	((char *) store->chunks[2].data.data)[5] ^= 1;
	fails("XX001", "MAC", read_packed(store, 32768), "another backup's payload is refused");
	store->header.size--;
	store_seal(store);
	fails("XX001", "size", read_packed(store, 32768), "a text of another size is refused");
	bk_memory_delete(memory);
}

/* Unencrypted gzip is a .gz file; nothing is readable in what is encrypted. */
static void
test_shape(void)
{
	static const uint8 zero[BK_IV_BYTES];
	BkMemory	memory = bk_memory_new(NULL, "shape");
	Store	   *store = store_new(memory);
	BkText		text = text_of_json(memory, 300000);
	uint8		before[BK_IV_BYTES];

	store_write(store, text, BK_COMPRESSION_GZIP, false, 32768);
	ok(bk_text_equal(store_bytes(store), bk_payload_gzip(memory, text)),
	   "the chunks of an unencrypted gzip payload are a .gz file");
	ok(memcmp(store->header.iv, zero, sizeof(zero)) == 0, "there is no IV without a cipher");
	store_write(store, text, BK_COMPRESSION_NONE, true, 32768);
	/* a shorter word might be there by chance */
	ok(memmem(store_bytes(store).data, store->header.stored_size, "\"name\"", 6) == NULL &&
	   memmem(store_bytes(store).data, store->header.stored_size, ": \"row ", 7) == NULL,
	   "what is encrypted shows nothing");
	memcpy(before, store->header.iv, sizeof(before));
	store_write(store, text, BK_COMPRESSION_NONE, true, 32768);
	ok(memcmp(store->header.iv, before, sizeof(before)) != 0, "every payload has an IV of its own");
	fails("XX000", "backup_service", store_write(store, (BkText) {"", 0}, 1, true, 1),
		  "an empty text cannot be written");
	bk_memory_delete(memory);
}

int
main(void)
{
	static const size_t sizes[] = {1, 15, 16, 17, 65535, 65536, 65537, 1024 * 1024, 1024 * 1024 + 1, 3 * 1024 * 1024};

	for (size_t i = 0; i < lengthof(sizes); i++)
		test_size(sizes[i]);
	test_choice();
	test_packed();
	test_shape();
	return tap_done();
}
