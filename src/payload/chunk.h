/*
 * chunk.h
 *		Stored bytes to chunks for a sink, and from a source back.
 */
#ifndef BK_CHUNK_H
#define BK_CHUNK_H

#include "payload/filter.h"
#include "payload/payload.h"

typedef struct BkChunkWriter BkChunkWriter;

/* at_most: an upper bound of the stored bytes, which keeps the buffer small; SIZE_MAX for none. */
extern BkChunkWriter *bk_chunk_writer_new(BkMemory memory, const BkChunkSink *sink, size_t at_most);
extern BkFilter bk_chunk_writer_tap(BkChunkWriter *writer);

/* Hand the last chunk to the sink; returns the stored size. */
extern int64 bk_chunk_writer_finish(BkChunkWriter *writer);

/*
 * Push all chunks of a source through a pipeline.  Sequence and lengths that
 * are not as a writer made them fail with check "chunks", another sum than
 * header->stored_size with "size".
 */
extern void bk_chunks_push(const BkPayloadHeader *header, const BkChunkSource *source,
						   BkPipeline *pipeline);

#endif							/* BK_CHUNK_H */
