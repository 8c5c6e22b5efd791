/*
 * queue.h
 *		Restores that the worker does: asked for, cancelled, waited for.
 *
 * What a queued restore gives is a new full backup of the target resource.
 */
#ifndef BK_QUEUE_H
#define BK_QUEUE_H

#include "catalog/queue.h"
#include "service/restore.h"

/* Ask for a backup to be restored; resource_id may be NULL.  Returns the operation's id. */
extern int64 bk_enqueue_restore(const BkCall *call, const BkRestoreRequest *request,
								int64 backup_id, const char *resource_id);

/* Ask for the state of a time, which is found now. */
extern int64 bk_enqueue_restore_at(const BkCall *call, const BkRestoreRequest *request,
								   const char *resource_id, TimestampTz at, bool nearest);

/* Cancel an operation that has not ended; 55000 where it has. */
extern void bk_cancel_restore(const BkCall *call, int64 operation_id, const char *resource_id);

/* Wait until an operation has ended, or (0: for ever) microseconds have passed; returns its status. */
extern const char *bk_wait_for_restore(const BkCall *call, int64 operation_id, const char *resource_id, int64 timeout);

/* 55006 where a running restore reads one of these backups of a locked resource. */
extern void bk_check_not_pinned(const char *resource_id, const int64 *ids, int count);

#endif							/* BK_QUEUE_H */
