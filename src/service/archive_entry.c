/*
 * archive_entry.c
 *		Turns rows into entries of an archive.
 */
#include "service/archive_entry.h"

#include "document/document.h"
#include "mb/pg_wchar.h"
#include "service/stored.h"
#include "service/unix_time.h"

BkText
bk_archive_text(const char *text)
{
	const char *converted;

	if (text == NULL)
		return (BkText) {NULL, 0};
	converted = pg_server_to_any(text, strlen(text), PG_UTF8);
	return (BkText) {converted, strlen(converted)};
}

void
bk_archive_fill_backup(const BkBackup *backup, BkArchiveEntry *entry)
{
	bk_backup_check(backup);
	if (!backup->key_known)
		bk_fail((BkOrigin) {backup->backup_id}, "header", "the catalog has no key version %d", backup->key_version);
	entry->is_backup = true;
	bk_stored_header(backup, &entry->header);
	bk_stored_seal(backup, &entry->seal);
	entry->key_version = backup->key_version;
	memcpy(entry->wrapped_key, backup->wrapped_key, BK_WRAPPED_DEK_BYTES);
	entry->resource_type = bk_archive_text(backup->resource_type);
	entry->version = bk_archive_text(backup->version);
	entry->source = bk_archive_text(backup->source);
	entry->tags = bk_document_from_jsonb(CurrentMemoryContext, backup->tags);
	entry->created_by = bk_archive_text(backup->created_by);
	entry->completed_at = bk_unix_time(backup->completed_at);
	entry->expires = backup->expires_at != 0;
	entry->expires_at = entry->expires ? bk_unix_time(backup->expires_at) : 0;
}

void
bk_archive_fill_point(const BkPoint *point, BkArchiveEntry *entry)
{
	entry->header.backup_id = point->backup_id;
	entry->header.created_at = bk_unix_time(point->created_at);
	entry->point = point->removed_at == 0 ? BK_ARCHIVE_POINT_LIVE : BK_ARCHIVE_POINT_REMOVED;
	entry->removed_at = bk_unix_time(point->removed_at);
	entry->counts = point->counts;
}

static int
compare_keys(const void *a, const void *b)
{
	int32		left = ((const BkArchiveKey *) a)->version;
	int32		right = ((const BkArchiveKey *) b)->version;

	return (left > right) - (left < right);
}

static void
add_key(BkArchive *archive, const BkBackup *backup)
{
	for (int i = 0; i < archive->key_count; i++)
		if (archive->keys[i].version == backup->key_version)
			return;
	archive->keys = repalloc(archive->keys, sizeof(BkArchiveKey) * (archive->key_count + 1));
	archive->keys[archive->key_count].version = backup->key_version;
	memcpy(archive->keys[archive->key_count++].fingerprint, backup->fingerprint, BK_FINGERPRINT_BYTES);
}

void
bk_archive_fill_keys(BkKeys *keys, const BkBackup *backups, int count, BkArchive *archive)
{
	archive->keys = palloc0(sizeof(BkArchiveKey));
	archive->key_count = 1;
	archive->keys[0].version = bk_keys_active(keys);
	(void) bk_keys_active_kek(keys, archive->keys[0].fingerprint);
	for (int i = 0; i < count; i++)
		add_key(archive, &backups[i]);
	qsort(archive->keys + 1, archive->key_count - 1, sizeof(BkArchiveKey), compare_keys);
}
