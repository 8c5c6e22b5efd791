/*
 * test_damage.c
 *		Is every change to what is stored refused, and by which check?
 *
 * gcc -std=gnu11 -DFRONTEND -I../../../src test_damage.c store.c
 *     and all of src/common, src/payload, src/keyring/wrap.c: see run.sh.
 */
#include "store.h"
#include "tap.h"

#include "keyring/wrap.h"
#include "payload/filter.h"

/* Reading, or checking at rest, fails with XX001 and this check. */
static bool
refused(Store *store, const char *check, bool with_key)
{
	volatile bool result = false;

	BK_TRY
	{
		BkChunkSource source = store_source(store);

		if (with_key)
			store_read(store, BK_BUFFER_BYTES);
		else
			bk_payload_check_at_rest(store->memory, &store->header, &store->seal, &source);
	}
	BK_CATCH
	{
		result = strcmp(bk_last_error.sqlstate, "XX001") == 0 &&
			strcmp(bk_last_error.check, check) == 0;
		tap_raised();
	}
	BK_END_TRY;
	return result;
}

/* Flip every bit of some bytes in turn. */
static bool
each_bit_refused(Store *store, void *bytes, size_t size, const char *check, bool with_key)
{
	uint8	   *at = bytes;

	for (size_t i = 0; i < size * 8; i++)
	{
		bool		result;

		at[i / 8] ^= 1 << i % 8;
		result = refused(store, check, with_key);
		at[i / 8] ^= 1 << i % 8;
		if (!result)
			return false;
	}
	return true;
}

#define FIELD(field, check) \
	ok(each_bit_refused(store, &store->header.field, sizeof(store->header.field), check, true), \
	   "every bit of the header's " #field)

static void
test_bits(void)
{
	BkMemory	memory = bk_memory_new(NULL, "bits");
	Store	   *store = store_new(memory);
	char		name[] = "orders/4711";
	StoredChunk *chunk = &store->chunks[0];

	store->header.resource_id = (BkText) {name, strlen(name)};
	store_write(store, text_of_json(memory, 500), BK_COMPRESSION_GZIP, true, BK_BUFFER_BYTES);
	ok(each_bit_refused(store, (void *) chunk->data.data, chunk->data.len, "checksum", true) &&
	   each_bit_refused(store, (void *) chunk->data.data, chunk->data.len, "checksum", false),
	   "every bit of the stored bytes");
	ok(each_bit_refused(store, store->seal.checksum, BK_DIGEST_BYTES, "checksum", true) &&
	   each_bit_refused(store, store->seal.checksum, BK_DIGEST_BYTES, "checksum", false),
	   "every bit of the checksum");
	ok(each_bit_refused(store, store->seal.mac, BK_DIGEST_BYTES, "MAC", true), "every bit of the MAC");
	ok(each_bit_refused(store, store->dek->mac_key, 32, "MAC", true), "every bit of the MAC key");
	ok(each_bit_refused(store, name, strlen(name), "MAC", true), "every bit of the resource's name");
	FIELD(base_id, "MAC");
	FIELD(size, "MAC");
	FIELD(document_size, "MAC");
	FIELD(document_digest, "MAC");
	FIELD(iv, "MAC");
	FIELD(created_at, "MAC");
	FIELD(stored_size, "size");
	store->header.backup_id++;
	ok(refused(store, "MAC", true), "another backup's id");
	store->header.backup_id--;
	store->header.type = BK_TYPE_DIFFERENTIAL;
	ok(refused(store, "MAC", true), "another type");
	store->header.type = BK_TYPE_INCREMENTAL;
	store->header.compression = BK_COMPRESSION_ZSTD;
	ok(refused(store, "MAC", true), "another compression");
	store->header.compression = BK_COMPRESSION_GZIP;
	store->header.encrypted = false;
	ok(refused(store, "MAC", true), "not encrypted");
	store->header.encrypted = true;
	store->header.resource_id.len--;
	ok(refused(store, "MAC", true), "a shorter name");
	store->header.resource_id.len++;
	ok(store_read(store, 1).len == 500, "and unchanged it reads");
	bk_memory_delete(memory);
}

/* A store of three chunks and a bit, for tests that spoil it. */
static Store *
long_store(BkMemory memory)
{
	Store	   *store = store_new(memory);

	store_write(store, text_of_noise(memory, 200000), BK_COMPRESSION_NONE, true, BK_BUFFER_BYTES);
	Assert(store->count == 4);
	return store;
}

#define CHUNKS(check, spoil, name) \
	do { \
		Store	   *store = long_store(memory); \
		StoredChunk *chunk = store->chunks; \
		spoil; \
		ok(chunk && refused(store, check, true) && refused(store, check, false), name); \
	} while (0)

static void
test_chunks(void)
{
	BkMemory	memory = bk_memory_new(NULL, "chunks");
	StoredChunk saved;

	CHUNKS("size", store->count = 0, "no chunk at all");
	CHUNKS("size", store->count--, "the last chunk is missing");
	CHUNKS("chunks", memmove(chunk, chunk + 1, 3 * sizeof(*chunk)); store->count--,
		   "the first chunk is missing");
	CHUNKS("chunks", chunk[1] = chunk[2]; chunk[2] = chunk[3]; store->count--,
		   "a chunk in between is missing");
	CHUNKS("chunks", chunk[2] = chunk[1], "a chunk stands twice");
	CHUNKS("chunks", saved = chunk[1]; chunk[1] = chunk[2]; chunk[2] = saved, "two chunks are swapped");
	CHUNKS("checksum", chunk[1].seq = 2; chunk[2].seq = 1; saved = chunk[1]; chunk[1] = chunk[2];
		   chunk[2] = saved, "two chunks have each other's number");
	CHUNKS("size", chunk[3].data.len--, "the last chunk is cut");
	CHUNKS("size", chunk[3].data.len++, "the last chunk is longer");
	CHUNKS("chunks", chunk[1].data.len--, "a chunk in between is cut");
	CHUNKS("chunks", chunk[1].data.len++, "a chunk in between is longer");
	CHUNKS("chunks", chunk[3].data.len = 0, "a chunk is empty");
	CHUNKS("chunks", chunk[4] = chunk[3]; chunk[4].seq = 4; store->count++, "a chunk too many");
	CHUNKS("chunks", chunk[0].seq = -1, "a negative number");
	CHUNKS("size", store->header.stored_size = 0, "a stored size of 0");
	CHUNKS("size", store->header.stored_size = INT64_MIN, "a negative stored size");
	CHUNKS("size", store->header.stored_size = INT64_MAX, "an absurd stored size");
	bk_memory_delete(memory);
}

/* What only the holder of the key can make: authentic, and still malformed. */
static void
test_authentic(void)
{
	BkMemory	memory = bk_memory_new(NULL, "authentic");
	Store	   *store = store_new(memory);
	BkText		text = text_of_json(memory, 100000);
	BkText		gzip = bk_payload_gzip(memory, text);
	char	   *twice = bk_alloc(memory, 2 * gzip.len);

	memcpy(twice, gzip.data, gzip.len);
	memcpy(twice + gzip.len, gzip.data, gzip.len);
	store->header.compression = BK_COMPRESSION_GZIP;
	store->header.size = 100000;
	store_replace(store, gzip);
	ok(bk_text_equal(store_read(store, 4096), text), "a gzip of ours reads");
	store->header.size = 99999;
	store_seal(store);
	ok(refused(store, "size", true), "a gzip that gives a byte more than recorded");
	store->header.size = 100001;
	store_seal(store);
	ok(refused(store, "size", true), "a gzip that gives a byte less than recorded");
	store->header.size = 200000;
	store_replace(store, (BkText) {twice, 2 * gzip.len});
	ok(store_read(store, 4096).len == 200000, "two gzip members read as one text");
	store->header.size = 100000;
	store_seal(store);
	ok(refused(store, "size", true), "two gzip members that give more than recorded");
	store_replace(store, (BkText) {gzip.data, gzip.len - 1});
	ok(refused(store, "compression", true), "a gzip that is cut");
	store_replace(store, (BkText) {twice, gzip.len + 1});
	ok(refused(store, "compression", true), "a byte after the gzip");
	store->header.compression = BK_COMPRESSION_ZSTD;
	store_seal(store);
	ok(refused(store, "compression", true), "a gzip that is said to be zstd");
	store->header.compression = 77;
	store_seal(store);
	ok(refused(store, "compression", true), "a compression that does not exist");
	store->header.compression = BK_COMPRESSION_NONE;
	store_seal(store);
	ok(refused(store, "size", true), "a gzip that is said to be plain");
	store->header.encrypted = true;
	store_replace(store, (BkText) {text.data, 100000});
	ok(refused(store, "cipher", true) || refused(store, "size", true), "plain text that is said to be encrypted");
	store_replace(store, (BkText) {text.data, 99999});
	ok(refused(store, "cipher", true), "stored bytes that are no whole number of blocks");
	store->header.encrypted = false;
	for (int i = 0; i < 3; i++)
	{
		store->header.size = (int64[]) {0, -1, INT64_C(1) << 32}[i];
		store_seal(store);
		ok(refused(store, "size", true), "a text of %lld bytes", (long long) store->header.size);
	}
	bk_memory_delete(memory);
}

/* 100 MB in 100 kB: refused without ever being there. */
static void
test_bomb(void)
{
	BkMemory	memory = bk_memory_new(NULL, "bomb");
	Store	   *store = store_new(memory);
	char	   *zeros = bk_alloc_zero(memory, 100 * 1000 * 1000);

	store->header.compression = BK_COMPRESSION_GZIP;
	store->header.size = 1000;
	store_replace(store, bk_payload_gzip(memory, (BkText) {zeros, 100 * 1000 * 1000}));
	ok(store->header.stored_size < 110000 && refused(store, "size", true), "a decompression bomb");
	bk_memory_delete(memory);
}

static bool
unwrap_refused(const uint8 *kek, const uint8 *wrapped, BkDek *dek)
{
	volatile bool result = false;

	BK_TRY
	{
		bk_dek_unwrap(kek, wrapped, dek, (BkOrigin) {12});
	}
	BK_CATCH
	{
		result = strcmp(bk_last_error.check, "wrapped key") == 0;
	}
	BK_END_TRY;
	return result;
}

static void
test_wrapped_key(void)
{
	BkMemory	memory = bk_memory_new(NULL, "wrap");
	BkDek	   *dek = bk_alloc_secret(memory, sizeof(*dek));
	BkDek	   *back = bk_alloc_secret(memory, sizeof(*dek));
	uint8		kek[BK_KEK_BYTES] = {1, 2, 3};
	uint8		wrapped[BK_WRAPPED_DEK_BYTES];
	int			refusals = 0;

	bk_dek_generate(dek);
	bk_dek_wrap(kek, dek, wrapped);
	bk_dek_unwrap(kek, wrapped, back, BK_ARGUMENT);
	ok(memcmp(dek, back, sizeof(*dek)) == 0, "a wrapped data key comes back");
	for (int i = 0; i < BK_WRAPPED_DEK_BYTES * 8; i++)
	{
		wrapped[i / 8] ^= 1 << i % 8;
		refusals += unwrap_refused(kek, wrapped, back);
		wrapped[i / 8] ^= 1 << i % 8;
	}
	ok(refusals == BK_WRAPPED_DEK_BYTES * 8, "every bit of a wrapped data key");
	kek[31] ^= 1;
	ok(unwrap_refused(kek, wrapped, back), "another master key");
	memset(dek, 0, sizeof(*dek));
	ok(memcmp(dek, back, sizeof(*dek)) == 0, "nothing is left where unwrapping failed");
	bk_memory_delete(memory);
}

int
main(void)
{
	test_bits();
	test_chunks();
	test_authentic();
	test_bomb();
	test_wrapped_key();
	return tap_done();
}
