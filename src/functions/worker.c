/*
 * worker.c
 *		bk_worker_start(), and the wake-up that the install script asks for.
 */
#include "common/common.h"

#include "fmgr.h"
#include "service/spawn.h"
#include "service/wake.h"

PG_FUNCTION_INFO_V1(bk_worker_start);
PG_FUNCTION_INFO_V1(bk_worker_wake);

/* bk_worker_start() returns integer */
Datum
bk_worker_start(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(bk_spawn_worker_here());
}

/* backup_service.wake_worker() returns void */
Datum
bk_worker_wake(PG_FUNCTION_ARGS)
{
	bk_wake_worker();
	PG_RETURN_VOID();
}
