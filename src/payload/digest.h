/*
 * digest.h
 *		Taps that prove bytes: SHA-256, and HMAC-SHA-256 under a data key.
 */
#ifndef BK_DIGEST_H
#define BK_DIGEST_H

#include "common/backup_types.h"
#include "payload/filter.h"

typedef struct BkSha256 BkSha256;
typedef struct BkHmac BkHmac;

extern BkSha256 *bk_sha256_new(BkMemory memory);
extern BkFilter bk_sha256_tap(BkSha256 *sha256);
extern void bk_sha256_finish(BkSha256 *sha256, uint8 digest[BK_DIGEST_BYTES]);

extern BkHmac *bk_hmac_new(BkMemory memory, const BkDek *dek);
extern BkFilter bk_hmac_tap(BkHmac *hmac);
extern void bk_hmac_update(BkHmac *hmac, BkText bytes);
extern void bk_hmac_finish(BkHmac *hmac, uint8 digest[BK_DIGEST_BYTES]);

/* SHA-256 of bytes at hand. */
extern void bk_sha256(BkText bytes, uint8 digest[BK_DIGEST_BYTES]);

/* Compare in a time that does not tell where two digests differ. */
extern bool bk_digest_equal(const uint8 a[BK_DIGEST_BYTES], const uint8 b[BK_DIGEST_BYTES]);

#endif							/* BK_DIGEST_H */
