/*
 * scan.h
 *		Finding the next byte that a JSON string cannot hold as it is, eight
 *		bytes at a time.
 */
#ifndef BK_SCAN_H
#define BK_SCAN_H

#include "common/common.h"

#define BK_EACH_BYTE(c)		(UINT64_C(0x0101010101010101) * (c))

/*
 * The high bit of the first byte that is below 0x20, '"' or '\\' is set; bits
 * above it mean nothing.
 */
static inline uint64
bk_special_bytes(uint64 word)
{
	uint64		quote = word ^ BK_EACH_BYTE('"');
	uint64		backslash = word ^ BK_EACH_BYTE('\\');

	return (((word - BK_EACH_BYTE(0x20)) & ~word) |
			((quote - BK_EACH_BYTE(1)) & ~quote) |
			((backslash - BK_EACH_BYTE(1)) & ~backslash)) & BK_EACH_BYTE(0x80);
}

/* The first of '"', '\\' or a control character in [at, end), or end. */
static inline const char *
bk_find_special(const char *at, const char *end)
{
	while (end - at >= 8)
	{
		uint64		word;
		uint64		special;

		memcpy(&word, at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		word = __builtin_bswap64(word);
#endif
		special = bk_special_bytes(word);
		if (special)
			return at + (__builtin_ctzll(special) >> 3);
		at += 8;
	}
	while (at < end && (unsigned char) *at >= 0x20 && *at != '"' && *at != '\\')
		at++;
	return at;
}

#endif							/* BK_SCAN_H */
