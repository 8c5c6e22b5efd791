/*
 * encode.c
 *		Bytes and big-endian integers.
 */
#include "common/encode.h"

uint8 *
bk_put_bytes(uint8 *to, const void *bytes, size_t count)
{
	memcpy(to, bytes, count);
	return to + count;
}

uint8 *
bk_put_integer(uint8 *to, uint64 value, int width)
{
	for (int i = width - 1; i >= 0; i--)
	{
		to[i] = (uint8) value;
		value >>= 8;
	}
	return to + width;
}

uint64
bk_get_integer(const uint8 *from, int width)
{
	uint64		value = 0;

	for (int i = 0; i < width; i++)
		value = value << 8 | from[i];
	return value;
}
