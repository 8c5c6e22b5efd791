/*
 * finding.h
 *		What a verification has found, noted at the backup: when, whether it is
 *		corrupt, and then what builds on it.
 *
 * Nothing here waits for a lock: where another session is the resource's writer, false is
 * returned and nothing was done.
 */
#ifndef BK_FINDING_H
#define BK_FINDING_H

#include "catalog/backup.h"
#include "service/call.h"

/* A change of status; count dependents for what was found corrupt. */
typedef struct BkFinding
{
	bool		is_news;		/* the catalog did not know */
	int64	   *dependents;		/* backups that build on it, at any distance */
	int			count;
} BkFinding;

/* A backup and its chain are sound.  One that was corrupt is completed again. */
extern bool bk_finding_note_sound(const BkCall *call, const BkBackup *backup, TimestampTz now, BkFinding *finding);

/* Its stored bytes are those that were written.  Without the key that proves no more. */
extern bool bk_finding_note_at_rest(const BkBackup *backup, TimestampTz now);

/* It is damaged: it becomes corrupt, and with it all that builds on it. */
extern bool bk_finding_note_damage(const BkCall *call, const BkBackup *backup, const char *error, TimestampTz now,
								   BkFinding *finding);

#endif							/* BK_FINDING_H */
