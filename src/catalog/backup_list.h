/*
 * backup_list.h
 *		Listing backups: rows of the view bk_backups, by filters.
 */
#ifndef BK_CATALOG_BACKUP_LIST_H
#define BK_CATALOG_BACKUP_LIST_H

#include "catalog/statement.h"
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
	Oid			reader;			/* whose resources: those of roles whose privileges it has */
	bool		all_owners;		/* or everybody's */
} BkBackupFilter;

/* Put the matching rows, newest first, in a view, into rows. */
extern void bk_backup_list(const BkBackupFilter *filter, Tuplestorestate *rows);

#endif							/* BK_CATALOG_BACKUP_LIST_H */
