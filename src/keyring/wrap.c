/*
 * wrap.c
 *		Wraps and unwraps data keys, and takes a master key's fingerprint.
 */
#include "keyring/wrap.h"

#include "common/openssl.h"

#include <openssl/crypto.h>

static const char fingerprint_text[] = "backup_service key fingerprint 1";

#define HALF			8		/* half of a cipher's block */
#define HALVES			(BK_DEK_BYTES / HALF)
#define STEPS			(6 * HALVES)

static const uint8 initial_value[HALF] = {0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6, 0xA6};

/*
 * RFC 3394, 2.2.1 and 2.2.2, over OpenSSL's block cipher: its own key wrap does
 * not use the processor's AES, and takes longer than all else about the keys of
 * a small backup.  check is the register A, halves are R[1] to R[n].
 */
static bool
run_wrap(const uint8 *kek, uint8 check[HALF], uint8 halves[BK_DEK_BYTES], int wrap)
{
	EVP_CIPHER_CTX *context;
	uint8		block[2 * HALF];
	bool		done;

	context = EVP_CIPHER_CTX_new();
	done = context != NULL &&
		EVP_CipherInit_ex2(context, bk_openssl_aes_256_ecb(), kek, NULL, wrap, NULL) == 1 &&
		EVP_CIPHER_CTX_set_padding(context, 0) == 1;
	for (int step = 0; done && step < STEPS; step++)
	{
		int			number = wrap ? step : STEPS - 1 - step;
		uint8	   *half = halves + number % HALVES * HALF;
		int			given = 0;

		memcpy(block, check, HALF);
		memcpy(block + HALF, half, HALF);
		if (!wrap)
			block[HALF - 1] ^= number + 1;
		done = EVP_CipherUpdate(context, block, &given, block, sizeof(block)) == 1 && given == sizeof(block);
		if (wrap)
			block[HALF - 1] ^= number + 1;
		memcpy(check, block, HALF);
		memcpy(half, block + HALF, HALF);
	}
	/* nothing since the opening jumps; the cipher wipes its key as it is freed */
	EVP_CIPHER_CTX_free(context);
	bk_wipe(block, sizeof(block));
	return done;
}

void
bk_dek_wrap(const uint8 kek[BK_KEK_BYTES], const BkDek *dek, uint8 wrapped[BK_WRAPPED_DEK_BYTES])
{
	bool		done;

	memcpy(wrapped, initial_value, HALF);
	memcpy(wrapped + HALF, dek, BK_DEK_BYTES);
	done = run_wrap(kek, wrapped, wrapped + HALF, 1);
	if (!done)
		bk_wipe(wrapped, BK_WRAPPED_DEK_BYTES);
	bk_openssl_check(done, "EVP_CipherUpdate");
}

void
bk_dek_unwrap(const uint8 kek[BK_KEK_BYTES], const uint8 wrapped[BK_WRAPPED_DEK_BYTES],
			  BkDek *dek, BkOrigin origin)
{
	uint8		check[HALF];
	bool		done;

	memcpy(check, wrapped, HALF);
	memcpy(dek, wrapped + HALF, BK_DEK_BYTES);
	done = run_wrap(kek, check, (uint8 *) dek, 0);
	if (done && CRYPTO_memcmp(check, initial_value, HALF) == 0)
		return;
	bk_wipe(dek, sizeof(*dek));
	bk_openssl_check(done, "EVP_CipherUpdate");
	bk_fail(origin, "wrapped key", "it is not intact, or was wrapped by another master key");
}

void
bk_kek_fingerprint(const uint8 kek[BK_KEK_BYTES], uint8 fingerprint[BK_FINGERPRINT_BYTES])
{
	EVP_MAC_CTX *hmac = bk_openssl_hmac_new(kek);
	size_t		len;
	bool		done = EVP_MAC_update(hmac, (const uint8 *) fingerprint_text, sizeof(fingerprint_text) - 1) == 1 &&
		EVP_MAC_final(hmac, fingerprint, &len, BK_FINGERPRINT_BYTES) == 1;

	EVP_MAC_CTX_free(hmac);
	bk_openssl_check(done, "EVP_MAC_final");
}
