/*
 * backup_row.h
 *		A backup as a row of the view bk_backups.
 */
#ifndef BK_BACKUP_ROW_H
#define BK_BACKUP_ROW_H

#include "catalog/backup.h"
#include "functions/entry.h"

/* The row as the result of a function that returns bk_backups, in the caller's memory. */
extern Datum bk_backup_row(FunctionCallInfo fcinfo, const BkEntry *entry, const BkBackup *backup);

#endif							/* BK_BACKUP_ROW_H */
