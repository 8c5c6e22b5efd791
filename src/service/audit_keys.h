/*
 * audit_keys.h
 *		What the keys' chain says of the versions of the master key, and whether
 *		the catalog has them so.
 */
#ifndef BK_AUDIT_KEYS_H
#define BK_AUDIT_KEYS_H

#include "catalog/event.h"

typedef struct BkKeyTrail BkKeyTrail;

extern BkKeyTrail *bk_key_trail_open(MemoryContext memory);

/* Let it know of an event of the keys' chain, in order. */
extern void bk_key_trail_replay(BkKeyTrail *trail, const BkEvent *event);

/*
 * Compare it with the table, in a view, and tell each difference.  Of a chain that is not whole, since its beginning
 * was trimmed, versions may be unknown: these must not be active once a later one was made.
 */
extern void bk_key_trail_compare(BkKeyTrail *trail, bool whole, void (*tell) (void *context, const char *problem),
								 void *context);

#endif							/* BK_AUDIT_KEYS_H */
