/*
 * sample.c
 *		Makes archives.
 */
#include "sample.h"

#include "keyring/wrap.h"
#include "payload/digest.h"

typedef struct Collected
{
	BkMemory	memory;
	char	   *data;
	size_t		len;
} Collected;

static void
collect(void *context, int32 seq pg_attribute_unused(), BkText chunk)
{
	Collected  *to = context;

	to->data = bk_realloc(to->memory, to->data, to->len + chunk.len);
	memcpy(to->data + to->len, chunk.data, chunk.len);
	to->len += chunk.len;
}

/* A backup of a text, with its payload. */
static BkText
fill_backup(BkMemory memory, Sample *sample, BkArchiveEntry *entry, int64 backup_id, const BkArchiveEntry *base, BkText text)
{
	Collected	collected = {.memory = memory};
	BkChunkSink sink = {collect, &collected};

	entry->is_backup = true;
	entry->point = BK_ARCHIVE_POINT_LIVE;
	entry->header = (BkPayloadHeader) {
		.resource_id = BK_TEXT("a resource"), .backup_id = backup_id, .base_id = base ? base->header.backup_id : 0,
		.type = base ? BK_TYPE_INCREMENTAL : BK_TYPE_FULL, .compression = BK_COMPRESSION_NONE, .encrypted = true,
		.document_size = 7, .created_at = 1000 + backup_id,
	};
	bk_payload_write(memory, text, sample->dek, &entry->header, &entry->seal, &sink);
	entry->base_created_at = base ? base->header.created_at : 0;
	entry->key_version = 3;
	bk_dek_wrap(sample->kek, sample->dek, entry->wrapped_key);
	entry->resource_type = BK_TEXT("document");
	entry->tags = BK_TEXT("{}");
	entry->created_by = BK_TEXT("anna");
	entry->completed_at = 2000 + backup_id;
	return (BkText) {collected.data, collected.len};
}

static Sample *
begin(BkMemory memory, BkArchiveKind kind, int entries)
{
	Sample	   *sample = bk_alloc_zero(memory, sizeof(Sample));
	BkArchive  *archive = &sample->archive;

	memset(sample->kek, 7, sizeof(sample->kek));
	sample->dek = bk_alloc_secret(memory, sizeof(BkDek));
	memset(sample->dek, 8, sizeof(BkDek));
	sample->key = bk_alloc_secret(memory, sizeof(BkDek));
	bk_archive_mac_key(sample->kek, sample->key);
	archive->kind = kind;
	archive->made_by = BK_TEXT("test");
	archive->made_at = 3000;
	archive->resource_id = BK_TEXT("a resource");
	archive->resource_type = BK_TEXT("document");
	archive->owner = BK_TEXT("anna");
	archive->key_count = 3;
	archive->keys = bk_alloc_zero(memory, 3 * sizeof(BkArchiveKey));
	archive->keys[0].version = 4;
	archive->keys[1].version = 1;
	archive->keys[2].version = 3;
	for (int i = 0; i < 3; i++)
		bk_kek_fingerprint(sample->kek, archive->keys[i].fingerprint);
	archive->entry_count = entries;
	archive->entries = bk_alloc_zero(memory, entries * sizeof(BkArchiveEntry));
	return sample;
}

Sample *
sample_new(BkMemory memory)
{
	Sample	   *sample = begin(memory, BK_ARCHIVE_RESOURCE, 4);
	BkArchive  *archive = &sample->archive;
	BkArchiveEntry *entries = archive->entries;

	sample->stored[0] = fill_backup(memory, sample, &entries[0], 1, NULL, BK_TEXT("{\"a\": 1}"));
	entries[1] = (BkArchiveEntry) {
		.header = {.backup_id = 2, .created_at = 1002}, .point = BK_ARCHIVE_POINT_REMOVED, .removed_at = 1500, .counts = true,
	};
	sample->stored[1] = fill_backup(memory, sample, &entries[2], 3, &entries[0],
									BK_TEXT("{\"changes\": [{\"key\": \"a\", \"newValue\": 2}]}"));
	entries[2].version = BK_TEXT("v");
	entries[2].source = BK_TEXT("");
	entries[2].tags = BK_TEXT("{\"t\": \"x\"}");
	entries[2].expires = true;
	entries[2].expires_at = -5;
	entries[2].point = BK_ARCHIVE_POINT_REMOVED;
	entries[2].removed_at = 1600;
	sample->stored[2] = fill_backup(memory, sample, &entries[3], 4, NULL, BK_TEXT("{\"a\": 3}"));
	entries[3].point = BK_ARCHIVE_POINT_NONE;
	archive->hold_count = 2;
	archive->holds = bk_alloc_zero(memory, 2 * sizeof(BkArchiveHold));
	archive->holds[0] = (BkArchiveHold) {1, BK_TEXT("h"), BK_TEXT("why"), true, 9000, BK_TEXT("anna"), 1100};
	archive->holds[1] = (BkArchiveHold) {3, BK_TEXT("h"), BK_TEXT("why"), false, 0, BK_TEXT("bob"), 1200};
	return sample;
}

Sample *
sample_single(BkMemory memory)
{
	Sample	   *sample = begin(memory, BK_ARCHIVE_BACKUP, 1);
	BkArchiveEntry base = {.header = {.backup_id = 1, .created_at = 1001}};

	sample->stored[0] = fill_backup(memory, sample, sample->archive.entries, 2, &base, BK_TEXT("{}"));
	sample->archive.number = 5;
	sample->archive.previous = (BkArchivePlace) {1, 1001, 3};
	return sample;
}

BkText
sample_write(BkMemory memory, const Sample *sample)
{
	BkText		head = bk_archive_write_head(memory, &sample->archive);
	size_t		len = head.len + bk_archive_payload_bytes(&sample->archive) + BK_ARCHIVE_MAC_BYTES;
	char	   *bytes = bk_alloc(memory, len);
	char	   *to = bytes;

	memcpy(to, head.data, head.len);
	to += head.len;
	for (int i = 0; i < 3; i++)
		if (sample->stored[i].data)
		{
			memcpy(to, sample->stored[i].data, sample->stored[i].len);
			to += sample->stored[i].len;
		}
	sample_seal(memory, sample, (BkText) {bytes, len});
	return (BkText) {bytes, len};
}

void
sample_seal(BkMemory memory, const Sample *sample, BkText bytes)
{
	BkHmac	   *hmac = bk_hmac_new(memory, sample->key);

	bytes.len -= BK_ARCHIVE_MAC_BYTES;
	bk_hmac_update(hmac, bytes);
	bk_hmac_finish(hmac, (uint8 *) bytes.data + bytes.len);
}
