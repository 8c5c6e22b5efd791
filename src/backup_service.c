/*
 * backup_service.c
 *		The module's entry point: an index of what is set up when it is loaded.
 */
#include "service/loss.h"
#include "settings.h"
#include "worker/worker.h"

#include "fmgr.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	bk_settings_init();
	bk_loss_watch();
	bk_worker_init();
}
