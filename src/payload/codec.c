/*
 * codec.c
 *		The table of compressions.
 */
#include "payload/codec.h"

static const BkCodec codecs[] = {
	[BK_COMPRESSION_NONE] = {.writer = NULL,.reader = NULL},
	[BK_COMPRESSION_GZIP] = {.writer = bk_gzip_writer,.reader = bk_gzip_read},
	[BK_COMPRESSION_ZSTD] = {.writer = bk_zstd_writer,.reader = bk_zstd_read},
};

/* A stored number that no version of this code wrote fails as from origin. */
const BkCodec *
bk_codec(BkCompression compression, BkOrigin origin)
{
	if ((unsigned int) compression >= lengthof(codecs))
		bk_fail(origin, "compression", "%d is no compression", (int) compression);
	return &codecs[compression];
}

void
bk_fail_too_long(BkOrigin origin, size_t room)
{
	bk_fail(origin, "size", "the text is longer than the recorded %llu bytes", (unsigned long long) room);
}
