/*
 * http_body.c
 *		Request bodies, and the checks of their fields.
 *
 * jsonb takes the last of two values under one key.  A request must not lose one
 * silently, so its text is read once more than jsonb would, for that alone.  What a
 * message says of a document is for the caller; the server's log gets the place.
 */
#include "functions/arguments.h"
#include "functions/json_action.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* The keys of one object that has not ended. */
typedef struct Level
{
	struct Level *outer;
	char	  **keys;
	int			count;
	int			size;
} Level;

static BK_JSON_ACTION
begin_object(void *state)
{
	Level	  **innermost = state;
	Level	   *level = palloc0(sizeof(Level));

	level->outer = *innermost;
	*innermost = level;
	BK_JSON_ACTION_DONE;
}

static BK_JSON_ACTION
begin_field(void *state, char *key, bool isnull)
{
	Level	   *level = *(Level **) state;

	if (level->count == level->size)
	{
		level->size = level->size ? level->size * 2 : 8;
		level->keys = level->keys ? repalloc_huge(level->keys, sizeof(char *) * level->size)
			: palloc(sizeof(char *) * level->size);
	}
	level->keys[level->count++] = key;
	BK_JSON_ACTION_DONE;
}

static int
compare_keys(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
check_unique(Level *level)
{
	qsort(level->keys, level->count, sizeof(char *), compare_keys);
	for (int i = 1; i < level->count; i++)
		if (strcmp(level->keys[i - 1], level->keys[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_JSON_OBJECT_KEY_VALUE),
					 errmsg("the body has a key twice in one object"),
					 errdetail("The key is \"%s\".", bk_shown_word(level->keys[i])),
					 errdetail_log("Which one is told to the caller alone."),
					 errhint("Send each key once; only one of the values could be kept.")));
}

static BK_JSON_ACTION
end_object(void *state)
{
	Level	  **innermost = state;
	Level	   *level = *innermost;

	check_unique(level);
	for (int i = 0; i < level->count; i++)
		pfree(level->keys[i]);
	if (level->keys)
		pfree(level->keys);
	*innermost = level->outer;
	pfree(level);
	BK_JSON_ACTION_DONE;
}

/* Where parsing has stopped, in characters from 1.  Where the text has ended there is no token. */
static char *
place(const JsonLexContext *lex)
{
	const char *stop = lex->token_start ? lex->token_start : lex->token_terminator;

	return psprintf("line %d, character %d", lex->line_number,
					pg_mbstrlen_with_len(lex->line_start, stop - lex->line_start) + 1);
}

static void
check_json(BkText text)
{
	Level	   *innermost = NULL;
	JsonSemAction actions = {
		.semstate = &innermost,
		.object_start = begin_object,
		.object_end = end_object,
		.object_field_start = begin_field,
	};
	JsonLexContext *lex = bk_json_lexer(text);
	JsonParseErrorType error = pg_parse_json(lex, &actions);

	if (error != JSON_SUCCESS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("the body is not valid JSON"),
				 errdetail("%s: %s", place(lex), bk_shown_word(json_errdetail(error, lex))),
				 errdetail_log("It ends to be so at %s.", place(lex))));
}

/* A document's text in the server's encoding. */
static BkText
decode(bytea *body)
{
	BkText		text = {VARDATA_ANY(body), VARSIZE_ANY_EXHDR(body)};
	char	   *converted;

	if (text.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the request has no body"),
				 errhint("Send a JSON object.")));
	converted = pg_any_to_server(text.data, text.len, PG_UTF8);
	if (converted != text.data)
		text = (BkText) {converted, strlen(converted)};
	return text;
}

static Jsonb *
make_jsonb(BkText text)
{
	char	   *json = MemoryContextAllocHuge(CurrentMemoryContext, text.len + 1);
	Jsonb	   *value;

	memcpy(json, text.data, text.len);
	json[text.len] = '\0';
	value = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));
	pfree(json);
	return value;
}

PG_FUNCTION_INFO_V1(bk_http_json);

/*
 * backup_service_http.json_of(body bytea) returns jsonb: the object that a request's bytes are.  Errors (22P02, 22021,
 * 22030, 22023) for what is no JSON, no UTF-8, has a key twice, or is no object.
 */
Datum
bk_http_json(PG_FUNCTION_ARGS)
{
	BkText		text = decode(PG_GETARG_BYTEA_PP(0));
	Jsonb	   *value;

	check_json(text);
	value = make_jsonb(text);
	if (!JB_ROOT_IS_OBJECT(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the body must be a JSON object")));
	PG_RETURN_JSONB_P(value);
}

PG_FUNCTION_INFO_V1(bk_http_check_name);

/* backup_service_http.check_name(value text, field text) returns text: the value, where it may name a resource */
Datum
bk_http_check_name(PG_FUNCTION_ARGS)
{
	char	   *value = bk_optional_resource_id(fcinfo, 0, text_to_cstring(PG_GETARG_TEXT_PP(1)));

	PG_RETURN_TEXT_P(cstring_to_text(value));
}

PG_FUNCTION_INFO_V1(bk_http_check_label);

/* backup_service_http.check_label(value text, field text) returns text: the value, where it may be a label */
Datum
bk_http_check_label(PG_FUNCTION_ARGS)
{
	char	   *value = bk_label_argument(fcinfo, 0, text_to_cstring(PG_GETARG_TEXT_PP(1)));

	PG_RETURN_TEXT_P(cstring_to_text(value));
}

PG_FUNCTION_INFO_V1(bk_http_shown);

/* backup_service_http.shown(word text) returns text: a caller's word as a message may show it */
Datum
bk_http_shown(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(bk_shown_word(text_to_cstring(PG_GETARG_TEXT_PP(0)))));
}
