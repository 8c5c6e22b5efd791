/*
 * hold.h
 *		Holds: named reasons why a backup, and what it builds on, must stay.
 */
#ifndef BK_HOLD_H
#define BK_HOLD_H

#include "catalog/backup.h"
#include "service/call.h"

/* Hold a backup until a time, or (0) until it is released; resource_id may be NULL. */
extern void bk_hold_backup(const BkCall *call, int64 backup_id, const char *resource_id,
						   const char *name, const char *reason, TimestampTz until);

extern void bk_release_backup(const BkCall *call, int64 backup_id, const char *resource_id, const char *name);

/* 55006 where a backup of a locked resource, or one that builds on it at any distance, is held. */
extern void bk_check_not_held(const BkBackup *backup);

/* The same for backups of a locked resource that are looked at alone. */
extern void bk_check_none_held(const char *resource_id, const int64 *ids, int count);

#endif							/* BK_HOLD_H */
