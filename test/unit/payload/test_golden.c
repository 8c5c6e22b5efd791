/*
 * test_golden.c
 *		Are the bytes still those that docs/format.md describes?
 *
 * gcc -std=gnu11 -DFRONTEND -I../../../src test_golden.c store.c
 *     and all of src/common, src/payload, src/keyring/wrap.c: see run.sh.
 *
 * The expected values were made with the openssl command and Python, not with
 * this code.
 */
#include "store.h"
#include "tap.h"

#include "keyring/wrap.h"
#include "payload/digest.h"
#include "payload/header.h"

/* Compare bytes with hex digits. */
static bool
is_hex(const void *bytes, size_t size, const char *hex)
{
	char	   *text = malloc(2 * size + 1);
	bool		same;

	for (size_t i = 0; i < size; i++)
		sprintf(text + 2 * i, "%02x", ((const uint8 *) bytes)[i]);
	same = strcmp(text, hex) == 0;
	if (!same)
		printf("# %s\n", text);
	free(text);
	return same;
}

/* The worked example of docs/format.md. */
static BkPayloadHeader
example_header(void)
{
	BkPayloadHeader header = {
		.resource_id = BK_TEXT("user:42"),.backup_id = 2,.base_id = 1,.type = BK_TYPE_INCREMENTAL,
		.compression = BK_COMPRESSION_NONE,.encrypted = true,.size = 11,.stored_size = 16,
		.document_size = 300,.created_at = INT64_C(1767225600000001)
	};

	for (int i = 0; i < BK_DIGEST_BYTES; i++)
		header.document_digest[i] = i;
	for (int i = 0; i < BK_IV_BYTES; i++)
		header.iv[i] = 0xa0 + i;
	return header;
}

static void
test_header(BkMemory memory)
{
	BkPayloadHeader header = example_header();
	BkText		encoded = bk_header_encode(memory, &header);
	BkDek		dek = {{0}, {0}};
	BkHmac	   *hmac;
	uint8		mac[BK_DIGEST_BYTES];

	ok(is_hex(encoded.data, encoded.len,
			  "01" "00000007" "757365723a3432" "0000000000000002" "0000000000000001"
			  "02" "00" "01" "000000000000000b" "0000000000000010" "000000000000012c"
			  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
			  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf" "0006474846204001"), "an encoded header");
	memset(dek.mac_key, 0x6b, sizeof(dek.mac_key));
	hmac = bk_hmac_new(memory, &dek);
	bk_hmac_update(hmac, BK_TEXT("0123456789abcdef"));
	bk_header_seal(memory, hmac, &header, mac);
	ok(is_hex(mac, sizeof(mac), "7c7b5a36fd1df795534845e3aa0145dafccc3373f852d366dedf8c746b5138f3"), "a MAC of 16 stored bytes and that header");
	bk_document_digest(&dek, BK_TEXT("{\"a\": 1}"), mac);
	ok(is_hex(mac, sizeof(mac), "75f51842999e63335eb273d937ca55cd5c04db2b0b1f307f9f392442150010c6"), "a document's digest");
}

static void
test_wrap(void)
{
	uint8		kek[BK_KEK_BYTES];
	BkDek		dek;
	uint8		wrapped[BK_WRAPPED_DEK_BYTES];
	uint8		fingerprint[BK_FINGERPRINT_BYTES];

	/* key and data of RFC 3394, 4.6, the data twice */
	for (int i = 0; i < BK_KEK_BYTES; i++)
		kek[i] = i;
	for (int i = 0; i < 16; i++)
	{
		dek.cipher_key[i] = dek.mac_key[i] = i * 0x11;
		dek.cipher_key[16 + i] = dek.mac_key[16 + i] = i;
	}
	bk_dek_wrap(kek, &dek, wrapped);
	ok(is_hex(wrapped, sizeof(wrapped),
			  "ff465f26cef4469a52c993ae75023bcd6a83c634f76aaba2f185ea299afc420fd676ed95a7391853"
			  "3507cae6ee9d61a940d154f9084e0952820bd078c8eb7b351ff9074dc6ca8889"), "a wrapped data key");
	bk_kek_fingerprint(kek, fingerprint);
	ok(is_hex(fingerprint, sizeof(fingerprint),
			  "989e8b432459d21fcf6f10367a5da647180e05322fbeb4fd9bc67ffd571f220f"),
	   "a master key's fingerprint");
}

int
main(void)
{
	BkMemory	memory = bk_memory_new(NULL, "main");

	test_header(memory);
	test_wrap();
	bk_memory_delete(memory);
	return tap_done();
}
