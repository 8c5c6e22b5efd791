/*
 * seal.c
 *		Proves archives, and gives their payloads to the payload layer.
 */
#include "archive/archive.h"

#include "keyring/wrap.h"
#include "payload/digest.h"

void
bk_archive_mac_key(const uint8 kek[BK_KEK_BYTES], BkDek *key)
{
	memset(key->cipher_key, 0, sizeof(key->cipher_key));
	bk_kek_archive_key(kek, key->mac_key);
}

void
bk_archive_prove(BkMemory memory, const BkArchive *archive, const BkDek *key)
{
	BkMemory	working = bk_memory_new(memory, "backup_service archive proof");
	BkHmac	   *hmac = bk_hmac_new(working, key);
	BkText		left = {archive->bytes.data, archive->bytes.len - BK_ARCHIVE_MAC_BYTES};
	uint8		found[BK_DIGEST_BYTES];
	bool		equal;

	while (left.len > 0)
	{
		BkText		piece = {left.data, Min(left.len, (size_t) BK_CHUNK_BYTES)};

		BK_CHECK_INTERRUPTS();
		bk_hmac_update(hmac, piece);
		left.data += piece.len;
		left.len -= piece.len;
	}
	bk_hmac_finish(hmac, found);
	equal = bk_digest_equal(found, (const uint8 *) left.data);
	bk_memory_delete(working);
	if (!equal)
		bk_fail(BK_ARGUMENT, "archive", "its MAC is another: it was changed or cut since it was made");
}

static bool
read_chunk(void *context, int32 *seq, BkText *chunk)
{
	BkArchiveChunks *chunks = context;

	if (chunks->given == chunks->stored.len)
		return false;
	*seq = chunks->next_seq++;
	*chunk = (BkText) {chunks->stored.data + chunks->given, Min(chunks->stored.len - chunks->given, (size_t) BK_CHUNK_BYTES)};
	chunks->given += chunk->len;
	return true;
}

BkChunkSource
bk_archive_source(BkArchiveChunks *chunks, BkText stored)
{
	*chunks = (BkArchiveChunks) {.stored = stored};
	return (BkChunkSource) {.read = read_chunk, .context = chunks};
}
