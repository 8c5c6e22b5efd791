/*
 * codec.h
 *		Compression: gzip, zstd, none.  Written by filters, read in one piece.
 */
#ifndef BK_CODEC_H
#define BK_CODEC_H

#include "common/backup_types.h"
#include "payload/filter.h"

/* size is the whole text's. */
typedef BkFilter (*BkCodecWriter) (BkMemory memory, size_t size);

/*
 * Write the text of packed bytes to a place with room for so many; returns how many
 * they are.  What is malformed, cut or followed by other bytes fails with check
 * "compression", a text that is longer with "size".
 */
typedef size_t (*BkCodecReader) (BkMemory memory, BkText packed, uint8 *to, size_t room, BkOrigin origin);

/* How one compression is written and read; both NULL for none. */
typedef struct BkCodec
{
	BkCodecWriter writer;
	BkCodecReader reader;
} BkCodec;

extern const BkCodec *bk_codec(BkCompression compression, BkOrigin origin);

extern BkFilter bk_gzip_writer(BkMemory memory, size_t size);

/* What bk_gzip_writer is: the second where the extension is built with libdeflate. */
extern BkFilter bk_gzip_writer_zlib(BkMemory memory, size_t size);
#ifdef BK_LIBDEFLATE
extern BkFilter bk_gzip_writer_libdeflate(BkMemory memory, size_t size);
#endif

extern size_t bk_gzip_read(BkMemory memory, BkText packed, uint8 *to, size_t room, BkOrigin origin);

#ifdef BK_LIBDEFLATE
/* The same, faster, for what is intact and fits; false for all else. */
extern bool bk_gzip_read_libdeflate(BkText packed, uint8 *to, size_t room, size_t *len);
#endif

extern BkFilter bk_zstd_writer(BkMemory memory, size_t size);
extern size_t bk_zstd_read(BkMemory memory, BkText packed, uint8 *to, size_t room, BkOrigin origin);

/* Raise that a text is longer than the room for it. */
BK_NORETURN extern void bk_fail_too_long(BkOrigin origin, size_t room);

#endif							/* BK_CODEC_H */
