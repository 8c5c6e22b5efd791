/*
 * json_action.h
 *		PostgreSQL's JSON parser, whose interface differs between its versions.
 *
 * An action is declared BK_JSON_ACTION and ends with BK_JSON_ACTION_DONE.
 */
#ifndef BK_JSON_ACTION_H
#define BK_JSON_ACTION_H

#include "common/common.h"

#include "common/jsonapi.h"
#include "mb/pg_wchar.h"

#if PG_VERSION_NUM >= 160000
#define BK_JSON_ACTION			JsonParseErrorType
#define BK_JSON_ACTION_DONE		return JSON_SUCCESS
#else
#define BK_JSON_ACTION			void
#define BK_JSON_ACTION_DONE		return
#endif

/* A lexer of a text in the server's encoding, which unescapes what it gives. */
static inline JsonLexContext *
bk_json_lexer(BkText text)
{
#if PG_VERSION_NUM >= 170000
	return makeJsonLexContextCstringLen(NULL, text.data, text.len, GetDatabaseEncoding(), true);
#else
	return makeJsonLexContextCstringLen(unconstify(char *, text.data), text.len, GetDatabaseEncoding(), true);
#endif
}

#endif							/* BK_JSON_ACTION_H */
