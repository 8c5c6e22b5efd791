/*
 * resource.h
 *		The table backup_service.resource: what is backed up, by whom, and the
 *		lock of its writers.
 */
#ifndef BK_CATALOG_RESOURCE_H
#define BK_CATALOG_RESOURCE_H

#include "catalog/statement.h"
#include "common/backup_types.h"
#include "datatype/timestamp.h"
#include "utils/array.h"

typedef struct BkResource
{
	char	   *resource_id;
	char	   *owner;
	TimestampTz last_backup_at;	/* created_at of the newest backup ever made */
	int64		backups_made;	/* ever, also those that are deleted */
	bool		is_new;			/* there is no row yet; the others are as if there was never a backup */

	/* where its chain of audit events ends */
	int64		audit_number;	/* 0: nowhere yet */
	uint8		audit_hash[BK_DIGEST_BYTES];

	/* histograms of all backups ever made (catalog/histogram.h); NULL is of none */
	ArrayType  *size_buckets;
	ArrayType  *duration_buckets;

	/* retention and the end */
	int32		cleanup_removed;	/* backups, by a run of clean-up that has not ended */
	TimestampTz cleanup_stopped_at; /* 0: it has not */
	bool		dropped;		/* only the audit trail is left */
} BkResource;

/* Read without a lock, in a view; false where there is none.  A dropped one is found. */
extern bool bk_resource_find(const char *resource_id, BkResource *resource);

/*
 * Become the resource's one writer until the transaction ends; false where there
 * is no such resource.  Waits for another writer; at REPEATABLE READ and above
 * one that committed since the transaction's snapshot is 40001.
 */
extern bool bk_resource_lock(const char *resource_id, BkResource *resource);

/* The same without waiting: false also where another session is the writer. */
extern bool bk_resource_try_lock(const char *resource_id, BkResource *resource);

/*
 * Make the row; the maker is its one writer.  False where another session was
 * faster.
 */
extern bool bk_resource_insert(const char *resource_id, const char *resource_type,
							   const char *owner, TimestampTz created_at);

/*
 * Note where the audit events of a locked resource end now, and how many bytes were
 * stored.  So its row is changed, and writers whose snapshot is older get 40001:
 * every change of its backups does this.
 */
extern void bk_resource_touch(const BkResource *resource, int64 bytes_stored);

/* Give a locked resource to another role. */
extern void bk_resource_set_owner(const char *resource_id, const char *owner);

/* Note how far clean-up of a locked resource has come. */
extern void bk_resource_set_cleanup(const char *resource_id, int32 removed, TimestampTz stopped_at);

/* What is left of a locked resource: the row, and the chain of its events; later a role makes it its own. */
extern void bk_resource_set_dropped(const char *resource_id, TimestampTz dropped_at);
extern void bk_resource_revive(const char *resource_id, const char *owner, TimestampTz created_at);

/* One of a page of resources. */
typedef struct BkResourceEntry
{
	char	   *resource_id;
	char	   *owner;
	bool		may_expire;		/* it has a policy, or a backup whose own retention has ended; clean-up has not stopped */
} BkResourceEntry;

/* The resources after one ("": from the first), those that were dropped left out, in a view; at most limit. */
extern int	bk_resource_find_after(const char *resource_id, TimestampTz now, int limit, BkResourceEntry **entries);

/* How many resources clean-up has stopped at, in a view. */
extern int64 bk_resource_count_stopped(void);

#endif							/* BK_CATALOG_RESOURCE_H */
