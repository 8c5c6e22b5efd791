/*
 * audit_log.h
 *		Lines of the audit trail in the server's log.
 *
 * Each is "backup_service audit: " and a JSON object on one line.  Reads are logged
 * before the document is returned, so that a transaction that is rolled back hides
 * none; failed and denied calls, whose transaction is rolled back, are logged only.
 */
#ifndef BK_AUDIT_LOG_H
#define BK_AUDIT_LOG_H

#include "catalog/event.h"
#include "service/call.h"

/* Log an event. */
extern void bk_log_event(const BkEvent *event);

/* Log the error that is being handled, in a PG_CATCH(), as the outcome of a call. */
extern void bk_log_failure(const BkCall *call);

#endif							/* BK_AUDIT_LOG_H */
