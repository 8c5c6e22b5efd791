/*
 * openssl.h
 *		OpenSSL as payload and keyring use it: one error translator, and
 *		algorithms that are fetched once per process.
 */
#ifndef BK_OPENSSL_H
#define BK_OPENSSL_H

#include "common/common.h"

#include <openssl/evp.h>

/* Raise unless result is 1, the only value with which an OpenSSL call succeeds. */
extern void bk_openssl_check(int result, const char *call);

/* Forget what OpenSSL has noted about a failure that was expected. */
extern void bk_openssl_forget(void);

/* Fetching looks through all providers and takes locks: once is enough. */
extern const EVP_CIPHER *bk_openssl_aes_256_cbc(void);
extern const EVP_CIPHER *bk_openssl_aes_256_ecb(void);
extern const EVP_MD *bk_openssl_sha256(void);

/* A new HMAC-SHA-256 under a key; the caller frees it. */
extern EVP_MAC_CTX *bk_openssl_hmac_new(const uint8 key[32]);

#endif							/* BK_OPENSSL_H */
