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
	append_bool(&json, "structureValid", verdict->structure_valid, ", ");
	append_bool(&json, "dataIntegrity", verdict->data_integrity, "}");
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
