/*
 * write.c
 *		The recipe that writes a payload.
 */
#include "payload/chunk.h"
#include "payload/cipher.h"
#include "payload/codec.h"
#include "payload/digest.h"
#include "payload/header.h"
#include "payload/recipe.h"

#define SMALL_TEXT		((size_t) (64 * 1024))	/* compressed whole before a byte is written */
#define SAMPLE_BYTES	((size_t) (16 * 1024))	/* of a longer one: every byte of it is work done twice */
#define MOST_PADDING	16

/* A text is never empty, and what could not be read again is not written. */
static BkText
check_text(BkText text)
{
	if (text.len == 0)
		bk_fail_library("backup_service", "bk_payload_write", "the text is empty");
	if (text.len > UINT32_MAX)
		bk_fail_limit("a backup cannot store %llu bytes", (unsigned long long) text.len);
	return text;
}

/*
 * Compress a sample to fewer bytes than it has, into room for as many.  Returns
 * data = NULL where it does not shrink.
 */
static BkText
shrink(const BkCodec *codec, BkMemory memory, BkText sample, uint8 *room)
{
	BkFilter	filter = codec->writer(memory, sample.len);
	BkSpace		out = {room, sample.len - 1};
	size_t		len = sample.len;

	while (out.len > 0)
		if (filter.process(filter.state, &sample, &out, true))
			return (BkText) {(char *) room, len - 1 - out.len};
	return (BkText) {NULL, 0};
}

/*
 * Decide the compression by the start of the text.  A small text is thereby
 * compressed already: returns what is to be sent through the pipeline, and
 * whether the codec is still to run.
 */
static BkText
choose_compression(BkMemory memory, BkText text, BkPayloadHeader *header, bool *compress)
{
	const BkCodec *codec = bk_codec(header->compression, BK_ARGUMENT);
	BkText		sample = {text.data, text.len <= SMALL_TEXT ? text.len : SAMPLE_BYTES};
	BkText		shrunk;
	BkMemory	working;

	*compress = false;
	if (codec->writer == NULL)
		return text;
	working = bk_memory_new(memory, "backup_service sample");
	shrunk = shrink(codec, working, sample, bk_alloc_secret(memory, sample.len));
	bk_memory_delete(working);
	if (shrunk.data == NULL)
	{
		header->compression = BK_COMPRESSION_NONE;
		return text;
	}
	*compress = sample.len < text.len;
	return *compress ? text : shrunk;
}

void
bk_recipe_write(BkMemory memory, BkText text, const BkDek *dek, BkPayloadHeader *header,
				BkPayloadSeal *seal, const BkChunkSink *sink, size_t buffer_bytes)
{
	BkMemory	working = bk_memory_new(memory, "backup_service payload");
	BkHmac	   *hmac = bk_hmac_new(working, dek);
	BkSha256   *sha256 = bk_sha256_new(working);
	bool		compress;
	BkText		rest = choose_compression(working, check_text(text), header, &compress);
	size_t		at_most = compress ? SIZE_MAX : rest.len + MOST_PADDING;
	BkChunkWriter *chunks = bk_chunk_writer_new(working, sink, at_most);
	BkFilter	filters[5];
	int			count = 0;

	header->size = text.len;
	memset(header->iv, 0, BK_IV_BYTES);
	if (header->encrypted)
		bk_iv_generate(header->iv);

	if (compress)
		filters[count++] = bk_codec(header->compression, BK_ARGUMENT)->writer(working, text.len);
	if (header->encrypted)
		filters[count++] = bk_cipher_writer(working, dek, header->iv);
	filters[count++] = bk_hmac_tap(hmac);
	filters[count++] = bk_sha256_tap(sha256);
	filters[count++] = bk_chunk_writer_tap(chunks);
	bk_pipeline_push(bk_pipeline_new(working, filters, count, Min(buffer_bytes, at_most)),
					 rest, true);

	header->stored_size = bk_chunk_writer_finish(chunks);
	bk_sha256_finish(sha256, seal->checksum);
	bk_header_seal(working, hmac, header, seal->mac);
	bk_memory_delete(working);
}

void
bk_payload_write(BkMemory memory, BkText text, const BkDek *dek, BkPayloadHeader *header,
				 BkPayloadSeal *seal, const BkChunkSink *sink)
{
	bk_recipe_write(memory, text, dek, header, seal, sink, BK_BUFFER_BYTES);
}
