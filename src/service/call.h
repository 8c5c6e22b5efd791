/*
 * call.h
 *		One call of an entry function: for whom, and in which memory.
 */
#ifndef BK_CALL_H
#define BK_CALL_H

#include "common/common.h"

typedef struct BkCall
{
	Oid			role;			/* whose rights count: current_user of the caller */
	const char *role_name;
	BkMemory	memory;			/* current during the call, deleted at its end */
	MemoryContext result_memory;	/* the caller's, for what is returned */
} BkCall;

#endif							/* BK_CALL_H */
