/*
 * archive_entry.h
 *		Rows of the catalog as an archive has them.
 */
#ifndef BK_SERVICE_ARCHIVE_ENTRY_H
#define BK_SERVICE_ARCHIVE_ENTRY_H

#include "archive/archive.h"
#include "catalog/backup.h"
#include "catalog/snapshot.h"
#include "service/keys.h"

/* A server's text as UTF-8 in the current memory context, and NULL as null. */
extern BkText bk_archive_text(const char *text);

/* A backup's row, but for its base's time and for its point; in the current memory context. */
extern void bk_archive_fill_backup(const BkBackup *backup, BkArchiveEntry *entry);

/* The point of a backup, or of one that is gone. */
extern void bk_archive_fill_point(const BkPoint *point, BkArchiveEntry *entry);

/* The keys of an archive of these backups, in memory: the active one, which seals it, and theirs in order. */
extern void bk_archive_fill_keys(BkKeys *keys, const BkBackup *backups, int count, BkArchive *archive);

#endif							/* BK_SERVICE_ARCHIVE_ENTRY_H */
