/*
 * key_text.h
 *		The text of a key file: lines "version:64 hex digits".
 *
 * Blank lines and lines that begin with '#' are left out.  A version is 1 to
 * 2147483647 without leading zeros, and stands once.
 */
#ifndef BK_KEY_TEXT_H
#define BK_KEY_TEXT_H

#include "keyring/wrap.h"

#define BK_KEY_TEXT_BYTES	(64 * 1024) /* the most that is read */
#define BK_KEY_LINE_BYTES	80		/* the longest line, with its line feed and a zero byte */

typedef struct BkKeyEntry
{
	int32		version;
	uint8		kek[BK_KEK_BYTES];
} BkKeyEntry;

/*
 * Parse a text into entries allocated as secrets in memory; returns their
 * number.  Malformed text is 22023; the error names source and line number,
 * never what the line holds.
 */
extern int	bk_key_text_parse(BkMemory memory, BkText text, const char *source,
							  BkKeyEntry **entries);

/* Decode a key's hex digits; false, with kek undefined, where the text is anything else. */
extern bool bk_key_text_hex(BkText text, uint8 kek[BK_KEK_BYTES]);

/* Write a line for an entry; returns its length. */
extern size_t bk_key_text_line(const BkKeyEntry *entry, char line[BK_KEY_LINE_BYTES]);

#endif							/* BK_KEY_TEXT_H */
