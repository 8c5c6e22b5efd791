/*
 * cipher.c
 *		Encryption as a filter, decryption in place, and what is random.
 */
#include "payload/cipher.h"
#include "common/openssl.h"
#include "payload/payload.h"

#include <openssl/rand.h>

#define BLOCK_BYTES		16
#define PIECE_BYTES		((size_t) (1024 * 1024))	/* decrypted between two looks for interrupts */

typedef struct Cipher
{
	EVP_CIPHER_CTX *context;
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

/* Write the padding. */
static size_t
finish(Cipher *cipher)
{
	int			given = 0;

	bk_openssl_check(EVP_CipherFinal_ex(cipher->context, cipher->blocks, &given), "EVP_CipherFinal_ex");
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

/* A context that is closed with the memory it is in. */
static Cipher *
cipher_new(BkMemory memory, const BkDek *dek, const uint8 *iv, int encrypt)
{
	Cipher	   *cipher = bk_alloc_secret(memory, sizeof(*cipher));

	bk_memory_on_delete(memory, close_cipher, cipher);
	cipher->context = EVP_CIPHER_CTX_new();
	bk_openssl_check(cipher->context != NULL, "EVP_CIPHER_CTX_new");
	bk_openssl_check(EVP_CipherInit_ex2(cipher->context, bk_openssl_aes_256_cbc(),
										dek->cipher_key, iv, encrypt, NULL),
					 "EVP_CipherInit_ex2");
	return cipher;
}

BkFilter
bk_cipher_writer(BkMemory memory, const BkDek *dek, const uint8 iv[BK_IV_BYTES])
{
	return (BkFilter)
	{
		.layer = BK_LAYER_CIPHER,.process = process,.state = cipher_new(memory, dek, iv, 1)
	};
}

/* How many bytes of PKCS#7 padding end the blocks.  They are authentic, so the time that this takes tells nobody anything. */
static size_t
padding(const uint8 *bytes, size_t len, BkOrigin origin)
{
	uint8		count = len > 0 ? bytes[len - 1] : 0;
	bool		intact = count > 0 && count <= BLOCK_BYTES;

	for (size_t i = 1; intact && i <= count; i++)
		intact = bytes[len - i] == count;
	if (!intact)
		bk_fail(origin, "cipher", "the padding is not intact");
	return count;
}

/* Without OpenSSL's padding, which holds a block back, every byte is decrypted where it stands. */
size_t
bk_cipher_decrypt(BkMemory memory, const BkDek *dek, const uint8 iv[BK_IV_BYTES], uint8 *bytes, size_t len,
				  BkOrigin origin)
{
	Cipher	   *cipher = cipher_new(memory, dek, iv, 0);
	int			given;

	if (len % BLOCK_BYTES != 0)
		bk_fail(origin, "cipher", "%llu bytes are no whole number of blocks", (unsigned long long) len);
	bk_openssl_check(EVP_CIPHER_CTX_set_padding(cipher->context, 0), "EVP_CIPHER_CTX_set_padding");
	for (size_t done = 0; done < len; done += given)
	{
		BK_CHECK_INTERRUPTS();
		bk_openssl_check(EVP_CipherUpdate(cipher->context, bytes + done, &given, bytes + done,
										  (int) Min(len - done, PIECE_BYTES)),
						 "EVP_CipherUpdate");
	}
	return len - padding(bytes, len, origin);
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
