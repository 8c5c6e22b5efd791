/*
 * notice.h
 *		The table backup_service.notice: what the worker is to notify of.
 */
#ifndef BK_CATALOG_NOTICE_H
#define BK_CATALOG_NOTICE_H

#include "catalog/statement.h"
#include "datatype/timestamp.h"

/* What has happened. */
#define BK_NOTICE_CREATED		"created"	/* a backup; written by bk_record_backup() */
#define BK_NOTICE_RESTORED		"restored"
#define BK_NOTICE_FAILED		"failed"	/* a restore, for good */
#define BK_NOTICE_EXPIRED		"expired"	/* a backup was removed by clean-up */
#define BK_NOTICE_CORRUPT		"corrupt"	/* a backup was found damaged */
#define BK_NOTICE_RECOVERED		"recovered" /* and is sound again */
#define BK_NOTICE_KEY_PROBLEM	"key_problem"

/* Notices of keys, which are no resource's. */
#define BK_NOTICE_OF_KEYS	""

typedef struct BkNotice
{
	char	   *resource_id;
	int64		notice_id;
	const char *event;
	int64		backup_id;		/* 0: none, as the next two */
	int64		operation_id;
	int32		key_version;
	TimestampTz at;
} BkNotice;

/* notice_id is given by the table. */
extern void bk_notice_insert(const BkNotice *notice);

/* The oldest notices, in order, in a view; at most limit. */
extern int	bk_notice_find(int limit, BkNotice **notices);

/* False where another session has deleted it. */
extern bool bk_notice_delete(const BkNotice *notice);

/* How many wait, counted up to limit, and since when one of these does, in a view. */
extern int64 bk_notice_count(int limit, TimestampTz *oldest);

#endif							/* BK_CATALOG_NOTICE_H */
