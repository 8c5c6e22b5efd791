/*
 * wrap.c
 *		Wraps and unwraps data keys, and derives from a master key what it is recognised
 *		by and what it seals archives with.
 */
#include "keyring/wrap.h"

#include "common/openssl.h"

#include <openssl/modes.h>

#define AES_BLOCK_BYTES	16

typedef struct Cipher
{
	EVP_CIPHER_CTX *context;
	bool	   *failed;
} Cipher;

/* RFC 3394 in OpenSSL, which asks for one block at a time; its AES-256-WRAP does not use the processor's AES. */
typedef size_t (*Wrapping) (void *key, const unsigned char *iv, unsigned char *out, const unsigned char *in,
							size_t in_bytes, block128_f block);

/* Put one block through the cipher that key is a context of, in place or not. */
static void
run_block(const unsigned char in[AES_BLOCK_BYTES], unsigned char out[AES_BLOCK_BYTES], const void *key)
{
	const Cipher *cipher = key;
	int			given = 0;

	if (EVP_CipherUpdate(cipher->context, out, &given, in, AES_BLOCK_BYTES) != 1 || given != AES_BLOCK_BYTES)
		*cipher->failed = true;
}

/* Wrap or unwrap; returns how many bytes that gave, 0 where they are not intact. */
static size_t
run(Wrapping wrapping, bool encrypt, const uint8 *kek, const uint8 *in, size_t in_bytes, uint8 *out)
{
	bool		failed = false;
	Cipher		cipher = {.context = EVP_CIPHER_CTX_new(), .failed = &failed};
	int			opened;
	size_t		given = 0;

	bk_openssl_check(cipher.context != NULL, "EVP_CIPHER_CTX_new");
	opened = EVP_CipherInit_ex2(cipher.context, bk_openssl_aes_256_ecb(), kek, NULL, encrypt, NULL);
	if (opened == 1)
	{
		EVP_CIPHER_CTX_set_padding(cipher.context, 0);
		given = wrapping(&cipher, NULL, out, in, in_bytes, run_block);
	}
	/* nothing since the opening jumps; the cipher wipes its key as it is freed */
	EVP_CIPHER_CTX_free(cipher.context);
	bk_openssl_check(opened, "EVP_CipherInit_ex2");
	bk_openssl_check(!failed, "EVP_CipherUpdate");
	return given;
}

void
bk_dek_wrap(const uint8 kek[BK_KEK_BYTES], const BkDek *dek, uint8 wrapped[BK_WRAPPED_DEK_BYTES])
{
	size_t		given = run(CRYPTO_128_wrap, true, kek, (const uint8 *) dek, BK_DEK_BYTES, wrapped);

	bk_openssl_check(given == BK_WRAPPED_DEK_BYTES, "CRYPTO_128_wrap");
}

void
bk_dek_unwrap(const uint8 kek[BK_KEK_BYTES], const uint8 wrapped[BK_WRAPPED_DEK_BYTES],
			  BkDek *dek, BkOrigin origin)
{
	if (run(CRYPTO_128_unwrap, false, kek, wrapped, BK_WRAPPED_DEK_BYTES, (uint8 *) dek) == BK_DEK_BYTES)
		return;
	bk_wipe(dek, sizeof(*dek));
	bk_openssl_forget();
	bk_fail(origin, "wrapped key", "it is not intact, or was wrapped by another master key");
}

/* What a purpose's text makes of a master key. */
static void
derive(const uint8 kek[BK_KEK_BYTES], BkText purpose, uint8 derived[BK_DIGEST_BYTES])
{
	EVP_MAC_CTX *hmac = bk_openssl_hmac_new(kek);
	size_t		len;
	bool		done = EVP_MAC_update(hmac, (const uint8 *) purpose.data, purpose.len) == 1 &&
		EVP_MAC_final(hmac, derived, &len, BK_DIGEST_BYTES) == 1;

	EVP_MAC_CTX_free(hmac);
	bk_openssl_check(done, "EVP_MAC_final");
}

void
bk_kek_fingerprint(const uint8 kek[BK_KEK_BYTES], uint8 fingerprint[BK_FINGERPRINT_BYTES])
{
	derive(kek, BK_TEXT("backup_service key fingerprint 1"), fingerprint);
}

void
bk_kek_archive_key(const uint8 kek[BK_KEK_BYTES], uint8 key[BK_DIGEST_BYTES])
{
	derive(kek, BK_TEXT("backup_service archive MAC key 1"), key);
}
