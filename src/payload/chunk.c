/*
 * chunk.c
 *		Cuts stored bytes into chunks, and checks chunks that are read.
 */
#include "payload/chunk.h"

struct BkChunkWriter
{
	const BkChunkSink *sink;
	size_t		capacity;
	size_t		filled;
	int32		seq;
	int64		total;
	uint8	   *bytes;
};

BkChunkWriter *
bk_chunk_writer_new(BkMemory memory, const BkChunkSink *sink, size_t at_most)
{
	BkChunkWriter *writer = bk_alloc_zero(memory, sizeof(*writer));

	writer->sink = sink;
	writer->capacity = Min(at_most, BK_CHUNK_BYTES);
	writer->bytes = bk_alloc_secret(memory, writer->capacity);
	return writer;
}

static void
flush(BkChunkWriter *writer)
{
	writer->sink->write(writer->sink->context, writer->seq,
						(BkText) {(char *) writer->bytes, writer->filled});
	writer->seq++;
	writer->total += writer->filled;
	writer->filled = 0;
}

/* Only full chunks are written here, and only when a byte of the next has come. */
static void
observe(void *state, BkText bytes)
{
	BkChunkWriter *writer = state;

	while (bytes.len > 0)
	{
		BkSpace		space;

		if (writer->filled == BK_CHUNK_BYTES)
			flush(writer);
		space = (BkSpace) {writer->bytes + writer->filled, writer->capacity - writer->filled};
		if (space.len == 0)
			bk_fail_library("backup_service", "chunk writer", "more bytes than announced");
		bk_filter_copy(&bytes, &space);
		writer->filled = writer->capacity - space.len;
	}
}

BkFilter
bk_chunk_writer_tap(BkChunkWriter *writer)
{
	return (BkFilter)
	{
		.layer = BK_LAYER_CHUNKS,.observe = observe,.state = writer
	};
}

int64
bk_chunk_writer_finish(BkChunkWriter *writer)
{
	Assert(writer->filled > 0);
	flush(writer);
	return writer->total;
}

/* Check one chunk against those before it, which have total bytes. */
static void
check_chunk(const BkPayloadHeader *header, int32 expected, int32 seq, size_t len, int64 total)
{
	BkOrigin	origin = {header->backup_id};

	if (seq != expected)
		bk_fail(origin, "chunks", "chunk %d stands where chunk %d is expected",
				(int) seq, (int) expected);
	if (len == 0 || len > BK_CHUNK_BYTES)
		bk_fail(origin, "chunks", "chunk %d has %llu bytes", (int) seq, (unsigned long long) len);
	if (total % BK_CHUNK_BYTES != 0)
		bk_fail(origin, "chunks", "chunk %d is not the last, but not full", (int) seq - 1);
	if ((int64) len > header->stored_size - total)
		bk_fail(origin, "size", "there are more than the recorded %lld stored bytes",
				(long long) header->stored_size);
}

void
bk_chunks_push(const BkPayloadHeader *header, const BkChunkSource *source, BkPipeline *pipeline)
{
	int32		expected = 0;
	int64		total = 0;
	int32		seq;
	BkText		chunk;

	while (source->read(source->context, &seq, &chunk))
	{
		check_chunk(header, expected++, seq, chunk.len, total);
		total += chunk.len;
		bk_pipeline_push(pipeline, chunk, false);
	}
	if (total != header->stored_size || total == 0)
		bk_fail((BkOrigin) {header->backup_id}, "size", "there are %lld stored bytes, recorded are %lld",
				(long long) total, (long long) header->stored_size);
	bk_pipeline_push(pipeline, BK_TEXT(""), true);
}
