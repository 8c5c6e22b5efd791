/*
 * worker.c
 *		bk_worker_start().  Who may call it is a matter of EXECUTE.
 */
#include "common/common.h"

#include "fmgr.h"
#include "service/spawn.h"

PG_FUNCTION_INFO_V1(bk_worker_start);

/* bk_worker_start() returns integer */
Datum
bk_worker_start(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(bk_spawn_worker_here());
}
