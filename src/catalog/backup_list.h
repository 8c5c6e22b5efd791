/*
 * backup_list.h
 *		Listing backups: rows of the view bk_backups, by filters.
 */
#ifndef BK_CATALOG_BACKUP_LIST_H
#define BK_CATALOG_BACKUP_LIST_H

#include "catalog/owners.h"
#include "datatype/timestamp.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

typedef struct BkBackupFilter
{
	const char *resource_id;	/* NULL matches everything, as the next three */
	const char *resource_type;
	const char *type;
	Jsonb	   *tags;			/* contained in the backup's */
	TimestampTz since;			/* created_at from, inclusive */
	TimestampTz until;			/* created_at to, exclusive */
	TimestampTz before;			/* only what follows (before, before_id) in the list */
	int64		before_id;
	int32		max_rows;
	BkOwners	owners;
} BkBackupFilter;

/* Put the matching rows, newest first, in a view, into rows. */
extern void bk_backup_list(const BkBackupFilter *filter, Tuplestorestate *rows);

/* Put the row of one backup, in a view, into rows, where it is there and is one of the owners'. */
extern void bk_backup_show(int64 backup_id, const BkOwners *owners, Tuplestorestate *rows);

/* How many match, in a view; max_rows is of no account. */
extern int64 bk_backup_count(const BkBackupFilter *filter);

#endif							/* BK_CATALOG_BACKUP_LIST_H */
