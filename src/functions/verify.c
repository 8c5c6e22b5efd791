/*
 * verify.c
 *		bk_verify().
 */
#include "service/verify.h"

#include "functions/arguments.h"
#include "functions/entry.h"
#include "utils/builtins.h"
#include "utils/json.h"

static void
append_strings(StringInfo json, const char *name, List *strings)
{
	ListCell   *cell;

	appendStringInfo(json, "\"%s\": [", name);
	foreach(cell, strings)
	{
		if (cell != list_head(strings))
			appendStringInfoString(json, ", ");
		escape_json(json, lfirst(cell));
	}
	appendStringInfoString(json, "], ");
}

static void
append_bool(StringInfo json, const char *name, bool value, const char *after)
{
	appendStringInfo(json, "\"%s\": %s%s", name, value ? "true" : "false", after);
}

/* null where it could not be found out. */
static void
append_known(StringInfo json, const char *name, const BkVerdict *verdict, bool value, const char *after)
{
	if (verdict->incomplete)
		appendStringInfo(json, "\"%s\": null%s", name, after);
	else
		append_bool(json, name, value, after);
}

/* The object of the specification, with its names. */
static Datum
verdict_jsonb(const BkEntry *entry, const BkVerdict *verdict)
{
	MemoryContext memory = MemoryContextSwitchTo(entry->call.result_memory);
	StringInfoData json;
	Datum		result;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_bool(&json, "valid", bk_verdict_valid(verdict), ", ");
	append_strings(&json, "errors", verdict->errors);
	append_strings(&json, "warnings", verdict->warnings);
	append_bool(&json, "checksumValid", verdict->checksum_valid, ", ");
	append_known(&json, "structureValid", verdict, verdict->structure_valid, ", ");
	append_known(&json, "dataIntegrity", verdict, verdict->data_integrity, "}");
	result = DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
	MemoryContextSwitchTo(memory);
	return result;
}

/* bk_verify(backup_id bigint, resource_id text) returns jsonb */
BK_FUNCTION(bk_verify)
{
	int64		backup_id = bk_id_argument(fcinfo, 0, "backup_id");
	char	   *resource_id = bk_optional_resource_id(fcinfo, 1, "resource_id");
	BkVerdict	verdict;

	bk_verify_backup(&entry->call, backup_id, resource_id, &verdict);
	return verdict_jsonb(entry, &verdict);
}
