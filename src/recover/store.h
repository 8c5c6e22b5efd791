/*
 * store.h
 *		What a number of archives hold together.
 *
 * A backup may be in several of them: shipped twice, or in its resource's archive too.  It is the same
 * state in each, told by resource, id and time, so any sound copy will do.
 */
#ifndef BK_RECOVER_STORE_H
#define BK_RECOVER_STORE_H

#include "archive/archive.h"
#include "recover/keys.h"

/* An entry as one archive has it, or what the archive of the next backup says of it. */
typedef struct BkCopy
{
	const char *path;			/* NULL: it is but named */
	int64		made_at;		/* of the archive */
	BkArchiveKey key;			/* of the payload */
	BkArchiveEntry entry;		/* without the payload */
	int64		number;			/* among all backups of the resource; 0: not known */
	BkArchivePlace previous;	/* what was shipped before it; backup_id is 0 where that is not known */
} BkCopy;

/* A backup, or a tombstone, with all its copies: full ones first, then the newest, and those that but name it after them. */
typedef struct BkRecoverPoint
{
	BkText		resource_id;
	int64		backup_id;
	int64		created_at;
	const BkCopy *copies;
	int			count;			/* without those that but name it */
	bool		is_backup;		/* else there are tombstones alone, or nothing */
	bool		is_live;		/* it has a place in the timeline */
	bool		is_missing;		/* it was shipped, and no archive has it; older than another one that is there */
	bool		after_gap;		/* between it and the point before it there may be backups that no archive has */
	int64		lost;			/* how many such there are, here or before the points before it; -1: not known */
} BkRecoverPoint;

typedef struct BkStore BkStore;

extern BkStore *bk_store_open(BkMemory memory, BkRecoverKeys *keys);

/*
 * Read an archive, or those of a directory.  Proven where there are keys; what is none, or damaged, is reported and
 * counted as a problem, and left out.
 */
extern void bk_store_add(BkStore *store, const char *path);

/* After the last one: all points, in order of resource, time and id, with what is not known to be complete (gaps.h). */
extern int	bk_store_points(BkStore *store, BkRecoverPoint **points);

/* The backup of a resource with an id and a time; NULL where no archive has it. */
extern const BkRecoverPoint *bk_store_find(const BkStore *store, BkText resource_id, int64 backup_id, int64 created_at);

extern int	bk_store_archives(const BkStore *store);
extern int	bk_store_problems(const BkStore *store);

/*
 * The text of a copy's payload, proven, allocated in memory; dek gets its data key.  What is damaged is raised
 * as bk_fail() does.
 */
extern BkText bk_store_payload(BkStore *store, BkMemory memory, const BkCopy *copy, BkDek *dek);

#endif							/* BK_RECOVER_STORE_H */
