/*
 * init.c
 *		What of the worker is set up when the library is loaded.
 */
#include "worker/worker.h"

#include "service/roster.h"
#include "service/spawn.h"

void
bk_worker_init(void)
{
	bk_statements_watch();
	if (!process_shared_preload_libraries_in_progress)
		return;
	bk_roster_preload();
	/* pg_upgrade wants nobody to change anything. */
	if (!IsBinaryUpgrade)
		bk_spawn_launcher();
}
