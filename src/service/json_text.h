/*
 * json_text.h
 *		Writing a small JSON object, member by member: details of audit events,
 *		and lines for the server's log, which stay lines whatever the values are.
 */
#ifndef BK_JSON_TEXT_H
#define BK_JSON_TEXT_H

#include "common/common.h"

#include "lib/stringinfo.h"
#include "datatype/timestamp.h"
#include "utils/jsonb.h"

extern void bk_json_begin(StringInfo json);
extern void bk_json_add_text(StringInfo json, const char *name, const char *value);	/* NULL: leaves the member out */
extern void bk_json_add_int64(StringInfo json, const char *name, int64 value);
extern void bk_json_add_time(StringInfo json, const char *name, TimestampTz value);	/* ISO 8601, UTC */
extern void bk_json_add_bool(StringInfo json, const char *name, bool value);
extern void bk_json_add_jsonb(StringInfo json, const char *name, Jsonb *value);	/* NULL: leaves the member out */
extern void bk_json_end(StringInfo json);

/* An array of texts. */
extern void bk_json_begin_array(StringInfo json);
extern void bk_json_add_element(StringInfo json, const char *value);
extern void bk_json_end_array(StringInfo json);

/* The jsonb value of an object or array that was ended. */
extern Jsonb *bk_json_value(StringInfo json);

/* Objects of one member. */
extern Jsonb *bk_json_of_text(const char *name, const char *value);
extern Jsonb *bk_json_of_int64(const char *name, int64 value);

#endif							/* BK_JSON_TEXT_H */
