/*
 * codec.h
 *		Compression as filters: gzip, zstd, none.
 */
#ifndef BK_CODEC_H
#define BK_CODEC_H

#include "common/backup_types.h"
#include "payload/filter.h"

/* size is the whole text's. */
typedef BkFilter (*BkCodecWriter) (BkMemory memory, size_t size);

/* What is malformed, cut or followed by other bytes fails with check "compression". */
typedef BkFilter (*BkCodecReader) (BkMemory memory, BkOrigin origin);

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

extern BkFilter bk_gzip_reader(BkMemory memory, BkOrigin origin);
extern BkFilter bk_zstd_writer(BkMemory memory, size_t size);
extern BkFilter bk_zstd_reader(BkMemory memory, BkOrigin origin);

#endif							/* BK_CODEC_H */
