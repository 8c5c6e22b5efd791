/*
 * codec.c
 *		The table of compressions.
 */
#include "payload/codec.h"

static const BkCodec codecs[] = {
	[BK_COMPRESSION_NONE] = {.writer = NULL,.reader = NULL},
	[BK_COMPRESSION_GZIP] = {.writer = bk_gzip_writer,.reader = bk_gzip_reader},
	[BK_COMPRESSION_ZSTD] = {.writer = bk_zstd_writer,.reader = bk_zstd_reader},
};

/* A stored number that no version of this code wrote fails as from origin. */
const BkCodec *
bk_codec(BkCompression compression, BkOrigin origin)
{
	if ((unsigned int) compression >= lengthof(codecs))
		bk_fail(origin, "compression", "%d is no compression", (int) compression);
	return &codecs[compression];
}
