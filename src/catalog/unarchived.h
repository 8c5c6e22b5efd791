/*
 * unarchived.h
 *		The column archived_at of backups: which have a copy outside.
 */
#ifndef BK_CATALOG_UNARCHIVED_H
#define BK_CATALOG_UNARCHIVED_H

#include "catalog/backup.h"
#include "datatype/timestamp.h"

/* What is known of a backup that has one, also when its row is gone; backup_id is 0 for none. */
typedef struct BkArchived
{
	int64		backup_id;
	TimestampTz created_at;
	int64		number;			/* as in the row */
} BkArchived;

/* The oldest backup without one, so that a base comes before what builds on it, in a view; those that are corrupt are left out. */
extern bool bk_unarchived_find(char **resource_id, int64 *backup_id);

/* How many there are, counted up to limit, and since when the oldest of these is, in a view. */
extern int64 bk_unarchived_count(int limit, TimestampTz *oldest);

/* A backup of a locked resource, be it deleted by now, has one. */
extern void bk_unarchived_set(const char *resource_id, const BkArchived *archived, TimestampTz archived_at);

/*
 * The newest backup that has one of those older than a backup, in a view: told by their rows, and where the row is
 * gone by what the resource has noted.
 */
extern void bk_unarchived_find_previous(const BkBackup *backup, BkArchived *previous);

#endif							/* BK_CATALOG_UNARCHIVED_H */
