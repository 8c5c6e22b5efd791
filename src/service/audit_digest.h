/*
 * audit_digest.h
 *		The SHA-256 digests of the audit trail.
 *
 * They are over binary encodings of their own, never over text that settings
 * change; docs/format.md has them byte by byte.
 */
#ifndef BK_AUDIT_DIGEST_H
#define BK_AUDIT_DIGEST_H

#include "catalog/backup.h"
#include "catalog/checkpoint.h"
#include "catalog/event.h"

/* Of an event and the hash of the one before it (zeros for a chain's first). */
extern void bk_event_digest(const BkEvent *event, const uint8 previous[BK_DIGEST_BYTES], uint8 digest[BK_DIGEST_BYTES]);

/* Of what a backup is: its MAC and its labels. */
extern void bk_backup_digest(const BkBackup *backup, uint8 digest[BK_DIGEST_BYTES]);

/* Of a checkpoint. */
extern void bk_checkpoint_digest(const BkCheckpoint *checkpoint, uint8 digest[BK_DIGEST_BYTES]);

#endif							/* BK_AUDIT_DIGEST_H */
