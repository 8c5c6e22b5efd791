/*
 * encoding.h
 *		What the writer and the reader of archives must agree on.
 */
#ifndef BK_ARCHIVE_ENCODING_H
#define BK_ARCHIVE_ENCODING_H

#include "common/common.h"

/* A byte beyond ASCII, and both kinds of line ends: what a transfer as text does to them shows at once. */
#define BK_ARCHIVE_MAGIC		"\x89" "BKA\r\n\x1a\n"
#define BK_ARCHIVE_MAGIC_BYTES	8

#define BK_ARCHIVE_FORMAT		1

/* Stands for the length of what is null. */
#define BK_ARCHIVE_NULL			0xFFFFFFFF

/* The kinds of entries. */
#define BK_ARCHIVE_ENTRY_BACKUP	1
#define BK_ARCHIVE_ENTRY_TOMBSTONE	2

/* The least that a key, an entry and a hold take: so a count is bounded by the bytes that are there. */
#define BK_ARCHIVE_LEAST_KEY	(4 + BK_FINGERPRINT_BYTES)
#define BK_ARCHIVE_LEAST_ENTRY	(1 + 8 + 8 + 8 + 1)
#define BK_ARCHIVE_LEAST_HOLD	(8 + 4 + 4 + 4 + 4 + 8)

#endif							/* BK_ARCHIVE_ENCODING_H */
