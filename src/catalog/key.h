/*
 * key.h
 *		The table backup_service.key: master key versions that backups use.
 */
#ifndef BK_CATALOG_KEY_H
#define BK_CATALOG_KEY_H

#include "catalog/statement.h"
#include "common/backup_types.h"
#include "datatype/timestamp.h"

/* The newest active version and its fingerprint; 0 where there is none. */
extern int32 bk_key_find_active(uint8 fingerprint[BK_FINGERPRINT_BYTES]);

/* The fingerprint of a version, in a view; false where there is no such version, or what is there is none. */
extern bool bk_key_find_fingerprint(int32 version, uint8 fingerprint[BK_FINGERPRINT_BYTES]);

/* A row. */
typedef struct BkKeyVersion
{
	int32		version;
	const char *state;			/* active, previous or retired */
	uint8		fingerprint[BK_FINGERPRINT_BYTES];
	TimestampTz created_at;
	bool		copied;			/* to a safe place, as somebody has noted */
} BkKeyVersion;

/* All versions in order, in a view; returns their number. */
extern int	bk_key_find_all(BkKeyVersion **versions);

/* Whether any backup uses a version, and how many do. */
extern bool bk_key_is_used(int32 version);
extern int64 bk_key_count_backups(int32 version);

/* Add a version, active, unless another session was faster; false then. */
extern bool bk_key_insert(int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES],
						  const char *created_by, TimestampTz created_at);

/* Wait for other sessions that change the table, and keep them out until the transaction ends. */
extern void bk_key_lock(void);

/* Make the active versions previous ones, before a new one is added. */
extern void bk_key_supersede(void);

/* Both return false where there is no such version. */
extern bool bk_key_set_retired(int32 version);
extern bool bk_key_set_copied(int32 version, TimestampTz copied_at);

#endif							/* BK_CATALOG_KEY_H */
