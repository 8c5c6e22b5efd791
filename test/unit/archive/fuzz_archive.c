/*
 * fuzz_archive.c
 *		libFuzzer: any bytes as an archive, properly sealed, so that everything behind the seal
 *		gets to see them; and changes of one that is sound.
 *
 * The first byte says which: 0 the bytes as they come, else a sound archive with the bytes put over it at the
 * place that the next two say.
 */
#include "sample.h"

#include <stdlib.h>

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static BkText
input(BkMemory memory, const Sample *sample, const uint8_t *data, size_t size)
{
	BkText		bytes;
	size_t		at;

	if (data[0] == 0)
	{
		char	   *copy = bk_alloc(memory, size - 3);

		memcpy(copy, data + 3, size - 3);
		return (BkText) {copy, size - 3};
	}
	bytes = sample_write(memory, sample);
	at = (size_t) (data[1] << 8 | data[2]) % bytes.len;
	memcpy((char *) bytes.data + at, data + 3, Min(size - 3, bytes.len - at));
	return bytes;
}

/* What was read makes sense: the payloads can be asked for, and every key is there. */
static void
use(BkMemory memory, const Sample *sample, const BkArchive *archive)
{
	for (int i = 0; i < archive->entry_count; i++)
	{
		const BkArchiveEntry *entry = &archive->entries[i];
		BkArchiveChunks chunks;
		BkChunkSource source = bk_archive_source(&chunks, entry->stored);

		if (!entry->is_backup)
			continue;
		if (bk_archive_find_key(archive, entry->key_version) == NULL)
			abort();
		BK_TRY
		{
			(void) bk_payload_read(memory, sample->dek, &entry->header, &entry->seal, &source, NULL);
		}
		BK_CATCH
		{
			if (strcmp(bk_last_error.sqlstate, "XX001") != 0)
				abort();
		}
		BK_END_TRY;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	BkMemory	memory;
	Sample	   *sample;
	BkText		bytes;
	BkArchive	archive;

	if (size < 4 || size > 65536)
		return 0;
	memory = bk_memory_new(NULL, "fuzz");
	sample = data[0] & 1 ? sample_single(memory) : sample_new(memory);
	bytes = input(memory, sample, data, size);
	if (bytes.len >= BK_ARCHIVE_MAC_BYTES)
		sample_seal(memory, sample, bytes);
	BK_TRY
	{
		bk_archive_open(memory, bytes, &archive);
		bk_archive_prove(memory, &archive, sample->key);
		bk_archive_read(memory, &archive);
		use(memory, sample, &archive);
	}
	BK_CATCH
	{
		/* nothing but a refusal is right here */
		if (strcmp(bk_last_error.sqlstate, "22023") != 0 || strcmp(bk_last_error.check, "archive") != 0)
			abort();
	}
	BK_END_TRY;
	bk_memory_delete(memory);
	return 0;
}
