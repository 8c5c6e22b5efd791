/*
 * read.c
 *		The recipe that reads a payload: first proof, then the mirror of write.c.
 */
#include "payload/chunk.h"
#include "payload/cipher.h"
#include "payload/codec.h"
#include "payload/collect.h"
#include "payload/digest.h"
#include "payload/header.h"
#include "payload/recipe.h"

#define ROOM	32				/* what a filter may want beyond its bytes */

/* Compare a digest with the one that was recorded. */
static void
check_digest(const BkPayloadHeader *header, const char *check, const uint8 *found,
			 const uint8 *recorded)
{
	if (!bk_digest_equal(found, recorded))
		bk_fail((BkOrigin) {header->backup_id}, check,
				"it is not the one recorded when the backup was made");
}

/* The first pass over the source: chunks, stored size, checksum, and MAC where there is a key. */
static void
prove(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
	  const BkPayloadSeal *seal, const BkChunkSource *source, size_t buffer_bytes)
{
	BkMemory	working = bk_memory_new(memory, "backup_service proof");
	BkHmac	   *hmac = dek ? bk_hmac_new(working, dek) : NULL;
	BkSha256   *sha256 = bk_sha256_new(working);
	BkFilter	filters[2];
	int			count = 0;
	uint8		found[BK_DIGEST_BYTES];

	filters[count++] = bk_sha256_tap(sha256);
	if (hmac)
		filters[count++] = bk_hmac_tap(hmac);
	bk_chunks_push(header, source, bk_pipeline_new(working, filters, count, buffer_bytes));

	bk_sha256_finish(sha256, found);
	check_digest(header, "checksum", found, seal->checksum);
	if (hmac)
	{
		bk_header_seal(working, hmac, header, found);
		check_digest(header, "MAC", found, seal->mac);
	}
	bk_memory_delete(working);
}

/* The text's size, from a header that is authentic by now, but perhaps not made by us. */
static size_t
checked_size(const BkPayloadHeader *header)
{
	if (header->size <= 0 || header->size > UINT32_MAX)
		bk_fail((BkOrigin) {header->backup_id}, "size", "a text of %lld bytes is recorded",
				(long long) header->size);
	return header->size;
}

/* The second pass: decrypt, and inflate where text is wanted, into one piece of at most limit bytes. */
static BkText
unpack(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
	   const BkChunkSource *source, size_t buffer_bytes, bool inflate, size_t limit)
{
	BkOrigin	origin = {header->backup_id};
	BkMemory	working = bk_memory_new(memory, "backup_service payload");
	BkCodecReader open_codec = bk_codec(header->compression, origin)->reader;
	BkCollector collector = {.memory = memory,.origin = origin,.limit = limit};
	BkFilter	filters[3];
	int			count = 0;

	collector.data = bk_alloc(memory, limit);
	collector.capacity = limit;
	if (header->encrypted)
		filters[count++] = bk_cipher_reader(working, dek, header->iv, origin);
	if (inflate && open_codec)
		filters[count++] = open_codec(working, origin);
	filters[count++] = bk_collector_tap(&collector, BK_LAYER_TEXT);
	source->rewind(source->context);
	/* a small payload takes small buffers: opening large ones takes longer than reading it */
	buffer_bytes = Min(buffer_bytes, Max(limit, (size_t) header->stored_size) + ROOM);
	bk_chunks_push(header, source, bk_pipeline_new(working, filters, count, buffer_bytes));
	bk_memory_delete(working);
	return (BkText) {(char *) collector.data, collector.len};
}

BkText
bk_recipe_read(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
			   const BkPayloadSeal *seal, const BkChunkSource *source, size_t buffer_bytes)
{
	BkText		text;

	prove(memory, dek, header, seal, source, buffer_bytes);
	text = unpack(memory, dek, header, source, buffer_bytes, true, checked_size(header));
	if ((int64) text.len != header->size)
		bk_fail((BkOrigin) {header->backup_id}, "size", "the text has %llu bytes, recorded are %lld",
				(unsigned long long) text.len, (long long) header->size);
	return text;
}

BkText
bk_recipe_read_packed(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
					  const BkPayloadSeal *seal, const BkChunkSource *source, size_t buffer_bytes)
{
	prove(memory, dek, header, seal, source, buffer_bytes);
	return unpack(memory, dek, header, source, buffer_bytes, false, (size_t) header->stored_size);
}

BkText
bk_payload_read_packed(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
					   const BkPayloadSeal *seal, const BkChunkSource *source)
{
	return bk_recipe_read_packed(memory, dek, header, seal, source, BK_BUFFER_BYTES);
}

BkText
bk_payload_read(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
				const BkPayloadSeal *seal, const BkChunkSource *source)
{
	return bk_recipe_read(memory, dek, header, seal, source, BK_BUFFER_BYTES);
}

void
bk_payload_prove(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
				 const BkPayloadSeal *seal, const BkChunkSource *source)
{
	prove(memory, dek, header, seal, source, BK_BUFFER_BYTES);
}

void
bk_payload_reseal(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
				  const BkPayloadSeal *seal, const BkChunkSource *source,
				  const BkPayloadHeader *other, uint8 mac[BK_DIGEST_BYTES])
{
	BkMemory	working;
	BkHmac	   *hmac;
	BkFilter	filter;

	prove(memory, dek, header, seal, source, BK_BUFFER_BYTES);
	working = bk_memory_new(memory, "backup_service seal");
	hmac = bk_hmac_new(working, dek);
	filter = bk_hmac_tap(hmac);
	source->rewind(source->context);
	bk_chunks_push(header, source, bk_pipeline_new(working, &filter, 1, BK_BUFFER_BYTES));
	bk_header_seal(working, hmac, other, mac);
	bk_memory_delete(working);
}

void
bk_payload_check_at_rest(BkMemory memory, const BkPayloadHeader *header,
						 const BkPayloadSeal *seal, const BkChunkSource *source)
{
	prove(memory, NULL, header, seal, source, BK_BUFFER_BYTES);
}
