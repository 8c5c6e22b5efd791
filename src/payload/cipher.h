/*
 * cipher.h
 *		AES-256-CBC with PKCS#7 padding, and random bytes.
 */
#ifndef BK_CIPHER_H
#define BK_CIPHER_H

#include "common/backup_types.h"
#include "payload/filter.h"

extern BkFilter bk_cipher_writer(BkMemory memory, const BkDek *dek, const uint8 iv[BK_IV_BYTES]);

/*
 * Decrypt bytes where they stand; returns how many they are without the padding,
 * which fails with check "cipher" where it is not intact.
 */
extern size_t bk_cipher_decrypt(BkMemory memory, const BkDek *dek, const uint8 iv[BK_IV_BYTES],
								uint8 *bytes, size_t len, BkOrigin origin);

extern void bk_iv_generate(uint8 iv[BK_IV_BYTES]);

#endif							/* BK_CIPHER_H */
