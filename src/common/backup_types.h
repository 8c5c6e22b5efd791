/*
 * backup_types.h
 *		The few types that catalog, payload and keyring share.
 */
#ifndef BK_BACKUP_TYPES_H
#define BK_BACKUP_TYPES_H

#include "common/common.h"

#define BK_IV_BYTES			16
#define BK_DIGEST_BYTES		32

/* The values are part of the stored format. */
typedef enum BkBackupType
{
	BK_TYPE_FULL = 1,
	BK_TYPE_INCREMENTAL = 2,
	BK_TYPE_DIFFERENTIAL = 3
} BkBackupType;

/* The values are part of the stored format. */
typedef enum BkCompression
{
	BK_COMPRESSION_NONE = 0,
	BK_COMPRESSION_GZIP = 1,
	BK_COMPRESSION_ZSTD = 2
} BkCompression;

/* A data key: AES-256 key, then HMAC key.  Lives in bk_alloc_secret() memory only. */
typedef struct BkDek
{
	uint8		cipher_key[32];
	uint8		mac_key[32];
} BkDek;

#define BK_DEK_BYTES		64
StaticAssertDecl(sizeof(BkDek) == BK_DEK_BYTES, "a data key has no padding");

/* A master key, a data key wrapped by one, and what a master key is recognised by. */
#define BK_KEK_BYTES			32
#define BK_WRAPPED_DEK_BYTES	(BK_DEK_BYTES + 8)
#define BK_FINGERPRINT_BYTES	32

#endif							/* BK_BACKUP_TYPES_H */
