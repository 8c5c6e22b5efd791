/*
 * encode.h
 *		Writing the binary encodings that digests and MACs are over.
 */
#ifndef BK_ENCODE_H
#define BK_ENCODE_H

#include "common/common.h"

/* Write and return the place behind it; integers are big-endian, in width bytes. */
extern uint8 *bk_put_bytes(uint8 *to, const void *bytes, size_t count);
extern uint8 *bk_put_integer(uint8 *to, uint64 value, int width);

/* Read what bk_put_integer() wrote. */
extern uint64 bk_get_integer(const uint8 *from, int width);

#endif							/* BK_ENCODE_H */
