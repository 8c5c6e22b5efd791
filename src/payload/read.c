/*
 * read.c
 *		The recipe that reads a payload: first proof, then the mirror of write.c.
 *
 * What is stored is gathered while it is proven, so that the chunks are read
 * once, and what was proven is what is decrypted; it is mostly a small part of
 * the text, and gone before that is looked at.
 */
#include "payload/chunk.h"
#include "payload/cipher.h"
#include "payload/codec.h"
#include "payload/collect.h"
#include "payload/digest.h"
#include "payload/header.h"
#include "payload/recipe.h"

#define MOST_TRUSTED	((size_t) (64 * 1024 * 1024))	/* room that a recorded size gets before a byte has come */

/* Compare a digest with the one that was recorded. */
static void
check_digest(const BkPayloadHeader *header, const char *check, const uint8 *found,
			 const uint8 *recorded)
{
	if (!bk_digest_equal(found, recorded))
		bk_fail((BkOrigin) {header->backup_id}, check,
				"it is not the one recorded when the backup was made");
}

/*
 * Read the source to its end: chunks, stored size, checksum, and MAC where there
 * is a key.  The bytes go to one more filter too, where there is one: what that
 * makes of them counts only when this returns.
 */
static void
prove(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
	  const BkPayloadSeal *seal, const BkChunkSource *source, size_t buffer_bytes, const BkFilter *also)
{
	BkMemory	working = bk_memory_new(memory, "backup_service proof");
	BkHmac	   *hmac = dek ? bk_hmac_new(working, dek) : NULL;
	BkSha256   *sha256 = bk_sha256_new(working);
	BkFilter	filters[3];
	int			count = 0;
	uint8		found[BK_DIGEST_BYTES];

	filters[count++] = bk_sha256_tap(sha256);
	if (hmac)
		filters[count++] = bk_hmac_tap(hmac);
	if (also)
		filters[count++] = *also;
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

/* Room for the stored bytes: for all at once where so many may be true, else for a part. */
static void
open_collector(BkCollector *collector, BkMemory memory, const BkPayloadHeader *header)
{
	*collector = (BkCollector) {.memory = memory,.origin = {header->backup_id},.limit = SIZE_MAX};
	collector->capacity = header->stored_size > 0 ? Min((uint64) header->stored_size, MOST_TRUSTED) : 1;
	collector->data = bk_alloc(memory, collector->capacity);
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

/* The proven bytes, decrypted: what compression made of the text. */
static BkText
read_packed(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
			const BkPayloadSeal *seal, const BkChunkSource *source, size_t buffer_bytes)
{
	BkCollector collector;
	BkFilter	collect;
	BkMemory	working;

	open_collector(&collector, memory, header);
	collect = bk_collector_tap(&collector, BK_LAYER_CHUNKS);
	prove(memory, dek, header, seal, source, buffer_bytes, &collect);
	if (header->encrypted)
	{
		working = bk_memory_new(memory, "backup_service cipher");
		collector.len = bk_cipher_decrypt(working, dek, header->iv, collector.data, collector.len,
										  (BkOrigin) {header->backup_id});
		bk_memory_delete(working);
	}
	return (BkText) {(char *) collector.data, collector.len};
}

/* The text of packed bytes. */
static BkText
unpack(BkMemory memory, const BkPayloadHeader *header, BkText packed, BkCodecReader reader)
{
	BkMemory	working = bk_memory_new(memory, "backup_service payload");
	size_t		room = checked_size(header);
	uint8	   *to = bk_alloc(memory, room);
	BkText		text = {(char *) to, reader(working, packed, to, room, (BkOrigin) {header->backup_id})};

	bk_memory_delete(working);
	return text;
}

BkText
bk_recipe_read(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
			   const BkPayloadSeal *seal, const BkChunkSource *source, BkText *packed, size_t buffer_bytes)
{
	BkText		bytes = read_packed(memory, dek, header, seal, source, buffer_bytes);
	BkCodecReader reader = bk_codec(header->compression, (BkOrigin) {header->backup_id})->reader;
	BkText		text = reader ? unpack(memory, header, bytes, reader) : bytes;

	if (text.len != checked_size(header))
		bk_fail((BkOrigin) {header->backup_id}, "size", "the text has %llu bytes, recorded are %lld",
				(unsigned long long) text.len, (long long) header->size);
	if (packed)
		*packed = bytes;
	else if (reader)
		bk_free(memory, (void *) bytes.data);
	return text;
}

BkText
bk_payload_read(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
				const BkPayloadSeal *seal, const BkChunkSource *source, BkText *packed)
{
	return bk_recipe_read(memory, dek, header, seal, source, packed, BK_BUFFER_BYTES);
}

void
bk_payload_prove(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
				 const BkPayloadSeal *seal, const BkChunkSource *source)
{
	prove(memory, dek, header, seal, source, BK_BUFFER_BYTES, NULL);
}

void
bk_payload_reseal(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
				  const BkPayloadSeal *seal, const BkChunkSource *source,
				  const BkPayloadHeader *other, uint8 mac[BK_DIGEST_BYTES])
{
	BkMemory	working = bk_memory_new(memory, "backup_service seal");
	BkHmac	   *hmac = bk_hmac_new(working, dek);
	BkFilter	again = bk_hmac_tap(hmac);

	prove(memory, dek, header, seal, source, BK_BUFFER_BYTES, &again);
	bk_header_seal(working, hmac, other, mac);
	bk_memory_delete(working);
}

void
bk_payload_check_at_rest(BkMemory memory, const BkPayloadHeader *header,
						 const BkPayloadSeal *seal, const BkChunkSource *source)
{
	prove(memory, NULL, header, seal, source, BK_BUFFER_BYTES, NULL);
}
