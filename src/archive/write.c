/*
 * write.c
 *		Writes what stands before the payloads of an archive.
 */
#include "archive/archive.h"

#include "archive/encoding.h"
#include "common/encode.h"
#include "document/buffer.h"
#include "payload/header.h"

static void
add_integer(BkBuffer *to, uint64 value, int width)
{
	uint8		bytes[8];

	bk_put_integer(bytes, value, width);
	bk_buffer_append(to, (const char *) bytes, width);
}

static void
add_bytes(BkBuffer *to, const uint8 *bytes, size_t count)
{
	bk_buffer_append(to, (const char *) bytes, count);
}

static void
add_text(BkBuffer *to, BkText text)
{
	if (text.data == NULL)
	{
		add_integer(to, BK_ARCHIVE_NULL, 4);
		return;
	}
	if (text.len >= BK_ARCHIVE_NULL)
		bk_fail_limit("an archive cannot hold a label of %llu bytes", (unsigned long long) text.len);
	add_integer(to, text.len, 4);
	bk_buffer_append_text(to, text);
}

/* A time that may be null. */
static void
add_time(BkBuffer *to, bool there, int64 time)
{
	add_integer(to, there ? 8 : BK_ARCHIVE_NULL, 4);
	if (there)
		add_integer(to, time, 8);
}

static void
add_tombstone(BkBuffer *to, const BkArchiveEntry *entry)
{
	add_integer(to, BK_ARCHIVE_ENTRY_TOMBSTONE, 1);
	add_integer(to, entry->header.backup_id, 8);
	add_integer(to, entry->header.created_at, 8);
	add_integer(to, entry->removed_at, 8);
	add_integer(to, entry->counts, 1);
}

static void
add_backup(BkBuffer *to, const BkArchiveEntry *entry)
{
	BkText		header = bk_header_encode(to->memory, &entry->header);

	add_integer(to, BK_ARCHIVE_ENTRY_BACKUP, 1);
	bk_buffer_append_text(to, header);
	bk_free(to->memory, (char *) header.data);
	add_bytes(to, entry->seal.checksum, BK_DIGEST_BYTES);
	add_bytes(to, entry->seal.mac, BK_DIGEST_BYTES);
	add_integer(to, entry->base_created_at, 8);
	add_integer(to, entry->key_version, 4);
	add_bytes(to, entry->wrapped_key, BK_WRAPPED_DEK_BYTES);
	add_text(to, entry->resource_type);
	add_text(to, entry->version);
	add_text(to, entry->source);
	add_text(to, entry->tags);
	add_text(to, entry->created_by);
	add_integer(to, entry->completed_at, 8);
	add_time(to, entry->expires, entry->expires_at);
	add_integer(to, entry->point, 1);
	if (entry->point == BK_ARCHIVE_POINT_REMOVED)
	{
		add_integer(to, entry->removed_at, 8);
		add_integer(to, entry->counts, 1);
	}
}

static void
add_hold(BkBuffer *to, const BkArchiveHold *hold)
{
	add_integer(to, hold->backup_id, 8);
	add_text(to, hold->name);
	add_text(to, hold->reason);
	add_time(to, hold->ends, hold->until);
	add_text(to, hold->created_by);
	add_integer(to, hold->created_at, 8);
}

/* Where the backup stands among those that were shipped. */
static void
add_place(BkBuffer *to, const BkArchive *archive)
{
	add_integer(to, archive->number, 8);
	add_integer(to, archive->previous.backup_id, 8);
	add_integer(to, archive->previous.created_at, 8);
	add_integer(to, archive->previous.number, 8);
}

static void
add_manifest(BkBuffer *to, const BkArchive *archive)
{
	add_integer(to, archive->kind, 1);
	add_text(to, archive->made_by);
	add_integer(to, archive->made_at, 8);
	add_text(to, archive->resource_id);
	add_text(to, archive->resource_type);
	add_text(to, archive->owner);
	add_integer(to, archive->key_count, 4);
	for (int i = 0; i < archive->key_count; i++)
	{
		add_integer(to, archive->keys[i].version, 4);
		add_bytes(to, archive->keys[i].fingerprint, BK_FINGERPRINT_BYTES);
	}
	add_integer(to, archive->entry_count, 4);
	for (int i = 0; i < archive->entry_count; i++)
	{
		BK_CHECK_INTERRUPTS();
		if (archive->entries[i].is_backup)
			add_backup(to, &archive->entries[i]);
		else
			add_tombstone(to, &archive->entries[i]);
	}
	add_integer(to, archive->hold_count, 4);
	for (int i = 0; i < archive->hold_count; i++)
		add_hold(to, &archive->holds[i]);
	if (archive->kind == BK_ARCHIVE_BACKUP)
		add_place(to, archive);
}

BkText
bk_archive_write_head(BkMemory memory, const BkArchive *archive)
{
	BkBuffer	to;

	bk_buffer_init(&to, memory, 1024, SIZE_MAX / 4);
	bk_buffer_append(&to, BK_ARCHIVE_MAGIC, BK_ARCHIVE_MAGIC_BYTES);
	add_integer(&to, BK_ARCHIVE_FORMAT, 1);
	add_integer(&to, 0, 8);
	add_integer(&to, bk_archive_payload_bytes(archive), 8);
	add_manifest(&to, archive);
	bk_put_integer((uint8 *) to.data + BK_ARCHIVE_MAGIC_BYTES + 1, to.len - BK_ARCHIVE_HEAD_BYTES, 8);
	return bk_buffer_text(&to);
}

uint64
bk_archive_payload_bytes(const BkArchive *archive)
{
	uint64		sum = 0;

	for (int i = 0; i < archive->entry_count; i++)
	{
		uint64		stored = archive->entries[i].is_backup ? archive->entries[i].header.stored_size : 0;

		if (stored > INT64_MAX - sum)
			bk_fail_limit("the backups of an archive are too large together");
		sum += stored;
	}
	return sum;
}
