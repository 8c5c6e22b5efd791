/*
 * openssl.c
 *		OpenSSL's error translator and the algorithms fetched from it.
 */
#include "common/openssl.h"

#include <errno.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

/* OpenSSL may have had no memory to note that it had none; then malloc() has told. */
static bool
is_out_of_memory(unsigned long code)
{
	return ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE || errno == ENOMEM;
}

void
bk_openssl_check(int result, const char *call)
{
	char		reason[256];
	unsigned long code;

	if (likely(result == 1))
		return;
	code = ERR_peek_last_error();
	if (is_out_of_memory(code))
	{
		ERR_clear_error();
		bk_fail_memory("OpenSSL", call);
	}
	ERR_error_string_n(code, reason, sizeof(reason));
	ERR_clear_error();
	bk_fail_library("OpenSSL", call, code == 0 ? NULL : reason);
}

void
bk_openssl_forget(void)
{
	ERR_clear_error();
}

const EVP_CIPHER *
bk_openssl_aes_256_cbc(void)
{
	static EVP_CIPHER *cipher;

	if (cipher == NULL)
		cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	bk_openssl_check(cipher != NULL, "EVP_CIPHER_fetch");
	return cipher;
}

const EVP_CIPHER *
bk_openssl_aes_256_ecb(void)
{
	static EVP_CIPHER *cipher;

	if (cipher == NULL)
		cipher = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
	bk_openssl_check(cipher != NULL, "EVP_CIPHER_fetch");
	return cipher;
}

const EVP_MD *
bk_openssl_sha256(void)
{
	static EVP_MD *digest;

	if (digest == NULL)
		digest = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	bk_openssl_check(digest != NULL, "EVP_MD_fetch");
	return digest;
}

/* Give a context the digest's name and a key that stands for none. */
static void
init_template(EVP_MAC_CTX *hmac)
{
	static const uint8 no_key[32] = {0};
	char		name[] = "SHA2-256";
	OSSL_PARAM	parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end()
	};

	bk_openssl_check(EVP_MAC_init(hmac, no_key, sizeof(no_key), parameters), "EVP_MAC_init");
}

/*
 * Naming the digest fetches it anew each time, so a context that has it is kept
 * and copied; it never sees a real key.
 */
static const EVP_MAC_CTX *
hmac_template(void)
{
	static EVP_MAC *mac;
	static EVP_MAC_CTX *hmac;
	static bool ready;

	if (mac == NULL)
		mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	bk_openssl_check(mac != NULL, "EVP_MAC_fetch");
	if (hmac == NULL)
		hmac = EVP_MAC_CTX_new(mac);
	bk_openssl_check(hmac != NULL, "EVP_MAC_CTX_new");
	if (!ready)
		init_template(hmac);
	ready = true;
	return hmac;
}

EVP_MAC_CTX *
bk_openssl_hmac_new(const uint8 key[32])
{
	EVP_MAC_CTX *hmac = EVP_MAC_CTX_dup(hmac_template());
	int			result;

	bk_openssl_check(hmac != NULL, "EVP_MAC_CTX_dup");
	result = EVP_MAC_init(hmac, key, 32, NULL);
	if (result != 1)
		EVP_MAC_CTX_free(hmac);
	bk_openssl_check(result, "EVP_MAC_init");
	return hmac;
}
