/*
 * watch.h
 *		Remembering for the session what a small table of the extension says, until it
 *		may have changed.
 *
 * Whoever changes the table announces it, and every session hears of it at the commit.  What
 * is remembered is also forgotten when a transaction or subtransaction aborts, which may have taken
 * back the rows.
 */
#ifndef BK_WATCH_H
#define BK_WATCH_H

#include "common/common.h"

typedef struct BkWatch
{
	const char *table;			/* its name, in schema backup_service */
	Oid			relation;
	bool		fresh;			/* what is remembered still holds */
	struct BkWatch *next;
} BkWatch;

/* What is remembered still holds. */
static inline bool
bk_watch_is_fresh(const BkWatch *watch)
{
	return watch->fresh;
}

/*
 * The caller reads the table now, and remembers.  At REPEATABLE READ and above that does not count: an old snapshot
 * may hide a change whose news have come already.  Nor does it where there may be other nodes: their news do not come.
 */
extern void bk_watch_begin(BkWatch *watch);

/* The transaction has changed the table. */
extern void bk_watch_announce(BkWatch *watch);

#endif							/* BK_WATCH_H */
