/*
 * cipher.h
 *		AES-256-CBC with PKCS#7 padding, as filters, and random bytes.
 */
#ifndef BK_CIPHER_H
#define BK_CIPHER_H

#include "common/backup_types.h"
#include "payload/filter.h"

extern BkFilter bk_cipher_writer(BkMemory memory, const BkDek *dek, const uint8 iv[BK_IV_BYTES]);

/* Padding that is not intact fails with check "cipher". */
extern BkFilter bk_cipher_reader(BkMemory memory, const BkDek *dek, const uint8 iv[BK_IV_BYTES],
								 BkOrigin origin);

extern void bk_iv_generate(uint8 iv[BK_IV_BYTES]);

#endif							/* BK_CIPHER_H */
