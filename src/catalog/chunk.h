/*
 * chunk.h
 *		The table backup_service.chunk: the stored bytes of payloads.
 */
#ifndef BK_CATALOG_CHUNK_H
#define BK_CATALOG_CHUNK_H

#include "catalog/statement.h"

/* How many chunks are read or written by one statement. */
#define BK_CHUNK_BATCH	4

/* Insert count chunks whose seq begins at first_seq. */
extern void bk_chunk_insert(const char *resource_id, int64 backup_id, int32 first_seq,
							const BkText *chunks, int count);

extern void bk_chunk_delete(const char *resource_id, int64 backup_id);

/*
 * Copy the chunks from a seq on into memory, in a view, at most limit; returns how many.  Where one is missing
 * or doubled, what is copied is not what was stored, which the payload layer finds.
 */
extern int	bk_chunk_read(BkMemory memory, const char *resource_id, int64 backup_id, int32 first_seq, int limit,
						  BkText *chunks);

/* Reads the chunks of one backup in order of seq, in a view, a batch at a time. */
typedef struct BkChunkReader BkChunkReader;

extern BkChunkReader *bk_chunk_reader_open(BkMemory memory, const char *resource_id, int64 backup_id);
extern bool bk_chunk_reader_next(BkChunkReader *reader, int32 *seq, BkText *chunk);
extern void bk_chunk_reader_close(BkChunkReader *reader);

#endif							/* BK_CATALOG_CHUNK_H */
