/*
 * test_archive.c
 *		Is an archive read as it was written, and is every other byte refused?
 */
#include "sample.h"
#include "../payload/tap.h"

#include "common/encode.h"

static bool
same_text(BkText a, BkText b)
{
	return (a.data == NULL) == (b.data == NULL) && bk_text_equal(a.data ? a : BK_TEXT(""), b.data ? b : BK_TEXT(""));
}

/* Headers are compared field by field: padding has no value. */
static bool
same_header(const BkPayloadHeader *a, const BkPayloadHeader *b)
{
	return bk_text_equal(a->resource_id, b->resource_id) && a->backup_id == b->backup_id && a->base_id == b->base_id
		&& a->type == b->type && a->compression == b->compression && a->encrypted == b->encrypted && a->size == b->size
		&& a->stored_size == b->stored_size && a->document_size == b->document_size && a->created_at == b->created_at
		&& memcmp(a->document_digest, b->document_digest, BK_DIGEST_BYTES) == 0 && memcmp(a->iv, b->iv, BK_IV_BYTES) == 0;
}

static bool
same_entry(const BkArchiveEntry *a, const BkArchiveEntry *b)
{
	bool		place = a->is_backup == b->is_backup && a->point == b->point && a->removed_at == b->removed_at && a->counts == b->counts;

	if (!a->is_backup)
		return place && a->header.backup_id == b->header.backup_id && a->header.created_at == b->header.created_at;
	return place && same_header(&a->header, &b->header) && memcmp(&a->seal, &b->seal, sizeof(a->seal)) == 0
		&& a->base_created_at == b->base_created_at && a->key_version == b->key_version
		&& memcmp(a->wrapped_key, b->wrapped_key, BK_WRAPPED_DEK_BYTES) == 0
		&& same_text(a->resource_type, b->resource_type) && same_text(a->version, b->version) && same_text(a->source, b->source)
		&& same_text(a->tags, b->tags) && same_text(a->created_by, b->created_by) && a->completed_at == b->completed_at
		&& a->expires == b->expires && a->expires_at == b->expires_at;
}

static void
read_all(BkMemory memory, BkText bytes, const Sample *sample, BkArchive *archive)
{
	bk_archive_open(memory, bytes, archive);
	bk_archive_prove(memory, archive, sample->key);
	bk_archive_read(memory, archive);
}

static void
test_round_trip(BkMemory memory)
{
	Sample	   *sample = sample_new(memory);
	BkText		bytes = sample_write(memory, sample);
	BkArchive	archive;
	BkArchiveIndex *index;

	read_all(memory, bytes, sample, &archive);
	ok(archive.kind == BK_ARCHIVE_RESOURCE && bk_text_equal(archive.resource_id, BK_TEXT("a resource"))
	   && bk_text_equal(archive.owner, BK_TEXT("anna")) && archive.made_at == 3000, "the origin is read");
	ok(archive.key_count == 3 && bk_archive_find_key(&archive, 4) == &archive.keys[0]
	   && bk_archive_find_key(&archive, 3) == &archive.keys[2] && bk_archive_find_key(&archive, 2) == NULL, "keys are found by version");
	for (int i = 0; i < 4; i++)
		ok(same_entry(&archive.entries[i], &sample->archive.entries[i]), "entry %d is read as it was written", i);
	ok(archive.hold_count == 2 && archive.holds[0].ends && archive.holds[0].until == 9000 && !archive.holds[1].ends
	   && bk_text_equal(archive.holds[1].created_by, BK_TEXT("bob")), "holds are read");
	ok(same_text(archive.entries[0].stored, sample->stored[0]) && same_text(archive.entries[2].stored, sample->stored[1])
	   && same_text(archive.entries[3].stored, sample->stored[2]), "payloads are where they were put");
	index = bk_archive_index(memory, &archive);
	ok(bk_archive_find(index, 3) == 2 && bk_archive_find(index, 5) == -1, "entries are found by id");
}

static void
test_payload(BkMemory memory)
{
	Sample	   *sample = sample_new(memory);
	BkArchive	archive;
	BkArchiveChunks chunks;
	BkChunkSource source;
	BkPayloadHeader moved;
	BkPayloadSeal seal;
	BkArchiveEntry *entry;

	read_all(memory, sample_write(memory, sample), sample, &archive);
	entry = &archive.entries[2];
	source = bk_archive_source(&chunks, entry->stored);
	ok(bk_text_equal(bk_payload_read(memory, sample->dek, &entry->header, &entry->seal, &source, NULL),
					 BK_TEXT("{\"changes\": [{\"key\": \"a\", \"newValue\": 2}]}")), "a payload is read from its slice");
	moved = entry->header;
	moved.backup_id = 77;
	moved.base_id = 76;
	seal = entry->seal;
	source = bk_archive_source(&chunks, entry->stored);
	bk_payload_reseal(memory, sample->dek, &entry->header, &entry->seal, &source, &moved, seal.mac);
	source = bk_archive_source(&chunks, entry->stored);
	ok(bk_payload_read(memory, sample->dek, &moved, &seal, &source, NULL).len == 42, "resealed, it is another backup's");
	source = bk_archive_source(&chunks, entry->stored);
	fails("XX001", "MAC", bk_payload_prove(memory, sample->dek, &entry->header, &seal, &source), "and not the old one's any more");
	entry->seal.mac[0] ^= 1;
	source = bk_archive_source(&chunks, entry->stored);
	fails("XX001", "MAC", bk_payload_reseal(memory, sample->dek, &entry->header, &entry->seal, &source, &moved, seal.mac),
		  "what does not prove itself is not resealed");
}

/* Reading, sealed or not, ends in a refusal. */
static bool
refused(BkMemory parent, BkText bytes, const Sample *sample, bool prove)
{
	BkMemory	memory = bk_memory_new(parent, "refused");
	volatile bool result = false;
	BkArchive	archive;

	BK_TRY
	{
		bk_archive_open(memory, bytes, &archive);
		if (prove)
			bk_archive_prove(memory, &archive, sample->key);
		bk_archive_read(memory, &archive);
	}
	BK_CATCH
	{
		result = strcmp(bk_last_error.sqlstate, "22023") == 0 && strcmp(bk_last_error.check, "archive") == 0;
	}
	BK_END_TRY;
	bk_memory_delete(memory);
	return result;
}

/* Bytes of exactly this length, so that a sanitizer sees who reads beyond. */
static BkText
cut(BkMemory memory, BkText bytes, size_t len)
{
	char	   *copy = bk_alloc(memory, len);

	memcpy(copy, bytes.data, len);
	return (BkText) {copy, len};
}

static void
test_every_byte(BkMemory memory)
{
	Sample	   *sample = sample_new(memory);
	BkText		bytes = sample_write(memory, sample);
	bool		flipped = true;
	bool		shortened = true;

	for (size_t i = 0; i < bytes.len * 8; i++)
	{
		char	   *at = (char *) bytes.data + i / 8;

		*at ^= 1 << i % 8;
		flipped &= refused(memory, bytes, sample, true);
		*at ^= 1 << i % 8;
	}
	ok(flipped, "every flipped bit of %zu bytes is refused", bytes.len);
	for (size_t len = 0; len < bytes.len; len++)
	{
		BkMemory	piece = bk_memory_new(memory, "piece");

		shortened &= refused(memory, cut(piece, bytes, len), sample, true);
		bk_memory_delete(piece);
	}
	ok(shortened, "every cut is refused");
}

/* A wrong key, and every byte replaced by hands that have the right one: refused or read, and nothing else happens. */
static void
test_sealed_nonsense(BkMemory memory)
{
	Sample	   *sample = sample_new(memory);
	Sample	   *other = sample_new(memory);
	BkText		bytes = sample_write(memory, sample);
	size_t		manifest = bytes.len - bk_archive_payload_bytes(&sample->archive) - BK_ARCHIVE_MAC_BYTES;
	int			read = 0;

	other->key->mac_key[0] ^= 1;
	ok(refused(memory, bytes, other, true), "another key is refused");
	for (size_t i = 0; i < manifest; i++)
		for (int value = 0; value < 256; value += 51)
		{
			char		before = bytes.data[i];

			((char *) bytes.data)[i] = (char) value;
			sample_seal(memory, sample, bytes);
			read += !refused(memory, bytes, sample, true);
			((char *) bytes.data)[i] = before;
		}
	ok(read > 0, "what the key's owner writes is read where it makes sense (%d times)", read);
}

/* Changes of what is written that nobody but a holder of the key can make. */
static void
test_contradictions(BkMemory memory)
{
#define CONTRADICTS(what, change) \
	do { \
		Sample *sample = sample_new(memory); \
		BkArchive *a = &sample->archive; \
		change; \
		ok(refused(memory, sample_write(memory, sample), sample, true), "refused: %s (%s)", what, bk_last_error.message); \
	} while (0)
	CONTRADICTS("an unknown kind", a->kind = 3);
	CONTRADICTS("a resource without a name", a->resource_id = BK_TEXT(""));
	CONTRADICTS("no keys", a->key_count = 0);
	CONTRADICTS("a version of 0", a->keys[1].version = 0);
	CONTRADICTS("a negative version", a->keys[2].version = -3);
	CONTRADICTS("a version twice", a->keys[1].version = 4);
	CONTRADICTS("versions out of order", a->keys[1].version = 9);
	CONTRADICTS("a backup of a version that is not listed", a->entries[2].key_version = 2);
	CONTRADICTS("a backup of another resource", a->entries[2].header.resource_id = BK_TEXT("b resource"));
	CONTRADICTS("an id of 0", a->entries[0].header.backup_id = 0);
	CONTRADICTS("a tombstone with a negative id", a->entries[1].header.backup_id = -2);
	CONTRADICTS("an id twice", a->entries[3].header.backup_id = 2);
	CONTRADICTS("times out of order", a->entries[3].header.created_at = 1003);
	CONTRADICTS("an unknown type", a->entries[0].header.type = 4);
	CONTRADICTS("a type of 0", a->entries[0].header.type = 0);
	CONTRADICTS("an unknown compression", a->entries[0].header.compression = 3);
	CONTRADICTS("a full backup with a base", a->entries[0].header.base_id = 4);
	CONTRADICTS("an incremental without one", a->entries[2].header.base_id = 0);
	CONTRADICTS("a base that is not there", a->entries[2].header.base_id = 9);
	CONTRADICTS("a base that is a tombstone", a->entries[2].header.base_id = 2);
	CONTRADICTS("a base that is later", a->entries[2].header.base_id = 4);
	CONTRADICTS("itself as base", a->entries[2].header.base_id = 3);
	CONTRADICTS("a base of another time", a->entries[2].base_created_at = 1);
	CONTRADICTS("a size of 0", a->entries[0].header.size = 0);
	CONTRADICTS("a negative size of the document", a->entries[0].header.document_size = -1);
	CONTRADICTS("a recovery point of an unknown kind", a->entries[3].point = 3);
	CONTRADICTS("tags that are null", a->entries[3].tags.data = NULL);
	CONTRADICTS("a hold on a backup that is not there", a->holds[1].backup_id = 5);
	CONTRADICTS("a hold on a tombstone", a->holds[1].backup_id = 2);
#define SINGLE(what, change) \
	do { \
		Sample *sample = sample_single(memory); \
		BkArchive *a = &sample->archive; \
		change; \
		ok(refused(memory, sample_write(memory, sample), sample, true), "refused: %s (%s)", what, bk_last_error.message); \
	} while (0)
	SINGLE("one backup whose base is not older", a->entries[0].base_created_at = 1002);
	SINGLE("what was shipped before it is not older", a->previous.created_at = 1002);
	SINGLE("a negative id before it", a->previous.backup_id = -1);
	SINGLE("a negative number", a->number = -1);
	SINGLE("a negative number before it", a->previous.number = -1);
	SINGLE("one backup that is a tombstone", a->entries[0].is_backup = false; sample->stored[0].data = NULL);
	SINGLE("one backup as a resource without its base", a->kind = BK_ARCHIVE_RESOURCE);
}

/* One byte more than the payloads have, which its lengths and its seal know of. */
static void
test_more_payload(BkMemory memory)
{
	Sample	   *sample = sample_new(memory);
	BkText		bytes = sample_write(memory, sample);
	char	   *longer = bk_alloc_zero(memory, bytes.len + 1);

	memcpy(longer, bytes.data, bytes.len);
	longer[BK_ARCHIVE_HEAD_BYTES - 1]++;
	sample_seal(memory, sample, (BkText) {longer, bytes.len + 1});
	ok(refused(memory, (BkText) {longer, bytes.len + 1}, sample, true), "refused: bytes behind the payloads (%s)", bk_last_error.message);
}

static void
test_limits(BkMemory memory)
{
	Sample	   *sample = sample_new(memory);
	Sample	   *single = sample_single(memory);
	BkArchive	archive;

	read_all(memory, sample_write(memory, single), single, &archive);
	ok(archive.entry_count == 1 && archive.entries[0].base_created_at == 1001, "one backup is read without its base");
	ok(archive.number == 5 && archive.previous.backup_id == 1 && archive.previous.created_at == 1001 && archive.previous.number == 3,
	   "with its place among those that were shipped");
	sample->archive.entries[0].header.stored_size = INT64_MAX;
	sample->archive.entries[3].header.stored_size = INT64_MAX;
	fails("54000", "limit", bk_archive_payload_bytes(&sample->archive), "sizes whose sum is no number are refused");
}

int
main(void)
{
	BkMemory	memory = bk_memory_new(NULL, "test");

	test_round_trip(memory);
	test_payload(memory);
	test_every_byte(memory);
	test_sealed_nonsense(memory);
	test_contradictions(memory);
	test_more_payload(memory);
	test_limits(memory);
	bk_memory_delete(memory);
	return tap_done();
}
