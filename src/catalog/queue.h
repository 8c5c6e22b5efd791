/*
 * queue.h
 *		The table restore_operation as a queue of restores.
 *
 * An operation is queued, running, and then completed, failed or cancelled.
 */
#ifndef BK_CATALOG_QUEUE_H
#define BK_CATALOG_QUEUE_H

#include "catalog/statement.h"
#include "common/backup_types.h"
#include "datatype/timestamp.h"
#include "utils/jsonb.h"

typedef struct BkQueued
{
	const char *resource_id;	/* of the backup */
	int64		operation_id;
	int64		backup_id;
	const char *target_resource_id;
	BkBackupType type;
	bool		validate;
	const char *role;			/* who asked, and whose rights count */
	const char *created_by;		/* a label */
	TimestampTz created_at;
	TimestampTz next_attempt_at;	/* 0: not queued */
	const char *status;
	int32		attempts;		/* begun so far */
} BkQueued;

/* Add an operation to the queue and return its id; to be tried from created_at on. */
extern int64 bk_queue_insert(const BkQueued *operation);

/* Which resource has this operation, in a view; NULL where there is none. */
extern char *bk_queue_resource(int64 operation_id);

/* Read an operation, in a view; false where there is none. */
extern bool bk_queue_find(const char *resource_id, int64 operation_id, BkQueued *operation);

/* Lock an operation and read it; false where there is none. */
extern bool bk_queue_lock(const char *resource_id, int64 operation_id, BkQueued *operation);

/* The same without waiting: false also where another session has it. */
extern bool bk_queue_try_lock(const char *resource_id, int64 operation_id, BkQueued *operation);

/*
 * Operations that may be tried at a time, the longest due first, in a view; unlocked, at most limit, from the
 * one after a given one on, or (NULL) from the first.
 */
extern int	bk_queue_find_due(TimestampTz now, const BkQueued *after, int limit, BkQueued **operations);

/* When the first one may be tried, in a view; DT_NOEND where none is queued. */
extern TimestampTz bk_queue_next_due(void);

/* The operations that are said to be running, in a view; at most limit. */
extern int	bk_queue_find_running(int limit, BkQueued **operations);

/* Operations that had ended before a time, in a view; at most limit. */
extern int	bk_queue_find_ended(TimestampTz before, int limit, BkQueued **operations);

/* When one of the oldest operations that have ended did so, in a view; DT_NOEND where none has. */
extern TimestampTz bk_queue_find_oldest_end(void);

/* How an operation has ended. */
typedef struct BkEnded
{
	const char *status;
	int64		duration;		/* of its last attempt, in microseconds */
} BkEnded;

/* Forget an operation that has ended; false where it is gone already. */
extern bool bk_queue_delete(const BkQueued *operation, BkEnded *ended);

/* A running operation of a locked resource that reads one of these backups; 0 for none. */
extern int64 bk_queue_find_pin(const char *resource_id, const int64 *ids, int count);

/* Changes of a locked operation. */
extern void bk_queue_set_running(const BkQueued *operation, const int64 *pinned, int count, int64 bytes_total,
								 TimestampTz now);
extern void bk_queue_set_progress(const BkQueued *operation, int32 progress, int64 bytes_done);
extern void bk_queue_set_completed(const BkQueued *operation, int64 restored_backup_id, TimestampTz now);
extern void bk_queue_set_failed(const BkQueued *operation, const char *error, Jsonb *validation_errors, TimestampTz now);
extern void bk_queue_set_cancelled(const BkQueued *operation, TimestampTz now);

/* Back to the queue; error NULL where it was no failure of its own. */
extern void bk_queue_set_queued(const BkQueued *operation, const char *error, TimestampTz next_attempt_at);

#endif							/* BK_CATALOG_QUEUE_H */
