/*
 * worker.c
 *		bk_worker_start().  Who may call it is a matter of EXECUTE.
 */
#include "common/common.h"

#include "fmgr.h"
#include "functions/arguments.h"
#include "service/spawn.h"

PG_FUNCTION_INFO_V1(bk_worker_start);

/* bk_worker_start() returns integer */
Datum
bk_worker_start(PG_FUNCTION_ARGS)
{
	/* The worker would wait for the end of recovery, and the caller for the worker. */
	bk_check_can_write("bk_worker_start()", NULL);
	PG_RETURN_INT32(bk_spawn_worker_here());
}
