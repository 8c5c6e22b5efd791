/*
 * audit.h
 *		The audit trail: who did what to which resource.
 *
 * A change is chained to the resource's last event under the lock that the change
 * holds.  A read takes no lock: it writes a line to the server's log before the
 * document is returned and, where the transaction can write, an unsealed event,
 * which bk_audit_seal_events() chains later.
 */
#ifndef BK_AUDIT_H
#define BK_AUDIT_H

#include "catalog/backup.h"
#include "catalog/event.h"
#include "catalog/resource.h"
#include "service/call.h"

/* Describe what is done now: who, when, and done.  It reads no table: it serves failures too. */
extern void bk_audit_describe(const BkCall *call, const char *action, const char *resource_id, int64 backup_id,
							  BkEvent *event);

/* Say that the event leaves its backup as this row. */
extern void bk_audit_set_state(BkEvent *event, const BkBackup *backup);

/* Make an event the last one of a locked resource, in memory; the caller writes both. */
extern void bk_audit_link(BkResource *resource, BkEvent *event);

/* Link an event of a locked resource and write it; bk_resource_touch() writes the chain's new end. */
extern void bk_audit_append(BkResource *resource, BkEvent *event);

/* A change that leaves a backup as it is in this row. */
extern void bk_audit_changed(const BkCall *call, BkResource *resource, const char *action, const BkBackup *backup,
							 Jsonb *detail);

/* A change of the resource that leaves its backups' rows as they are; backup_id 0 where it is of none of them. */
extern void bk_audit_resource(const BkCall *call, BkResource *resource, const char *action, int64 backup_id,
							  Jsonb *detail);

/* A change by which a backup is gone. */
extern void bk_audit_removed(const BkCall *call, BkResource *resource, const char *action, int64 backup_id,
							 Jsonb *detail);

/* A change of keys or policies, under no lock but that of the chain's next number. */
extern void bk_audit_catalog(const BkCall *call, const char *action, Jsonb *detail);

/* A read; backup_id 0 for all of a resource. */
extern void bk_audit_read(const BkCall *call, const char *action, const char *resource_id, int64 backup_id,
						  Jsonb *detail);

/* The same of one that has failed, in a transaction that commits. */
extern void bk_audit_read_failed(const BkCall *call, const char *action, const char *resource_id, int64 backup_id,
								 Jsonb *detail);

/* Chain unsealed events, at most max; returns how many.  Resources that another session changes are left for later. */
extern int64 bk_audit_seal_events(const BkCall *call, int64 max_events);

#endif							/* BK_AUDIT_H */
