/*
 * record.h
 *		What a new backup leaves in the catalog beside its payload: its place in
 *		the resource's row and in the timeline.
 */
#ifndef BK_CATALOG_RECORD_H
#define BK_CATALOG_RECORD_H

#include "catalog/backup.h"

/*
 * Record a backup whose row and chunks are there, in its locked resource's row and
 * timeline.  Returns how many backups the resource has ever had.
 */
extern int64 bk_record_backup(const BkBackup *backup);

/*
 * The same with the row and its only chunk: everything in one statement, since each
 * one costs as much as all that a small backup's payload does.
 */
extern int64 bk_record_backup_with_chunk(const BkBackup *backup, BkText chunk);

#endif							/* BK_CATALOG_RECORD_H */
