/*
 * digest.c
 *		SHA-256 and HMAC-SHA-256 as taps, and the document's keyed digest.
 */
#include "payload/digest.h"
#include "common/openssl.h"
#include "payload/payload.h"

#include <openssl/crypto.h>

struct BkSha256
{
	EVP_MD_CTX *context;
};

struct BkHmac
{
	EVP_MAC_CTX *context;
};

static void
close_sha256(void *argument)
{
	EVP_MD_CTX_free(((BkSha256 *) argument)->context);
}

BkSha256 *
bk_sha256_new(BkMemory memory)
{
	BkSha256   *sha256 = bk_alloc_zero(memory, sizeof(*sha256));

	bk_memory_on_delete(memory, close_sha256, sha256);
	sha256->context = EVP_MD_CTX_new();
	bk_openssl_check(sha256->context != NULL, "EVP_MD_CTX_new");
	bk_openssl_check(EVP_DigestInit_ex2(sha256->context, bk_openssl_sha256(), NULL),
					 "EVP_DigestInit_ex2");
	return sha256;
}

static void
observe_sha256(void *state, BkText bytes)
{
	bk_openssl_check(EVP_DigestUpdate(((BkSha256 *) state)->context, bytes.data, bytes.len),
					 "EVP_DigestUpdate");
}

BkFilter
bk_sha256_tap(BkSha256 *sha256)
{
	return (BkFilter)
	{
		.layer = BK_LAYER_PROOF,.observe = observe_sha256,.state = sha256
	};
}

void
bk_sha256_finish(BkSha256 *sha256, uint8 digest[BK_DIGEST_BYTES])
{
	bk_openssl_check(EVP_DigestFinal_ex(sha256->context, digest, NULL), "EVP_DigestFinal_ex");
}

static void
close_hmac(void *argument)
{
	EVP_MAC_CTX_free(((BkHmac *) argument)->context);
}

BkHmac *
bk_hmac_new(BkMemory memory, const BkDek *dek)
{
	BkHmac	   *hmac = bk_alloc_zero(memory, sizeof(*hmac));

	bk_memory_on_delete(memory, close_hmac, hmac);
	hmac->context = bk_openssl_hmac_new(dek->mac_key);
	return hmac;
}

static void
observe_hmac(void *state, BkText bytes)
{
	bk_hmac_update(state, bytes);
}

BkFilter
bk_hmac_tap(BkHmac *hmac)
{
	return (BkFilter)
	{
		.layer = BK_LAYER_PROOF,.observe = observe_hmac,.state = hmac
	};
}

void
bk_hmac_update(BkHmac *hmac, BkText bytes)
{
	bk_openssl_check(EVP_MAC_update(hmac->context, (const uint8 *) bytes.data, bytes.len),
					 "EVP_MAC_update");
}

void
bk_hmac_finish(BkHmac *hmac, uint8 digest[BK_DIGEST_BYTES])
{
	size_t		len;

	bk_openssl_check(EVP_MAC_final(hmac->context, digest, &len, BK_DIGEST_BYTES), "EVP_MAC_final");
	Assert(len == BK_DIGEST_BYTES);
}

void
bk_sha256(BkText bytes, uint8 digest[BK_DIGEST_BYTES])
{
	bk_openssl_check(EVP_Digest(bytes.data, bytes.len, digest, NULL, bk_openssl_sha256(), NULL), "EVP_Digest");
}

bool
bk_digest_equal(const uint8 a[BK_DIGEST_BYTES], const uint8 b[BK_DIGEST_BYTES])
{
	return CRYPTO_memcmp(a, b, BK_DIGEST_BYTES) == 0;
}

void
bk_document_digest(const BkDek *dek, BkText document, uint8 digest[BK_DIGEST_BYTES])
{
	EVP_MAC_CTX *hmac = bk_openssl_hmac_new(dek->mac_key);
	size_t		len;
	bool		done = EVP_MAC_update(hmac, (const uint8 *) document.data, document.len) == 1 &&
		EVP_MAC_final(hmac, digest, &len, BK_DIGEST_BYTES) == 1;

	/* nothing between here and the opening jumps, so no callback is needed */
	EVP_MAC_CTX_free(hmac);
	bk_openssl_check(done, "EVP_MAC_update");
}
