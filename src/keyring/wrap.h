/*
 * wrap.h
 *		Data keys wrapped by a master key: AES-256 key wrap (RFC 3394).
 *
 * Compiles without the server.  Neither kind of key is ever logged; callers
 * keep both in bk_alloc_secret() memory.
 */
#ifndef BK_WRAP_H
#define BK_WRAP_H

#include "common/backup_types.h"

extern void bk_dek_wrap(const uint8 kek[BK_KEK_BYTES], const BkDek *dek,
						uint8 wrapped[BK_WRAPPED_DEK_BYTES]);

/* Fails with check "wrapped key" where the wrapped bytes are not intact or the KEK is another. */
extern void bk_dek_unwrap(const uint8 kek[BK_KEK_BYTES],
						  const uint8 wrapped[BK_WRAPPED_DEK_BYTES], BkDek *dek,
						  BkOrigin origin);

/*
 * What a key version is recognised by: HMAC-SHA-256 under the KEK of the ASCII
 * text "backup_service key fingerprint 1".
 */
extern void bk_kek_fingerprint(const uint8 kek[BK_KEK_BYTES],
							   uint8 fingerprint[BK_FINGERPRINT_BYTES]);

/*
 * The key that archives are sealed with (archive/archive.h): HMAC-SHA-256 under the
 * KEK of the ASCII text "backup_service archive MAC key 1".
 */
extern void bk_kek_archive_key(const uint8 kek[BK_KEK_BYTES], uint8 key[BK_DIGEST_BYTES]);

#endif							/* BK_WRAP_H */
