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

/* Add a version unless another session was faster. */
extern void bk_key_insert(int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES],
						  const char *created_by, TimestampTz created_at);

#endif							/* BK_CATALOG_KEY_H */
