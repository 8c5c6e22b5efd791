/*
 * cipher.c
 *		Encryption and decryption as filters, and what is random.
 */
#include "payload/cipher.h"
#include "common/openssl.h"
#include "payload/payload.h"

#include <openssl/rand.h>

#define BLOCK_BYTES		16

typedef struct Cipher
{
	EVP_CIPHER_CTX *context;
	BkOrigin	origin;
	bool		finished;
	BkText		pending;		/* what of the blocks below is not given yet */
	uint8		blocks[2 * BLOCK_BYTES];
} Cipher;

static void
close_cipher(void *argument)
{
	EVP_CIPHER_CTX_free(((Cipher *) argument)->context);
}

/* Put input through the cipher to a place with room for a block more than it. */
static size_t
update(Cipher *cipher, BkText *in, size_t count, uint8 *to)
{
	int			given;

	bk_openssl_check(EVP_CipherUpdate(cipher->context, to, &given,
									  (const uint8 *) in->data, (int) count),
					 "EVP_CipherUpdate");
	in->data += count;
	in->len -= count;
	return given;
}

/* Write the padding, or check it. */
static size_t
finish(Cipher *cipher)
{
	int			given = 0;

	if (EVP_CipherFinal_ex(cipher->context, cipher->blocks, &given) != 1)
	{
		bk_openssl_check(!EVP_CIPHER_CTX_is_encrypting(cipher->context), "EVP_CipherFinal_ex");
		bk_openssl_forget();
		bk_fail(cipher->origin, "cipher", "the padding is not intact");
	}
	cipher->finished = true;
	return given;
}

/* The filter: straight into out where there is room, else by way of pending blocks. */
static bool
process(void *state, BkText *in, BkSpace *out, bool last)
{
	Cipher	   *cipher = state;
	size_t		given = 0;

	bk_filter_copy(&cipher->pending, out);
	if (cipher->pending.len > 0)
		return false;
	if (in->len > 0 && out->len > BLOCK_BYTES)
	{
		given = update(cipher, in, Min(in->len, out->len - BLOCK_BYTES), out->data);
		out->data += given;
		out->len -= given;
		return false;
	}
	if (in->len > 0)
		given = update(cipher, in, Min(in->len, BLOCK_BYTES), cipher->blocks);
	else if (last && !cipher->finished)
		given = finish(cipher);
	cipher->pending = (BkText) {(char *) cipher->blocks, given};
	bk_filter_copy(&cipher->pending, out);
	return cipher->finished && cipher->pending.len == 0;
}

static BkFilter
cipher_new(BkMemory memory, const BkDek *dek, const uint8 *iv, BkOrigin origin, int encrypt)
{
	Cipher	   *cipher = bk_alloc_secret(memory, sizeof(*cipher));

	cipher->origin = origin;
	bk_memory_on_delete(memory, close_cipher, cipher);
	cipher->context = EVP_CIPHER_CTX_new();
	bk_openssl_check(cipher->context != NULL, "EVP_CIPHER_CTX_new");
	bk_openssl_check(EVP_CipherInit_ex2(cipher->context, bk_openssl_aes_256_cbc(),
										dek->cipher_key, iv, encrypt, NULL),
					 "EVP_CipherInit_ex2");
	return (BkFilter)
	{
		.layer = BK_LAYER_CIPHER,.process = process,.state = cipher
	};
}

BkFilter
bk_cipher_writer(BkMemory memory, const BkDek *dek, const uint8 iv[BK_IV_BYTES])
{
	return cipher_new(memory, dek, iv, BK_ARGUMENT, 1);
}

BkFilter
bk_cipher_reader(BkMemory memory, const BkDek *dek, const uint8 iv[BK_IV_BYTES], BkOrigin origin)
{
	return cipher_new(memory, dek, iv, origin, 0);
}

void
bk_iv_generate(uint8 iv[BK_IV_BYTES])
{
	bk_openssl_check(RAND_bytes(iv, BK_IV_BYTES), "RAND_bytes");
}

void
bk_dek_generate(BkDek *dek)
{
	bk_openssl_check(RAND_priv_bytes((uint8 *) dek, BK_DEK_BYTES), "RAND_priv_bytes");
}
