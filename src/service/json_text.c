/*
 * json_text.c
 *		A small JSON object as text.
 */
#include "service/json_text.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

void
bk_json_begin(StringInfo json)
{
	initStringInfo(json);
	appendStringInfoChar(json, '{');
}

static void
add_name(StringInfo json, const char *name)
{
	if (json->len > 1)
		appendStringInfoString(json, ", ");
	appendStringInfo(json, "\"%s\": ", name);
}

void
bk_json_add_text(StringInfo json, const char *name, const char *value)
{
	if (value == NULL)
		return;
	add_name(json, name);
	escape_json(json, value);
}

void
bk_json_add_int64(StringInfo json, const char *name, int64 value)
{
	add_name(json, name);
	appendStringInfo(json, INT64_FORMAT, value);
}

void
bk_json_add_time(StringInfo json, const char *name, TimestampTz value)
{
	static const int utc = 0;
	char		text[MAXDATELEN + 1];

	JsonEncodeDateTime(text, TimestampTzGetDatum(value), TIMESTAMPTZOID, &utc);
	bk_json_add_text(json, name, text);
}

void
bk_json_add_bool(StringInfo json, const char *name, bool value)
{
	add_name(json, name);
	appendStringInfoString(json, value ? "true" : "false");
}

void
bk_json_add_jsonb(StringInfo json, const char *name, Jsonb *value)
{
	if (value == NULL)
		return;
	add_name(json, name);
	JsonbToCString(json, &value->root, VARSIZE(value));
}

void
bk_json_end(StringInfo json)
{
	appendStringInfoChar(json, '}');
}

void
bk_json_begin_array(StringInfo json)
{
	initStringInfo(json);
	appendStringInfoChar(json, '[');
}

void
bk_json_add_element(StringInfo json, const char *value)
{
	if (json->len > 1)
		appendStringInfoString(json, ", ");
	escape_json(json, value);
}

void
bk_json_end_array(StringInfo json)
{
	appendStringInfoChar(json, ']');
}

Jsonb *
bk_json_value(StringInfo json)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json->data)));
}

Jsonb *
bk_json_of_text(const char *name, const char *value)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_text(&json, name, value);
	bk_json_end(&json);
	return bk_json_value(&json);
}

Jsonb *
bk_json_of_int64(const char *name, int64 value)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_int64(&json, name, value);
	bk_json_end(&json);
	return bk_json_value(&json);
}
