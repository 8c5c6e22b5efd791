/*
 * notice.h
 *		Notices: what has happened, told by NOTIFY to whoever listens on the
 *		channel backup_service.
 *
 * A session leaves a row in its transaction, and the worker sends it once that has
 * committed: NOTIFY in the session would lock the commits of the whole cluster one after
 * the other, and forbid PREPARE TRANSACTION.  Anybody who can connect to the database
 * can listen, so a notice has names, ids and times alone.
 */
#ifndef BK_NOTICE_H
#define BK_NOTICE_H

#include "catalog/notice.h"
#include "service/call.h"

/* Whether there is a worker to send them, and the setting says so. */
extern bool bk_notices_wanted(void);

/* Leave a notice where they are wanted, and wake the worker; ids of 0 are left out. */
extern void bk_notice_add(const char *event, const char *resource_id, int64 backup_id, int64 operation_id);
extern void bk_notice_add_key_problem(int32 version);

/* Whether any wait. */
extern bool bk_notices_wait(void);

/* Send those that wait, at most limit, when the transaction commits; returns how many there were. */
extern int	bk_notices_send(int limit);

#endif							/* BK_NOTICE_H */
