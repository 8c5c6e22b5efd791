/*
 * verification.h
 *		The columns status and verified_at of backups: which were verified when,
 *		and what was found.
 */
#ifndef BK_CATALOG_VERIFICATION_H
#define BK_CATALOG_VERIFICATION_H

#include "catalog/backup.h"

/* A backup to verify. */
typedef struct BkCandidate
{
	char	   *resource_id;
	int64		backup_id;
} BkCandidate;

/*
 * The backups that were verified longest ago, and before a time: those never verified first, and
 * chains in their order; in a view.  Reads the whole table; at most limit.
 */
extern int	bk_verification_find_oldest(TimestampTz before, int limit, BkCandidate **candidates);

/* Set a backup's status, and when that was found, whatever its payload. */
extern void bk_verification_set(const BkBackup *backup, const char *status, TimestampTz verified_at);

/* Mark backups as corrupt that build on one that is. */
extern void bk_verification_set_corrupt(const char *resource_id, const int64 *ids, int count);

/* How many backups are corrupt, in a view. */
extern int64 bk_verification_count_corrupt(void);

/* The middle one of the document sizes of the last backups that a resource had before this one, and of how many; in a view. */
extern int64 bk_verification_median_size(const BkBackup *backup, int limit, int *count);

#endif							/* BK_CATALOG_VERIFICATION_H */
