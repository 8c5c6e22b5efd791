/*
 * store.c
 *		A payload's rows in memory, and texts to fill them.
 */
#include "store.h"

#include <stdio.h>

#include "payload/digest.h"
#include "payload/header.h"

Store *
store_new(BkMemory memory)
{
	Store	   *store = bk_alloc_zero(memory, sizeof(*store));

	store->memory = memory;
	store->fail_at = -1;
	store->dek = bk_alloc_secret(memory, sizeof(BkDek));
	bk_dek_generate(store->dek);
	store->header = (BkPayloadHeader) {
		.resource_id = BK_TEXT("orders/4711"),.backup_id = 12,.base_id = 11,
		.type = BK_TYPE_INCREMENTAL,.document_size = 4096,.created_at = INT64_C(1790000000123456)
	};
	return store;
}

static BkText
copy(BkMemory memory, BkText text)
{
	char	   *data = bk_alloc(memory, text.len + 1);

	memcpy(data, text.data, text.len);
	return (BkText) {data, text.len};
}

static void
maybe_fail(Store *store, int at)
{
	if (at == store->fail_at)
		bk_fail_library("test", "store", "asked to fail");
}

static void
write_chunk(void *context, int32 seq, BkText chunk)
{
	Store	   *store = context;

	maybe_fail(store, store->count);
	Assert(store->count < MAX_CHUNKS);
	store->chunks[store->count++] = (StoredChunk) {seq, copy(store->memory, chunk)};
}

static bool
read_chunk(void *context, int32 *seq, BkText *chunk)
{
	Store	   *store = context;

	maybe_fail(store, store->next);
	if (store->next == store->count)
		return false;
	*seq = store->chunks[store->next].seq;
	*chunk = store->chunks[store->next++].data;
	return true;
}

BkChunkSink
store_sink(Store *store)
{
	return (BkChunkSink) {write_chunk, store};
}

BkChunkSource
store_source(Store *store)
{
	store->next = 0;
	return (BkChunkSource) {read_chunk, store};
}

void
store_write(Store *store, BkText text, BkCompression compression, bool encrypted,
			size_t buffer_bytes)
{
	BkChunkSink sink = store_sink(store);

	store->count = 0;
	store->header.compression = compression;
	store->header.encrypted = encrypted;
	bk_recipe_write(store->memory, text, store->dek, &store->header, &store->seal, &sink,
					buffer_bytes);
}

BkText
store_read(Store *store, size_t buffer_bytes)
{
	BkChunkSource source = store_source(store);

	return bk_recipe_read(store->memory, store->dek, &store->header, &store->seal, &source, NULL,
						  buffer_bytes);
}

void
store_replace(Store *store, BkText stored)
{
	store->count = 0;
	store->header.stored_size = stored.len;
	while (stored.len > 0)
	{
		BkText		chunk = {stored.data, Min(stored.len, BK_CHUNK_BYTES)};

		write_chunk(store, store->count, chunk);
		stored.data += chunk.len;
		stored.len -= chunk.len;
	}
	store_seal(store);
}

void
store_seal(Store *store)
{
	BkMemory	memory = bk_memory_new(store->memory, "seal");
	BkHmac	   *hmac = bk_hmac_new(memory, store->dek);
	BkSha256   *sha256 = bk_sha256_new(memory);
	BkFilter	tap = bk_sha256_tap(sha256);

	for (int i = 0; i < store->count; i++)
	{
		bk_hmac_update(hmac, store->chunks[i].data);
		tap.observe(tap.state, store->chunks[i].data);
	}
	bk_sha256_finish(sha256, store->seal.checksum);
	bk_header_seal(memory, hmac, &store->header, store->seal.mac);
	bk_memory_delete(memory);
}

BkText
store_bytes(Store *store)
{
	char	   *bytes = bk_alloc(store->memory, (size_t) store->count * BK_CHUNK_BYTES + 1);
	size_t		len = 0;

	for (int i = 0; i < store->count; i++)
	{
		memcpy(bytes + len, store->chunks[i].data.data, store->chunks[i].data.len);
		len += store->chunks[i].data.len;
	}
	return (BkText) {bytes, len};
}

BkText
text_of_json(BkMemory memory, size_t size)
{
	char	   *text = bk_alloc(memory, size + 64);
	size_t		len = 0;

	for (unsigned int i = 0; len < size; i++)
		len += snprintf(text + len, 64, "{\"id\": %u, \"name\": \"row %u\", \"sum\": %u}, ",
						i, i * 7919, i * 2654435761u);
	return (BkText) {text, size};
}

BkText
text_of_noise(BkMemory memory, size_t size)
{
	char	   *text = bk_alloc(memory, size + 1);
	uint64		state = UINT64_C(88172645463325252);

	for (size_t i = 0; i < size; i++)
	{
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		text[i] = (char) (state >> 32);
	}
	return (BkText) {text, size};
}
