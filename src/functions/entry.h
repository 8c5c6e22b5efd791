/*
 * entry.h
 *		What every entry function that knows the catalog is wrapped in.
 *
 * BK_FUNCTION(bk_name) { ... } defines the entry function of the SQL function
 * bk_name.  Its body has fcinfo and a BkEntry *entry, and runs as the extension's
 * owner, with a search_path of pg_catalog alone and SPI connected, so that callers
 * need no privilege on the tables and cannot plant an operator.  What it returns
 * lives in entry->call.result_memory.  An error that leaves it is noted in the
 * server's log as a failed attempt (service/audit_log.h); then the abort of the
 * (sub)transaction puts back role and settings, as it does for SECURITY DEFINER.
 */
#ifndef BK_ENTRY_H
#define BK_ENTRY_H

#include "document/document.h"
#include "service/call.h"

#include "fmgr.h"
#include "utils/jsonb.h"

typedef struct BkEntry
{
	BkCall		call;
	BkAttempt	attempt;
	Oid			saved_role;
	int			saved_context;
	int			saved_guc_level;
} BkEntry;

typedef Datum (*BkBody) (FunctionCallInfo fcinfo, BkEntry *entry);

/* Run a body as described above; name is the SQL function's. */
extern Datum bk_run(FunctionCallInfo fcinfo, const char *name, BkBody body);

#define BK_FUNCTION(name) \
	PG_FUNCTION_INFO_V1(name); \
	static Datum name##_body(FunctionCallInfo fcinfo, BkEntry *entry); \
	Datum \
	name(PG_FUNCTION_ARGS) \
	{ \
		return bk_run(fcinfo, #name, name##_body); \
	} \
	static Datum \
	name##_body(FunctionCallInfo fcinfo, BkEntry *entry)

/* The jsonb value of a document read from a backup, in the caller's memory. */
extern Datum bk_result_jsonb(const BkEntry *entry, const BkDocument *document, int64 backup_id);

/* A row of the function's own result type, in the caller's memory. */
extern Datum bk_result_row(FunctionCallInfo fcinfo, const BkEntry *entry, Datum *values, bool *nulls);

#endif							/* BK_ENTRY_H */
