/*
 * record.h
 *		What a new backup leaves in the catalog beside its chunks: its row, and
 *		its place in the resource's row and in the timeline.
 */
#ifndef BK_CATALOG_RECORD_H
#define BK_CATALOG_RECORD_H

#include "catalog/backup.h"
#include "catalog/event.h"
#include "catalog/resource.h"

/*
 * Insert a backup's row, its chunk where that is the only one (else NULL), where
 * wanted a notice of it, and record it in its resource's row, timeline and chain of
 * audit events, which the event ends.  All in one statement, since each one costs as much as all that a small
 * backup's payload does.  The resource is locked, or new: then its row is made too.
 * Returns how many backups the resource has ever had; 0, and nothing is written, where
 * another session has made a new one first.
 */
extern int64 bk_record_backup(const BkBackup *backup, const BkEvent *event, const BkText *chunk,
							  const BkResource *resource, bool notify);

#endif							/* BK_CATALOG_RECORD_H */
