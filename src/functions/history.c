/*
 * history.c
 *		bk_history().
 */
#include "service/history.h"

#include "document/document.h"
#include "funcapi.h"
#include "functions/arguments.h"
#include "functions/entry.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* One row to come, kept until it is asked for. */
typedef struct Row
{
	int64		backup_id;
	TimestampTz created_at;
	Jsonb	   *value;			/* NULL where the value was not there */
} Row;

static Row *
make_rows(MemoryContext memory, const BkHistoryEntry *entries, int count)
{
	MemoryContext old = MemoryContextSwitchTo(memory);
	Row		   *rows = palloc(sizeof(Row) * Max(count, 1));

	for (int i = 0; i < count; i++)
	{
		rows[i].backup_id = entries[i].backup_id;
		rows[i].created_at = entries[i].created_at;
		rows[i].value = entries[i].value.data == NULL ? NULL
			: bk_document_to_jsonb(entries[i].value, (BkOrigin) {entries[i].backup_id});
	}
	MemoryContextSwitchTo(old);
	return rows;
}

/* The whole history, found at the first call. */
static Datum
find_history(FunctionCallInfo fcinfo, BkEntry *entry)
{
	FuncCallContext *context = fcinfo->flinfo->fn_extra;
	BkHistoryEntry *entries;
	char	   *resource_id = bk_resource_id_argument(fcinfo, 0, "resource_id");
	char	   *path;

	bk_check_not_null(fcinfo, 1, "path");
	path = bk_optional_text(fcinfo, 1);
	path = pg_server_to_any(path, strlen(path), PG_UTF8);
	context->max_calls = bk_value_history(&entry->call, resource_id, (BkText) {path, strlen(path)}, &entries);
	context->user_fctx = make_rows(context->multi_call_memory_ctx, entries, context->max_calls);
	return (Datum) 0;
}

static void
start(FunctionCallInfo fcinfo, FuncCallContext *context)
{
	TupleDesc	descriptor;
	MemoryContext old;

	(void) bk_run(fcinfo, "bk_history", find_history);

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	old = MemoryContextSwitchTo(context->multi_call_memory_ctx);
	context->tuple_desc = BlessTupleDesc(CreateTupleDescCopy(descriptor));
	MemoryContextSwitchTo(old);
}

PG_FUNCTION_INFO_V1(bk_history);

/* bk_history(resource_id text, path text) returns table (backup_id bigint, created_at timestamptz, value jsonb) */
Datum
bk_history(PG_FUNCTION_ARGS)
{
	FuncCallContext *context;
	Row		   *row;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	if (SRF_IS_FIRSTCALL())
		start(fcinfo, SRF_FIRSTCALL_INIT());
	context = SRF_PERCALL_SETUP();
	if (context->call_cntr >= context->max_calls)
		SRF_RETURN_DONE(context);

	row = &((Row *) context->user_fctx)[context->call_cntr];
	values[0] = Int64GetDatum(row->backup_id);
	values[1] = TimestampTzGetDatum(row->created_at);
	values[2] = PointerGetDatum(row->value);
	nulls[2] = row->value == NULL;
	SRF_RETURN_NEXT(context, HeapTupleGetDatum(heap_form_tuple(context->tuple_desc, values, nulls)));
}
