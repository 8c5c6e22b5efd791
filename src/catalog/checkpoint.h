/*
 * checkpoint.h
 *		The table audit_checkpoint: what a trimmed chain goes on from.
 */
#ifndef BK_CATALOG_CHECKPOINT_H
#define BK_CATALOG_CHECKPOINT_H

#include "catalog/statement.h"
#include "common/backup_types.h"

typedef struct BkCheckpoint
{
	const char *resource_id;
	int64		number;			/* of the last event that was trimmed */
	uint8		hash[BK_DIGEST_BYTES];	/* its hash */
	const char *owner;			/* of the resource, as of then */
	BkText		backups;		/* ids and states of its backups, as of then (service/audit_chain.c) */
	bool		malformed;		/* the row holds what is never written */
} BkCheckpoint;

/* Read a chain's checkpoint, in a view; false where its beginning is there. */
extern bool bk_checkpoint_find(const char *resource_id, BkCheckpoint *checkpoint);

/* Set it, in place of an older one. */
extern void bk_checkpoint_set(const BkCheckpoint *checkpoint);

#endif							/* BK_CATALOG_CHECKPOINT_H */
