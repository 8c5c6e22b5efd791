/*
 * audit_chain.h
 *		A walk along one chain of audit events, from its beginning or its
 *		checkpoint, that checks each link and knows what the trail says of the
 *		resource so far: its owner, and the backups it has.
 */
#ifndef BK_AUDIT_CHAIN_H
#define BK_AUDIT_CHAIN_H

#include "catalog/backup.h"
#include "catalog/checkpoint.h"
#include "catalog/event.h"
#include "service/audit_keys.h"

typedef struct BkChain BkChain;

typedef enum BkLink
{
	BK_LINK_GOOD,
	BK_LINK_MISSING,			/* events before this one are not there */
	BK_LINK_CHANGED,			/* it is not what its hash is over */
	BK_LINK_ADDED,				/* its number is none that the chain has from here on */
	BK_LINK_NONE				/* the chain has no more events, or none before the time */
} BkLink;

/* What the trail says of a backup's row. */
typedef enum BkBackupTrail
{
	BK_TRAIL_AGREES,
	BK_TRAIL_OLDER,				/* the row is what the backup was earlier */
	BK_TRAIL_DELETED,			/* the backup was deleted */
	BK_TRAIL_DIFFERS,			/* the backup was never so */
	BK_TRAIL_UNKNOWN			/* there was no such backup */
} BkBackupTrail;

/* Begin, in a view that stays open. */
extern BkChain *bk_chain_open(BkMemory memory, const char *resource_id);

/*
 * Take the next event that is older than a time (DT_NOEND: of whatever time), good or
 * not.  *number is its number, or the first that is missing before it.
 */
extern BkLink bk_chain_next(BkChain *chain, TimestampTz before, int64 *number);

/* The last event taken, or the one the chain goes on from; 0 and zeros for none. */
extern int64 bk_chain_number(const BkChain *chain);
extern const uint8 *bk_chain_hash(const BkChain *chain);

/* The owner; NULL where no event told it. */
extern const char *bk_chain_owner(const BkChain *chain);

/* Whether the events agree that the resource is dropped, or is not; they do where trimming has left none of that. */
extern bool bk_chain_says_dropped(const BkChain *chain, bool dropped);

/* At the chain's end: is the checkpoint the one that the last trimming made? */
extern bool bk_chain_checkpoint_holds(const BkChain *chain);

/* What the events say of the versions of the master key; NULL of a resource's chain. */
extern BkKeyTrail *bk_chain_keys(const BkChain *chain);

/* Whether no event was trimmed off it. */
extern bool bk_chain_is_whole(const BkChain *chain);

/* Compare a backup's row with the trail, and note that it was seen. */
extern BkBackupTrail bk_chain_compare(BkChain *chain, const BkBackup *backup);

/* The backups that there should be, and that no row was compared with. */
extern int	bk_chain_unseen(BkChain *chain, int64 **ids);

/* What a chain without the events taken so far will go on from. */
extern void bk_chain_make_checkpoint(BkChain *chain, BkCheckpoint *checkpoint);

#endif							/* BK_AUDIT_CHAIN_H */
