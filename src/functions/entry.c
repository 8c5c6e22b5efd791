/*
 * entry.c
 *		Role, settings, memory and SPI around an entry function.
 */
#include "functions/entry.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "document/document.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "service/audit_log.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* Who owns the function that is called: the extension's owner. */
static Oid
function_owner(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return owner;
}

/* Who has logged in; nothing where that role was dropped meanwhile. */
static char *
session_role_name(BkMemory memory)
{
	char	   *name = GetUserNameFromId(GetSessionUserId(), true);

	return MemoryContextStrdup(memory, name ? name : "");
}

/* Until leave(), or an error. */
static void
set_for_call(const char *setting, const char *value)
{
	(void) set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* In the order that lets a failure at any point be undone by the abort. */
static void
enter(FunctionCallInfo fcinfo, const char *name, BkEntry *entry)
{
	BkCall	   *call = &entry->call;

	memset(entry, 0, sizeof(*entry));
	call->function = name;
	call->attempt = &entry->attempt;
	call->role = GetUserId();
	call->result_memory = CurrentMemoryContext;
	call->memory = bk_memory_new(CurrentMemoryContext, "backup_service call");
	call->role_name = MemoryContextStrdup(call->memory, GetUserNameFromId(call->role, false));
	call->session_role_name = session_role_name(call->memory);

	entry->saved_guc_level = NewGUCNestLevel();
	set_for_call("search_path", "pg_catalog, pg_temp");
	/*
	 * A plan that was kept since the catalog was small must not read it whole when it is large, nor lock it whole
	 * for a SERIALIZABLE transaction that touches one resource.
	 */
	set_for_call("enable_seqscan", "off");
	/* The planner's price for one that cannot be avoided is such that it would be compiled. */
	set_for_call("jit", "off");
	GetUserIdAndSecContext(&entry->saved_role, &entry->saved_context);
	SetUserIdAndSecContext(function_owner(fcinfo->flinfo->fn_oid),
						   entry->saved_context | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(call->memory);
}

static void
leave(BkEntry *entry)
{
	SPI_finish();
	SetUserIdAndSecContext(entry->saved_role, entry->saved_context);
	AtEOXact_GUC(true, entry->saved_guc_level);
	MemoryContextSwitchTo(entry->call.result_memory);
	bk_memory_delete(entry->call.memory);
}

Datum
bk_run(FunctionCallInfo fcinfo, const char *name, BkBody body)
{
	BkEntry		entry;
	Datum		result = (Datum) 0;

	enter(fcinfo, name, &entry);
	PG_TRY();
	{
		result = body(fcinfo, &entry);
	}
	PG_CATCH();
	{
		bk_log_failure(&entry.call);
		PG_RE_THROW();
	}
	PG_END_TRY();
	leave(&entry);
	return result;
}

Datum
bk_result_jsonb(const BkEntry *entry, const BkDocument *document, int64 backup_id)
{
	MemoryContext memory = MemoryContextSwitchTo(entry->call.result_memory);
	Jsonb	   *value = bk_document_build(document, (BkOrigin) {backup_id});

	MemoryContextSwitchTo(memory);
	return JsonbPGetDatum(value);
}

Datum
bk_result_row(FunctionCallInfo fcinfo, const BkEntry *entry, Datum *values, bool *nulls)
{
	MemoryContext memory = MemoryContextSwitchTo(entry->call.result_memory);
	TupleDesc	descriptor;
	Datum		row;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "%s() gives no row", entry->call.function);
	row = HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
	MemoryContextSwitchTo(memory);
	return row;
}
