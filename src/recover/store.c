/*
 * store.c
 *		Reads archives, and puts what they hold in order.
 */
#include "recover/store.h"

#include "document/buffer.h"
#include "keyring/wrap.h"
#include "recover/file.h"
#include "recover/gaps.h"
#include "recover/report.h"

#include <stdlib.h>

#define SUFFIX	".bka"			/* of the files that archive_command is given */

struct BkStore
{
	BkMemory	memory;
	BkRecoverKeys *keys;
	int			archives;
	int			problems;

	/* entries, and the points that they are of */
	BkCopy	   *copies;
	size_t		room;
	int			count;
	BkRecoverPoint *points;
	int			point_count;

	/* the archive that was read last, which the next payload is often in too */
	BkMemory	open_memory;	/* NULL: none is open */
	const char *open_path;
	BkArchive	open;
};

BkStore *
bk_store_open(BkMemory memory, BkRecoverKeys *keys)
{
	BkStore    *store = bk_alloc_zero(memory, sizeof(*store));

	store->memory = memory;
	store->keys = keys;
	return store;
}

static void
close_archive(BkStore *store)
{
	if (store->open_memory)
		bk_memory_delete(store->open_memory);
	store->open_memory = NULL;
}

static void
prove(BkStore *store, BkMemory memory, const BkArchive *archive, const char *path)
{
	BkDek	   *key = bk_alloc_secret(memory, sizeof(BkDek));
	const uint8 *kek = bk_recover_key(store->keys, &archive->keys[0], path);

	if (kek == NULL)
		bk_fail(BK_ARGUMENT, "archive", "the master key of its seal is missing");
	bk_archive_mac_key(kek, key);
	bk_archive_prove(memory, archive, key);
}

/* Have an archive at hand.  It is proven each time: it may be another file by now. */
static const BkArchive *
open_archive(BkStore *store, const char *path)
{
	if (store->open_memory && strcmp(store->open_path, path) == 0)
		return &store->open;
	close_archive(store);
	store->open_memory = bk_memory_new(store->memory, "archive");
	store->open_path = path;
	BK_TRY
	{
		bk_archive_open(store->open_memory, bk_file_read(store->open_memory, path), &store->open);
		if (bk_recover_has_keys(store->keys))
			prove(store, store->open_memory, &store->open, path);
		bk_archive_read(store->open_memory, &store->open);
	}
	BK_CATCH
	{
		BkError		error = bk_last_error;

		close_archive(store);
		bk_fail(BK_ARGUMENT, error.check, "%s", error.message);
	}
	BK_END_TRY;
	return &store->open;
}

static BkText
copy_text(BkMemory memory, BkText text)
{
	char	   *copy;

	if (text.data == NULL)
		return text;
	copy = bk_alloc(memory, text.len + 1);
	memcpy(copy, text.data, text.len);
	return (BkText) {copy, text.len};
}

static BkCopy *
add_copy(BkStore *store)
{
	store->copies = bk_array_enlarge(store->memory, store->copies, &store->room, store->count + 1, sizeof(BkCopy));
	return &store->copies[store->count++];
}

/* Take over what outlives the archive's bytes. */
static void
add_entry(BkStore *store, const BkArchive *archive, const char *path, const BkArchiveEntry *entry, BkText resource_id)
{
	BkCopy	   *copy = add_copy(store);

	*copy = (BkCopy) {
		.path = path,
		.made_at = archive->made_at,
		.entry = *entry,
		.number = archive->number,
		.previous = archive->previous,
	};
	copy->entry.header.resource_id = resource_id;
	copy->entry.stored = BK_TEXT("");
	copy->entry.resource_type = copy_text(store->memory, entry->resource_type);
	copy->entry.version = copy_text(store->memory, entry->version);
	copy->entry.source = copy_text(store->memory, entry->source);
	copy->entry.tags = copy_text(store->memory, entry->tags);
	copy->entry.created_by = copy_text(store->memory, entry->created_by);
	if (entry->is_backup)
		copy->key = *bk_archive_find_key(archive, entry->key_version);
}

/* What was shipped before a backup has a place among the points, be it in an archive or not. */
static void
add_named(BkStore *store, const BkArchivePlace *place, BkText resource_id)
{
	if (place->backup_id == 0)
		return;
	*add_copy(store) = (BkCopy) {
		.entry.header = {.resource_id = resource_id, .backup_id = place->backup_id, .created_at = place->created_at},
		.number = place->number,
	};
}

static void
add_archive(BkStore *store, const char *path)
{
	BK_TRY
	{
		const BkArchive *archive = open_archive(store, path);
		BkText		resource_id = copy_text(store->memory, archive->resource_id);

		for (int i = 0; i < archive->entry_count; i++)
			add_entry(store, archive, path, &archive->entries[i], resource_id);
		add_named(store, &archive->previous, resource_id);
		store->archives++;
	}
	BK_CATCH
	{
		bk_report_error("\"%s\" is not a sound archive, or not ours: %s", path, bk_last_error.message);
		store->problems++;
	}
	BK_END_TRY;
}

void
bk_store_add(BkStore *store, const char *path)
{
	char	  **paths;
	int			count = bk_file_list(store->memory, path, SUFFIX, &paths);

	if (count < 0)
		add_archive(store, path);
	for (int i = 0; i < count; i++)
		add_archive(store, paths[i]);
}

static int
compare_numbers(int64 a, int64 b)
{
	return (a > b) - (a < b);
}

static int
compare_texts(BkText a, BkText b)
{
	int			order = memcmp(a.data, b.data, Min(a.len, b.len));

	return order ? order : compare_numbers(a.len, b.len);
}

static int
compare_identity(BkText resource_id, int64 created_at, int64 backup_id, BkText other_id, int64 other_at, int64 other_backup)
{
	int			order = compare_texts(resource_id, other_id);

	if (order == 0)
		order = compare_numbers(created_at, other_at);
	return order ? order : compare_numbers(backup_id, other_backup);
}

static int
compare_copies(const void *one, const void *other)
{
	const BkCopy *a = one;
	const BkCopy *b = other;
	int			order = compare_identity(a->entry.header.resource_id, a->entry.header.created_at, a->entry.header.backup_id,
										 b->entry.header.resource_id, b->entry.header.created_at, b->entry.header.backup_id);

	if (order == 0)
		order = b->entry.is_backup - a->entry.is_backup;
	if (order == 0)
		order = (a->path == NULL) - (b->path == NULL);
	/* what needs no other */
	if (order == 0)
		order = compare_numbers(a->entry.header.base_id != 0, b->entry.header.base_id != 0);
	return order ? order : compare_numbers(b->made_at, a->made_at);
}

static bool
is_of(const BkRecoverPoint *point, const BkCopy *copy)
{
	return compare_identity(point->resource_id, point->created_at, point->backup_id, copy->entry.header.resource_id,
							copy->entry.header.created_at, copy->entry.header.backup_id) == 0;
}

/*
 * A point for the copies from one on.  One that is but named needs an older one that is there: nobody misses what was
 * removed from the front.
 */
static BkRecoverPoint *
add_point(BkStore *store, const BkCopy *copy)
{
	const BkRecoverPoint *before = store->point_count > 0 ? &store->points[store->point_count - 1] : NULL;
	BkText		resource_id = copy->entry.header.resource_id;

	if (copy->path == NULL && (before == NULL || !bk_text_equal(before->resource_id, resource_id)))
		return NULL;
	store->points[store->point_count] = (BkRecoverPoint) {
		.resource_id = resource_id,
		.backup_id = copy->entry.header.backup_id,
		.created_at = copy->entry.header.created_at,
		.copies = copy,
		.is_missing = copy->path == NULL,
	};
	return &store->points[store->point_count++];
}

int
bk_store_points(BkStore *store, BkRecoverPoint **points)
{
	BkRecoverPoint *point = NULL;

	if (store->count > 1)
		qsort(store->copies, store->count, sizeof(BkCopy), compare_copies);
	store->points = bk_alloc_zero(store->memory, Max(store->count, 1) * sizeof(BkRecoverPoint));
	for (int i = 0; i < store->count; i++)
	{
		const BkCopy *copy = &store->copies[i];

		if (point == NULL || !is_of(point, copy))
			point = add_point(store, copy);
		if (point == NULL || copy->path == NULL)
			continue;
		point->count++;
		point->is_backup |= copy->entry.is_backup;
		point->is_live |= copy->entry.is_backup && copy->entry.point == BK_ARCHIVE_POINT_LIVE;
	}
	bk_gaps_note(store->points, store->point_count);
	*points = store->points;
	return store->point_count;
}

const BkRecoverPoint *
bk_store_find(const BkStore *store, BkText resource_id, int64 backup_id, int64 created_at)
{
	int			low = 0;
	int			high = store->point_count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;
		const BkRecoverPoint *point = &store->points[middle];
		int			order = compare_identity(point->resource_id, point->created_at, point->backup_id,
											 resource_id, created_at, backup_id);

		if (order == 0)
			return point->is_backup ? point : NULL;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

int
bk_store_archives(const BkStore *store)
{
	return store->archives;
}

int
bk_store_problems(const BkStore *store)
{
	return store->problems;
}

/* Where a backup's payload is in an archive. */
static BkText
find_stored(const BkArchive *archive, const BkArchiveEntry *wanted)
{
	for (int i = 0; i < archive->entry_count; i++)
		if (archive->entries[i].is_backup && archive->entries[i].header.backup_id == wanted->header.backup_id)
			return archive->entries[i].stored;
	bk_fail((BkOrigin) {wanted->header.backup_id}, "archive", "it is not in the file any more");
}

BkText
bk_store_payload(BkStore *store, BkMemory memory, const BkCopy *copy, BkDek *dek)
{
	const uint8 *kek = bk_recover_key(store->keys, &copy->key, copy->path);
	BkArchiveChunks chunks;
	BkChunkSource source = bk_archive_source(&chunks, find_stored(open_archive(store, copy->path), &copy->entry));

	if (kek == NULL)
		bk_fail((BkOrigin) {copy->entry.header.backup_id}, "key", "its master key is missing");
	bk_dek_unwrap(kek, copy->entry.wrapped_key, dek, (BkOrigin) {copy->entry.header.backup_id});
	return bk_payload_read(memory, dek, &copy->entry.header, &copy->entry.seal, &source, NULL);
}
