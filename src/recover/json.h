/*
 * json.h
 *		JSON that bk_recover prints of what it was told by files.
 */
#ifndef BK_RECOVER_JSON_H
#define BK_RECOVER_JSON_H

#include "common/common.h"

#define BK_TIME_BYTES	96

/*
 * Write a text as a JSON string with its quotes, and return the length; to has room for 6 bytes for each of the
 * text's and 2 more.  Bytes that are no UTF-8 become U+FFFD.
 */
extern size_t bk_json_escape(BkText text, char *to);

/*
 * Write JSON, whose control characters can only be in its strings, with these escaped, and return the length; to has
 * room for 6 bytes for each of its own.
 */
extern size_t bk_json_tame(BkText json, char *to);

/* A time in ISO 8601, UTC, to the microsecond. */
extern const char *bk_time_text(int64 time, char text[BK_TIME_BYTES]);

/* Read such a time, also without fraction, seconds or time, with a blank for the T, with another zone; false where it is none. */
extern bool bk_time_parse(const char *text, int64 *time);

#endif							/* BK_RECOVER_JSON_H */
