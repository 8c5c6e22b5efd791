/*
 * watch.c
 *		Hearing of changes of tables by the server's invalidation messages.
 */
#include "catalog/watch.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/statement.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"

static BkWatch *watches;

static void
forget_all(void)
{
	for (BkWatch *watch = watches; watch; watch = watch->next)
		watch->fresh = false;
}

static void
forget_on_invalidation(Datum argument, Oid relation)
{
	for (BkWatch *watch = watches; watch; watch = watch->next)
		if (relation == watch->relation || relation == InvalidOid)
			watch->fresh = false;
}

static void
forget_on_abort(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_ABORT)
		forget_all();
}

static void
forget_on_subabort(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *argument)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_all();
}

/* Once for each watch; once for all the callbacks. */
static void
add(BkWatch *watch)
{
	for (BkWatch *known = watches; known; known = known->next)
		if (known == watch)
			return;
	if (watches == NULL)
	{
		CacheRegisterRelcacheCallback(forget_on_invalidation, (Datum) 0);
		RegisterXactCallback(forget_on_abort, NULL);
		RegisterSubXactCallback(forget_on_subabort, NULL);
	}
	watch->next = watches;
	watches = watch;
}

static Oid
relation_of(const BkWatch *watch)
{
	return get_relname_relid(watch->table, get_namespace_oid("backup_service", false));
}

void
bk_watch_begin(BkWatch *watch)
{
	add(watch);
	watch->relation = relation_of(watch);
	watch->fresh = !IsolationUsesXactSnapshot() && !bk_may_be_distributed();
}

void
bk_watch_announce(BkWatch *watch)
{
	CacheInvalidateRelcacheByRelid(relation_of(watch));
	watch->fresh = false;
}
