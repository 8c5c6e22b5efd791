/*
 * store.h
 *		A payload's rows in memory: what the tests use for a database.
 */
#ifndef STORE_H
#define STORE_H

#include "payload/recipe.h"

#define MAX_CHUNKS	64

typedef struct StoredChunk
{
	int32		seq;
	BkText		data;
} StoredChunk;

typedef struct Store
{
	BkMemory	memory;
	BkDek	   *dek;
	BkPayloadHeader header;
	BkPayloadSeal seal;
	int			count;
	StoredChunk chunks[MAX_CHUNKS];
	int			next;			/* what the source gives next */
	int			fail_at;		/* the sink and the source raise at this chunk; -1: never */
} Store;

extern Store *store_new(BkMemory memory);
extern BkChunkSink store_sink(Store *store);
extern BkChunkSource store_source(Store *store);

/* Write a text into the store, and read it back; the buffers have the given size. */
extern void store_write(Store *store, BkText text, BkCompression compression, bool encrypted,
						size_t buffer_bytes);
extern BkText store_read(Store *store, size_t buffer_bytes);

/* Put these bytes in the place of what is stored, in proper chunks, and seal them anew. */
extern void store_replace(Store *store, BkText stored);
extern void store_seal(Store *store);

/* All chunks in one piece. */
extern BkText store_bytes(Store *store);

/* Texts: like JSON, and without any pattern; the same for the same size. */
extern BkText text_of_json(BkMemory memory, size_t size);
extern BkText text_of_noise(BkMemory memory, size_t size);

#endif							/* STORE_H */
