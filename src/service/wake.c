/*
 * wake.c
 *		What a transaction has asked for, until it ends.
 */
#include "common/common.h"
#include "service/wake.h"

#include "access/xact.h"
#include "service/roster.h"

static bool registered;
static bool worker_wanted;
static bool launcher_wanted;

/* Others see what was committed before this is called. */
static void
at_end(XactEvent event, void *argument)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			if (launcher_wanted)
				bk_roster_rescan();
			if (worker_wanted)
				bk_roster_wake(MyDatabaseId);
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			break;
		default:
			return;
	}
	worker_wanted = launcher_wanted = false;
}

static bool
can_ask(void)
{
	if (!bk_roster_attach())
		return false;
	if (!registered)
		RegisterXactCallback(at_end, NULL);
	registered = true;
	return true;
}

void
bk_wake_worker(void)
{
	if (!worker_wanted)
		worker_wanted = can_ask();
}

void
bk_wake_launcher(void)
{
	if (!launcher_wanted)
		launcher_wanted = can_ask();
}
