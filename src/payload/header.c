/*
 * header.c
 *		Encodes and decodes the header, byte by byte, and closes the MAC with it.
 */
#include "payload/header.h"

#include "common/encode.h"

/* All fields but the resource's name. */
#define FIXED_BYTES		(1 + 4 + 2 * 8 + 3 + 3 * 8 + BK_DIGEST_BYTES + BK_IV_BYTES + 8)

BkText
bk_header_encode(BkMemory memory, const BkPayloadHeader *header)
{
	size_t		len = FIXED_BYTES + header->resource_id.len;
	uint8	   *bytes = bk_alloc(memory, len);
	uint8	   *to = bytes;

	to = bk_put_integer(to, BK_HEADER_FORMAT, 1);
	to = bk_put_integer(to, header->resource_id.len, 4);
	to = bk_put_bytes(to, header->resource_id.data, header->resource_id.len);
	to = bk_put_integer(to, header->backup_id, 8);
	to = bk_put_integer(to, header->base_id, 8);
	to = bk_put_integer(to, header->type, 1);
	to = bk_put_integer(to, header->compression, 1);
	to = bk_put_integer(to, header->encrypted, 1);
	to = bk_put_integer(to, header->size, 8);
	to = bk_put_integer(to, header->stored_size, 8);
	to = bk_put_integer(to, header->document_size, 8);
	to = bk_put_bytes(to, header->document_digest, BK_DIGEST_BYTES);
	to = bk_put_bytes(to, header->iv, BK_IV_BYTES);
	to = bk_put_integer(to, header->created_at, 8);
	Assert(to == bytes + len);
	return (BkText) {(char *) bytes, len};
}

bool
bk_header_decode(BkText *bytes, BkPayloadHeader *header)
{
	const uint8 *at = (const uint8 *) bytes->data;
	size_t		name_len;

	if (bytes->len < FIXED_BYTES || at[0] != BK_HEADER_FORMAT)
		return false;
	name_len = bk_get_integer(at + 1, 4);
	if (name_len > bytes->len - FIXED_BYTES)
		return false;
	header->resource_id = (BkText) {bytes->data + 5, name_len};
	at += 5 + name_len;
	header->backup_id = bk_get_integer(at, 8);
	header->base_id = bk_get_integer(at + 8, 8);
	header->type = at[16];
	header->compression = at[17];
	header->encrypted = at[18];
	header->size = bk_get_integer(at + 19, 8);
	header->stored_size = bk_get_integer(at + 27, 8);
	header->document_size = bk_get_integer(at + 35, 8);
	memcpy(header->document_digest, at + 43, BK_DIGEST_BYTES);
	memcpy(header->iv, at + 43 + BK_DIGEST_BYTES, BK_IV_BYTES);
	header->created_at = bk_get_integer(at + 43 + BK_DIGEST_BYTES + BK_IV_BYTES, 8);
	bytes->data += FIXED_BYTES + name_len;
	bytes->len -= FIXED_BYTES + name_len;
	return true;
}

void
bk_header_seal(BkMemory memory, BkHmac *hmac, const BkPayloadHeader *header,
			   uint8 mac[BK_DIGEST_BYTES])
{
	BkText		encoded = bk_header_encode(memory, header);
	uint8		length[4];

	bk_put_integer(length, encoded.len, sizeof(length));
	bk_hmac_update(hmac, encoded);
	bk_hmac_update(hmac, (BkText) {(char *) length, sizeof(length)});
	bk_hmac_finish(hmac, mac);
}
