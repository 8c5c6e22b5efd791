/*
 * entry.h
 *		What every entry function does first and last.
 *
 * Between bk_enter() and bk_leave() the function runs as the extension's owner,
 * with a search_path of pg_catalog alone, so that callers need no privilege on the
 * tables and cannot plant an operator.  After an error, the abort of the
 * (sub)transaction puts back role and settings, as it does for SECURITY DEFINER.
 */
#ifndef BK_ENTRY_H
#define BK_ENTRY_H

#include "service/call.h"

#include "fmgr.h"
#include "utils/jsonb.h"

typedef struct BkEntry
{
	BkCall		call;
	Oid			saved_role;
	int			saved_context;
	int			saved_guc_level;
} BkEntry;

extern void bk_enter(FunctionCallInfo fcinfo, BkEntry *entry);
extern void bk_leave(BkEntry *entry);

/* The jsonb value of a document read from a backup, in the caller's memory. */
extern Datum bk_result_jsonb(const BkEntry *entry, BkText document, int64 backup_id);

#endif							/* BK_ENTRY_H */
