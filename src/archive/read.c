/*
 * read.c
 *		Reads the manifest of an archive, whoever has made it.
 *
 * A manifest that is read agrees with itself: ids occur once, times ascend, a base stands before
 * what builds on it, every key version that is used is listed, and the payloads fill the rest of the archive.
 */
#include "archive/archive.h"

#include "archive/encoding.h"
#include "common/encode.h"
#include "payload/header.h"


#define fail(...)	bk_fail(BK_ARGUMENT, "archive", __VA_ARGS__)

/* The first count bytes of what is left, which the message calls what. */
static BkText
take(BkText *from, uint64 count, const char *what)
{
	BkText		taken = {from->data, count};

	if (count > from->len)
		fail("it ends within its %s", what);
	from->data += count;
	from->len -= count;
	return taken;
}

static uint64
take_integer(BkText *from, int width, const char *what)
{
	return bk_get_integer((const uint8 *) take(from, width, what).data, width);
}

static void
take_bytes(BkText *from, uint8 *bytes, size_t count, const char *what)
{
	memcpy(bytes, take(from, count, what).data, count);
}

static bool
take_bool(BkText *from, const char *what)
{
	uint64		value = take_integer(from, 1, what);

	if (value > 1)
		fail("its %s is neither yes nor no", what);
	return value == 1;
}

/* A text that may be null. */
static BkText
take_label(BkText *from, const char *what)
{
	uint64		len = take_integer(from, 4, what);

	if (len == BK_ARCHIVE_NULL)
		return (BkText) {NULL, 0};
	return take(from, len, what);
}

static BkText
take_text(BkText *from, const char *what)
{
	BkText		text = take_label(from, what);

	if (text.data == NULL)
		fail("its %s is null", what);
	return text;
}

/* A time that may be null: false then. */
static bool
take_time(BkText *from, int64 *time, const char *what)
{
	BkText		encoded = take_label(from, what);

	if (encoded.data != NULL && encoded.len != 8)
		fail("its %s is no time", what);
	*time = encoded.data ? (int64) bk_get_integer((const uint8 *) encoded.data, 8) : 0;
	return encoded.data != NULL;
}

/* A number of items that take at least so many bytes each. */
static int
take_count(BkText *from, size_t least, const char *what)
{
	uint64		count = take_integer(from, 4, what);

	if (count > from->len / least || count > INT32_MAX)
		fail("it cannot hold %llu %s", (unsigned long long) count, what);
	return (int) count;
}

static void
read_keys(BkMemory memory, BkText *from, BkArchive *archive)
{
	archive->key_count = take_count(from, BK_ARCHIVE_LEAST_KEY, "key versions");
	if (archive->key_count == 0)
		fail("it names no key version");
	archive->keys = bk_alloc_zero(memory, archive->key_count * sizeof(BkArchiveKey));
	for (int i = 0; i < archive->key_count; i++)
	{
		uint64		version = take_integer(from, 4, "key versions");

		BK_CHECK_INTERRUPTS();
		/* so that looking through them, here and later, costs nothing: nobody rotates more often */
		if (version == 0 || version > INT32_MAX || (i > 1 && (int64) version <= archive->keys[i - 1].version))
			fail("its key versions are not in order");
		archive->keys[i].version = (int32) version;
		if (i > 0 && archive->keys[i].version == archive->keys[0].version)
			fail("its key versions are not in order");
		take_bytes(from, archive->keys[i].fingerprint, BK_FINGERPRINT_BYTES, "key versions");
	}
}

/* The first seals; the others are in order of their versions. */
const BkArchiveKey *
bk_archive_find_key(const BkArchive *archive, int32 version)
{
	int			low = 1;
	int			high = archive->key_count;

	if (archive->keys[0].version == version)
		return &archive->keys[0];
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (archive->keys[middle].version == version)
			return &archive->keys[middle];
		if (archive->keys[middle].version < version)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void
read_removal(BkText *from, BkArchiveEntry *entry)
{
	entry->point = BK_ARCHIVE_POINT_REMOVED;
	entry->removed_at = take_integer(from, 8, "tombstone");
	entry->counts = take_bool(from, "tombstone");
}

static void
read_tombstone(BkText *from, BkArchiveEntry *entry)
{
	entry->header.backup_id = take_integer(from, 8, "tombstone");
	entry->header.created_at = take_integer(from, 8, "tombstone");
	read_removal(from, entry);
}

/* What the payload layer takes for granted, and what a backup cannot be. */
static void
check_header(const BkArchive *archive, const BkPayloadHeader *header)
{
	long long	id = header->backup_id;

	if (!bk_text_equal(header->resource_id, archive->resource_id))
		fail("backup %lld is of another resource", id);
	if (header->type < BK_TYPE_FULL || header->type > BK_TYPE_DIFFERENTIAL)
		fail("backup %lld has an unknown type", id);
	if (header->compression > BK_COMPRESSION_ZSTD)
		fail("backup %lld has an unknown compression", id);
	if ((header->type == BK_TYPE_FULL) != (header->base_id == 0))
		fail("backup %lld has no base that fits its type", id);
	if (header->size <= 0 || header->stored_size <= 0 || header->document_size <= 0)
		fail("backup %lld has a size that cannot be", id);
}

static void
read_header(BkText *from, const BkArchive *archive, BkArchiveEntry *entry)
{
	const char *begin = from->data;

	if (!bk_header_decode(from, &entry->header))
		fail("the header of a backup is cut or of another format");
	/* the byte that is a bool of ours by now */
	if ((uint8) begin[5 + entry->header.resource_id.len + 18] > 1)
		fail("backup %lld is neither encrypted nor not", (long long) entry->header.backup_id);
	check_header(archive, &entry->header);
}

static void
read_point(BkText *from, BkArchiveEntry *entry)
{
	uint64		point = take_integer(from, 1, "recovery point");

	if (point > BK_ARCHIVE_POINT_REMOVED)
		fail("backup %lld has an unknown recovery point", (long long) entry->header.backup_id);
	entry->point = (BkArchivePoint) point;
	if (entry->point == BK_ARCHIVE_POINT_REMOVED)
		read_removal(from, entry);
}

static void
read_backup(BkText *from, const BkArchive *archive, BkArchiveEntry *entry)
{
	uint64		key_version;

	entry->is_backup = true;
	read_header(from, archive, entry);
	take_bytes(from, entry->seal.checksum, BK_DIGEST_BYTES, "checksum");
	take_bytes(from, entry->seal.mac, BK_DIGEST_BYTES, "MAC");
	entry->base_created_at = take_integer(from, 8, "base");
	key_version = take_integer(from, 4, "key version");
	if (key_version > INT32_MAX || bk_archive_find_key(archive, (int32) key_version) == NULL)
		fail("backup %lld has a key version that is not listed", (long long) entry->header.backup_id);
	entry->key_version = (int32) key_version;
	take_bytes(from, entry->wrapped_key, BK_WRAPPED_DEK_BYTES, "wrapped key");
	entry->resource_type = take_text(from, "resource_type");
	entry->version = take_label(from, "version");
	entry->source = take_label(from, "source");
	entry->tags = take_text(from, "tags");
	entry->created_by = take_text(from, "created_by");
	entry->completed_at = take_integer(from, 8, "completed_at");
	entry->expires = take_time(from, &entry->expires_at, "expires_at");
	read_point(from, entry);
}

static void
read_entry(BkText *from, const BkArchive *archive, BkArchiveEntry *entry)
{
	switch (take_integer(from, 1, "entries"))
	{
		case BK_ARCHIVE_ENTRY_BACKUP:
			read_backup(from, archive, entry);
			return;
		case BK_ARCHIVE_ENTRY_TOMBSTONE:
			read_tombstone(from, entry);
			return;
	}
	fail("it holds an entry of an unknown kind");
}

static void
read_entries(BkMemory memory, BkText *from, BkArchive *archive)
{
	archive->entry_count = take_count(from, BK_ARCHIVE_LEAST_ENTRY, "backups");
	archive->entries = bk_alloc_zero(memory, Max(archive->entry_count, 1) * sizeof(BkArchiveEntry));
	for (int i = 0; i < archive->entry_count; i++)
	{
		BK_CHECK_INTERRUPTS();
		read_entry(from, archive, &archive->entries[i]);
		if (archive->entries[i].header.backup_id <= 0)
			fail("it holds a backup of id %lld", (long long) archive->entries[i].header.backup_id);
		if (i > 0 && archive->entries[i].header.created_at <= archive->entries[i - 1].header.created_at)
			fail("backup %lld is not in order of time", (long long) archive->entries[i].header.backup_id);
	}
}

static void
read_holds(BkMemory memory, BkText *from, BkArchive *archive, const BkArchiveIndex *index)
{
	archive->hold_count = take_count(from, BK_ARCHIVE_LEAST_HOLD, "holds");
	archive->holds = bk_alloc_zero(memory, Max(archive->hold_count, 1) * sizeof(BkArchiveHold));
	for (int i = 0; i < archive->hold_count; i++)
	{
		BkArchiveHold *hold = &archive->holds[i];
		int			of;

		BK_CHECK_INTERRUPTS();
		hold->backup_id = take_integer(from, 8, "holds");
		hold->name = take_text(from, "holds");
		hold->reason = take_text(from, "holds");
		hold->ends = take_time(from, &hold->until, "holds");
		hold->created_by = take_text(from, "holds");
		hold->created_at = take_integer(from, 8, "holds");
		of = bk_archive_find(index, hold->backup_id);
		if (of < 0 || !archive->entries[of].is_backup)
			fail("it holds backup %lld, which it has not", (long long) hold->backup_id);
	}
}

/* Every base is there, and stands before what builds on it. */
static void
check_bases(const BkArchive *archive, const BkArchiveIndex *index)
{
	for (int i = 0; i < archive->entry_count; i++)
	{
		const BkArchiveEntry *entry = &archive->entries[i];
		int			base;

		if (!entry->is_backup || entry->header.base_id == 0)
			continue;
		base = bk_archive_find(index, entry->header.base_id);
		if (base < 0 || base >= i || !archive->entries[base].is_backup ||
			archive->entries[base].header.created_at != entry->base_created_at)
			fail("the base of backup %lld is missing", (long long) entry->header.backup_id);
	}
}

static void
read_place(BkText *from, BkArchive *archive)
{
	BkArchivePlace *previous = &archive->previous;

	archive->number = take_integer(from, 8, "place");
	previous->backup_id = take_integer(from, 8, "place");
	previous->created_at = take_integer(from, 8, "place");
	previous->number = take_integer(from, 8, "place");
	if (archive->number < 0 || previous->number < 0 || previous->backup_id < 0)
		fail("its place cannot be");
}

/* One backup, whose base is older, and so is what was shipped before it. */
static void
check_single(const BkArchive *archive)
{
	const BkArchiveEntry *entry = archive->entries;
	const BkArchivePlace *previous = &archive->previous;

	if (archive->entry_count != 1 || !entry->is_backup)
		fail("it is of one backup, and holds another number");
	if (entry->header.base_id != 0 && entry->base_created_at >= entry->header.created_at)
		fail("the base of backup %lld is not older", (long long) entry->header.backup_id);
	if (previous->backup_id != 0 && previous->created_at >= entry->header.created_at)
		fail("the backup that was shipped before backup %lld is not older", (long long) entry->header.backup_id);
}

/* The payloads follow each other in the order of the entries, and fill what is left. */
static void
slice_payloads(BkText left, BkArchive *archive)
{
	for (int i = 0; i < archive->entry_count; i++)
		if (archive->entries[i].is_backup)
			archive->entries[i].stored = take(&left, archive->entries[i].header.stored_size, "payloads");
	if (left.len > 0)
		fail("%llu bytes follow its last payload", (unsigned long long) left.len);
}

/* Magic bytes, format, and the lengths of what follows, which must be there to the byte. */
static void
read_head(BkText bytes, BkArchive *archive)
{
	BkText		left = bytes;
	uint64		format;
	uint64		manifest;
	uint64		payloads;
	uint64		whole;

	if (left.len < BK_ARCHIVE_MAGIC_BYTES || memcmp(left.data, BK_ARCHIVE_MAGIC, BK_ARCHIVE_MAGIC_BYTES) != 0)
		fail("it does not begin as an archive does");
	(void) take(&left, BK_ARCHIVE_MAGIC_BYTES, "head");
	format = take_integer(&left, 1, "head");
	if (format != BK_ARCHIVE_FORMAT)
		fail("it has format %llu, and only format %d can be read here", (unsigned long long) format, BK_ARCHIVE_FORMAT);
	manifest = take_integer(&left, 8, "head");
	payloads = take_integer(&left, 8, "head");
	if (manifest > INT64_MAX / 2 || payloads > INT64_MAX / 2 - BK_ARCHIVE_HEAD_BYTES - BK_ARCHIVE_MAC_BYTES)
		fail("its lengths cannot be");
	whole = BK_ARCHIVE_HEAD_BYTES + manifest + payloads + BK_ARCHIVE_MAC_BYTES;
	if (bytes.len != whole)
		fail("it has %llu bytes instead of %llu", (unsigned long long) bytes.len, (unsigned long long) whole);
	archive->bytes = bytes;
	archive->manifest = take(&left, manifest, "manifest");
	archive->payloads = take(&left, payloads, "payloads");
}

static void
read_origin(BkText *from, BkArchive *archive)
{
	uint64		kind = take_integer(from, 1, "manifest");

	if (kind != BK_ARCHIVE_RESOURCE && kind != BK_ARCHIVE_BACKUP)
		fail("it is of an unknown kind");
	archive->kind = (BkArchiveKind) kind;
	archive->made_by = take_text(from, "made_by");
	archive->made_at = take_integer(from, 8, "made_at");
	archive->resource_id = take_text(from, "resource_id");
	if (archive->resource_id.len == 0)
		fail("its resource_id is empty");
	archive->resource_type = take_text(from, "resource_type");
	archive->owner = take_text(from, "owner");
}

void
bk_archive_open(BkMemory memory, BkText bytes, BkArchive *archive)
{
	memset(archive, 0, sizeof(*archive));
	read_head(bytes, archive);
	read_origin(&archive->manifest, archive);
	read_keys(memory, &archive->manifest, archive);
}

void
bk_archive_read(BkMemory memory, BkArchive *archive)
{
	BkArchiveIndex *index;

	read_entries(memory, &archive->manifest, archive);
	index = bk_archive_index(memory, archive);
	read_holds(memory, &archive->manifest, archive, index);
	if (archive->kind == BK_ARCHIVE_BACKUP)
		read_place(&archive->manifest, archive);
	if (archive->manifest.len > 0)
		fail("%llu bytes follow the end of its manifest", (unsigned long long) archive->manifest.len);
	if (archive->kind == BK_ARCHIVE_BACKUP)
		check_single(archive);
	else
		check_bases(archive, index);
	slice_payloads(archive->payloads, archive);
}
