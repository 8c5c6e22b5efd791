/*
 * wrap.c
 *		Wraps and unwraps data keys, and takes a master key's fingerprint.
 */
#include "keyring/wrap.h"

#include "common/openssl.h"

static const char fingerprint_text[] = "backup_service key fingerprint 1";

/*
 * Run the cipher over one piece; returns whether it gave exactly as many bytes as wanted.  A cipher that cannot
 * even begin says nothing about the bytes.
 */
static bool
run_wrap(const uint8 *kek, const uint8 *in, int in_bytes, uint8 *out, int out_bytes, int wrap)
{
	const EVP_CIPHER *cipher = bk_openssl_aes_256_wrap();
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int			given = 0;
	int			rest = 0;
	bool		begun;
	bool		done;

	bk_openssl_check(context != NULL, "EVP_CIPHER_CTX_new");
	EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	begun = EVP_CipherInit_ex2(context, cipher, kek, NULL, wrap, NULL) == 1;
	done = begun &&
		EVP_CipherUpdate(context, out, &given, in, in_bytes) == 1 &&
		EVP_CipherFinal_ex(context, out + given, &rest) == 1 &&
		given + rest == out_bytes;
	/* nothing since the opening jumps; the cipher wipes its key as it is freed */
	EVP_CIPHER_CTX_free(context);
	bk_openssl_check(begun, "EVP_CipherInit_ex2");
	return done;
}

void
bk_dek_wrap(const uint8 kek[BK_KEK_BYTES], const BkDek *dek, uint8 wrapped[BK_WRAPPED_DEK_BYTES])
{
	bk_openssl_check(run_wrap(kek, (const uint8 *) dek, BK_DEK_BYTES,
							  wrapped, BK_WRAPPED_DEK_BYTES, 1), "EVP_CipherUpdate");
}

void
bk_dek_unwrap(const uint8 kek[BK_KEK_BYTES], const uint8 wrapped[BK_WRAPPED_DEK_BYTES],
			  BkDek *dek, BkOrigin origin)
{
	if (run_wrap(kek, wrapped, BK_WRAPPED_DEK_BYTES, (uint8 *) dek, BK_DEK_BYTES, 0))
		return;
	bk_wipe(dek, sizeof(*dek));
	bk_openssl_forget();
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
