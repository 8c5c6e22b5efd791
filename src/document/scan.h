/*
 * scan.h
 *		Finding the bytes that a JSON string cannot hold as they are, sixteen or
 *		eight at a time.
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

/* Sixteen bytes that the compiler puts into a register where the processor has such. */
typedef uint8 BkBlock __attribute__((vector_size(16)));

/* The position of the first byte that is below 0x20, '"' or '\\'; 16: none is. */
static inline unsigned int
bk_block_find_special(BkBlock block)
{
	const BkBlock zero = {0};
	BkBlock		special = (BkBlock) ((block < zero + 0x20) | (block == zero + '"') | (block == zero + '\\'));
	uint64		halves[2];

	memcpy(halves, &special, sizeof(halves));
	if (likely((halves[0] | halves[1]) == 0))
		return 16;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return halves[0] ? __builtin_clzll(halves[0]) >> 3 : 8 + (__builtin_clzll(halves[1]) >> 3);
#else
	return halves[0] ? __builtin_ctzll(halves[0]) >> 3 : 8 + (__builtin_ctzll(halves[1]) >> 3);
#endif
}

/* The first of '"', '\\' or a control character in [at, end), or end. */
static inline const char *
bk_find_special(const char *at, const char *end)
{
	while (end - at >= 16)
	{
		BkBlock		block;
		unsigned int first;

		memcpy(&block, at, 16);
		first = bk_block_find_special(block);
		at += first;
		if (first < 16)
			return at;
	}
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

/* Up to seven bytes, with letters for those that are missing. */
static inline uint64
bk_load_short(const char *from, size_t len)
{
	uint32		low;
	uint32		high;

	if (len >= 4)
	{
		/* the two halves overlap: which byte is where does not matter */
		memcpy(&low, from, 4);
		memcpy(&high, from + len - 4, 4);
		return (uint64) high << 32 | low;
	}
	if (len == 0)
		return BK_EACH_BYTE('a');
	return (BK_EACH_BYTE('a') & ~UINT64_C(0xFFFFFF)) | (uint64) (uint8) from[len - 1] << 16 |
		(uint64) (uint8) from[len / 2] << 8 | (uint8) from[0];
}

/*
 * Copy a string that needs no escapes.  False where one of its bytes does; what
 * was written is then of no use.  Neither reads nor writes beyond len bytes.
 */
static inline bool
bk_copy_plain(char *to, const char *from, size_t len)
{
	uint64		word;
	uint64		special = 0;

	for (; len >= 16; len -= 16, from += 16, to += 16)
	{
		BkBlock		block;

		memcpy(&block, from, 16);
		memcpy(to, &block, 16);
		if (unlikely(bk_block_find_special(block) < 16))
			return false;
	}
	if (len >= 8)
	{
		memcpy(&word, from, 8);
		memcpy(to, &word, 8);
		special = bk_special_bytes(word);
		memcpy(&word, from + len - 8, 8);
		memcpy(to + len - 8, &word, 8);
		return (special | bk_special_bytes(word)) == 0;
	}
	if (len >= 4)
	{
		memmove(to, from, 4);
		memmove(to + len - 4, from + len - 4, 4);
	}
	else
		for (size_t i = 0; i < len; i++)
			to[i] = from[i];
	return bk_special_bytes(bk_load_short(from, len)) == 0;
}

#endif							/* BK_SCAN_H */
