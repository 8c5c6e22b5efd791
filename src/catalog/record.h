/*
 * record.h
 *		What a new backup leaves in the catalog beside its chunks: its row, and
 *		its place in the resource's row and in the timeline.
 */
#ifndef BK_CATALOG_RECORD_H
#define BK_CATALOG_RECORD_H

#include "catalog/backup.h"
#include "catalog/event.h"

/*
 * Insert a backup's row, and record it in its locked resource's row, timeline and
 * chain of audit events, which the event ends.  All in one statement, since each one costs as much as all that a small backup's
 * payload does.  Returns how many backups the resource has ever had.
 */
extern int64 bk_record_backup(const BkBackup *backup, const BkEvent *event);

/* The same with the backup's only chunk. */
extern int64 bk_record_backup_with_chunk(const BkBackup *backup, const BkEvent *event, BkText chunk);

#endif							/* BK_CATALOG_RECORD_H */
