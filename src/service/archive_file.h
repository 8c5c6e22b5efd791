/*
 * archive_file.h
 *		Archives of one backup, as files below the data directory.
 */
#ifndef BK_SERVICE_ARCHIVE_FILE_H
#define BK_SERVICE_ARCHIVE_FILE_H

#include "catalog/backup.h"
#include "service/keys.h"

/* Below the data directory, mode 0700; each database has a directory of its own in it. */
#define BK_ARCHIVE_DIRECTORY	"backup_service_archive"

/* The path of a file of this database's by its name, relative to the data directory, in the current memory context. */
extern char *bk_archive_path(const char *name);

/*
 * Write the archive of a backup to a path that bk_archive_path() gave, in a view.  Nobody but the server's user can read it.  A
 * backup that is damaged is XX001, and leaves no file.
 */
extern void bk_archive_write_file(BkKeys *keys, const BkBackup *backup, const char *path);

/* Remove a file; one that is gone is none of our business. */
extern void bk_archive_remove_file(const char *path);

/* Remove what processes that are no more have left of this database's. */
extern void bk_archive_remove_files(void);

#endif							/* BK_SERVICE_ARCHIVE_FILE_H */
