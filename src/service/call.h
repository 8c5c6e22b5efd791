/*
 * call.h
 *		One call of an entry function: for whom, and in which memory.
 */
#ifndef BK_CALL_H
#define BK_CALL_H

#include "common/common.h"

/* What a call is about, as far as it has come: noted for the log, should it fail. */
typedef struct BkAttempt
{
	const char *resource_id;	/* NULL: not known yet */
	int64		backup_id;		/* 0: not known yet, or none */
	bool		denied;			/* it is there, but not for the caller */
} BkAttempt;

typedef struct BkCall
{
	const char *function;		/* the SQL function's name */
	BkAttempt  *attempt;
	Oid			role;			/* whose rights count: current_user of the caller */
	const char *role_name;
	const char *session_role_name;
	BkMemory	memory;			/* current during the call, deleted at its end */
	MemoryContext result_memory;	/* the caller's, for what is returned */
} BkCall;

#endif							/* BK_CALL_H */
