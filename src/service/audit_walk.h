/*
 * audit_walk.h
 *		Walks over all chains, and over all of one.
 */
#ifndef BK_AUDIT_WALK_H
#define BK_AUDIT_WALK_H

#include "service/audit_chain.h"
#include "service/call.h"

/* The first thing that is wrong with a chain's links. */
typedef struct BkBrokenLink
{
	BkLink		link;			/* BK_LINK_GOOD where none is broken */
	int64		number;			/* of that event; of the chain's last for the checkpoint */
	bool		checkpoint_holds;	/* said only where no link is broken */
} BkBrokenLink;

/* Go to the end of a chain, broken or not; true where all is well. */
extern bool bk_chain_walk(BkChain *chain, BkBrokenLink *broken);

/* Do something for every resource's chain, in order of resource_id, in a view. */
extern void bk_chain_for_each(const BkCall *call, void (*work) (const char *resource_id, void *argument), void *argument);

#endif							/* BK_AUDIT_WALK_H */
