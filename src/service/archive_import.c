/*
 * archive_import.c
 *		Making a resource of an archive.
 */
#include "service/archive.h"

#include "archive/archive.h"
#include "catalog/chunk.h"
#include "catalog/hold.h"
#include "catalog/record.h"
#include "catalog/resource.h"
#include "catalog/snapshot.h"
#include "common/int.h"
#include "document/document.h"
#include "keyring/wrap.h"
#include "mb/pg_wchar.h"
#include "service/archive_ship.h"
#include "service/audit.h"
#include "service/clock.h"
#include "service/drop.h"
#include "service/json_text.h"
#include "service/keys.h"
#include "service/rights.h"
#include "service/stored.h"
#include "service/unix_time.h"
#include "service/wake.h"
#include "utils/timestamp.h"

typedef struct Import
{
	/* info */
	const BkCall *call;
	BkKeys	   *keys;
	BkArchive	archive;
	BkArchiveIndex *index;

	/* variables */
	const char *target;			/* the resource that is made, and its row */
	BkResource	resource;
	int64	   *ids;			/* of each entry, here */
	int64		backups;
	int64		tombstones;
	int64		holds;

	/* keys: master keys of the archive, a secret, and whether each is there */
	uint8	   *keks;
	bool	   *loaded;
	BkDek	   *dek;
} Import;

/* The master key of a version of the archive's. */
static const uint8 *
kek_of(Import *import, int32 version)
{
	const BkArchiveKey *key = bk_archive_find_key(&import->archive, version);
	int			number = key - import->archive.keys;
	uint8	   *kek = import->keks + (size_t) number * BK_KEK_BYTES;

	if (!import->loaded[number])
		bk_keys_foreign(import->keys, version, key->fingerprint, kek);
	import->loaded[number] = true;
	return kek;
}

/* Nothing is believed before the seal is checked. */
static void
open_archive(Import *import, BkText bytes)
{
	BkMemory	memory = import->call->memory;
	BkArchive  *archive = &import->archive;
	BkDek	   *key = bk_alloc_secret(memory, sizeof(BkDek));

	bk_archive_open(memory, bytes, archive);
	import->keks = bk_alloc_secret(memory, (size_t) archive->key_count * BK_KEK_BYTES);
	import->loaded = bk_alloc_zero(memory, archive->key_count * sizeof(bool));
	bk_archive_mac_key(kek_of(import, archive->keys[0].version), key);
	bk_archive_prove(memory, archive, key);
	bk_archive_read(memory, archive);
	import->index = bk_archive_index(memory, archive);
	if (archive->kind != BK_ARCHIVE_RESOURCE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the archive is of one backup, not of a resource"),
				 errdetail("backup_service.archive_command ships such archives."),
				 errhint("Restore the document with the program bk_recover, or use an archive that bk_archive() has made.")));
}

/* UTF-8 in the server's encoding; null as NULL. */
static char *
server_text(BkText text)
{
	char	   *copy;

	if (text.data == NULL)
		return NULL;
	copy = pnstrdup(text.data, text.len);
	/* zero bytes are refused here, since they are verified as they were */
	if (strlen(copy) != text.len)
		bk_fail(BK_ARGUMENT, "archive", "a label holds a zero byte");
	return pg_any_to_server(copy, text.len, PG_UTF8);
}

/*
 * An archive is its owner's as the resource was: else whoever lays hands on the bytes would have the server
 * decrypt them.  A role that is not known here is nobody's but an operator's.
 */
static void
check_owner(const Import *import)
{
	BkResource	archived = {
		.resource_id = server_text(import->archive.resource_id),
		.owner = server_text(import->archive.owner),
	};

	bk_check_writable(import->call, &archived);
}

static TimestampTz
server_time(int64 time)
{
	TimestampTz converted;

	if (pg_sub_s64_overflow(time, BK_UNIX_OFFSET_USECS, &converted) || !IS_VALID_TIMESTAMP(converted))
		bk_fail(BK_ARGUMENT, "archive", "it holds a time that cannot be");
	return converted;
}

/* 0 stands for null, and no time of ours is exactly that. */
static TimestampTz
server_time_or_null(bool there, int64 time)
{
	TimestampTz converted = there ? server_time(time) : 0;

	return there && converted == 0 ? 1 : converted;
}

static Jsonb *
server_tags(BkText text)
{
	Jsonb	   *tags = bk_document_to_jsonb(text, BK_ARGUMENT);

	if (!JB_ROOT_IS_OBJECT(tags))
		bk_fail(BK_ARGUMENT, "archive", "the tags of a backup are no object");
	return tags;
}

/* Be the writer of a resource that is not there yet, or not any more. */
static void
lock_target(Import *import)
{
	bool		made = false;

	while (!bk_resource_lock(import->target, &import->resource))
		made = bk_resource_insert(import->target, server_text(import->archive.resource_type), import->call->role_name, bk_now());
	if (made)
		return;
	if (import->resource.dropped)
	{
		bk_take_over_resource(import->call, &import->resource, bk_now());
		return;
	}
	bk_check_writable(import->call, &import->resource);
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("resource \"%s\" exists already", import->target),
			 errhint("Take the archive in under another name with target_resource_id => ..., or remove the resource first with bk_resource_drop().")));
}

/* The row that an entry becomes, but for what its new identity changes. */
static void
fill_backup(const Import *import, const BkArchiveEntry *entry, BkBackup *backup)
{
	memset(backup, 0, sizeof(*backup));
	backup->resource_id = import->resource.resource_id;
	backup->type = entry->header.type;
	backup->created_at = server_time(entry->header.created_at);
	backup->size = entry->header.size;
	backup->stored_size = entry->header.stored_size;
	backup->document_size = entry->header.document_size;
	backup->compression = entry->header.compression;
	backup->encrypted = entry->header.encrypted;
	memcpy(backup->document_digest, entry->header.document_digest, BK_DIGEST_BYTES);
	memcpy(backup->iv, entry->header.iv, BK_IV_BYTES);
	memcpy(backup->checksum, entry->seal.checksum, BK_DIGEST_BYTES);
	backup->status = "completed";
	backup->resource_type = server_text(entry->resource_type);
	backup->version = server_text(entry->version);
	backup->source = server_text(entry->source);
	backup->tags = server_tags(entry->tags);
	backup->created_by = server_text(entry->created_by);
	backup->completed_at = server_time(entry->completed_at);
	backup->expires_at = server_time_or_null(entry->expires, entry->expires_at);
}

/* Prove the payload as what it was, and seal it as what it becomes. */
static void
reseal(Import *import, const BkArchiveEntry *entry, BkBackup *backup)
{
	BkArchiveChunks chunks;
	BkChunkSource source = bk_archive_source(&chunks, entry->stored);
	BkPayloadHeader header;

	bk_dek_unwrap(kek_of(import, entry->key_version), entry->wrapped_key, import->dek,
				  (BkOrigin) {entry->header.backup_id});
	bk_stored_header(backup, &header);
	bk_payload_reseal(CurrentMemoryContext, import->dek, &entry->header, &entry->seal, &source, &header, backup->mac);
	bk_keys_wrap(import->keys, import->dek, backup->wrapped_key);
	backup->key_version = bk_keys_active(import->keys);
}

/* All chunks but the only one of a small payload, which goes with the row. */
static void
store_chunks(const BkArchiveEntry *entry, const BkBackup *backup)
{
	BkArchiveChunks chunks;
	BkChunkSource source = bk_archive_source(&chunks, entry->stored);
	BkText		batch[BK_CHUNK_BATCH];
	int32		seq;
	int32		stored = 0;
	int			count = 0;

	while (source.read(source.context, &seq, &batch[count]))
		if (++count == BK_CHUNK_BATCH)
		{
			CHECK_FOR_INTERRUPTS();
			bk_chunk_insert(backup->resource_id, backup->backup_id, stored, batch, count);
			stored += count;
			count = 0;
		}
	if (count > 0)
		bk_chunk_insert(backup->resource_id, backup->backup_id, stored, batch, count);
}

static Jsonb *
describe_origin(const char *from, int64 backup_id)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_text(&json, "from", from);
	bk_json_add_int64(&json, "backup_id", backup_id);
	bk_json_end(&json);
	return bk_json_value(&json);
}

static void
record(Import *import, const BkArchiveEntry *entry, const BkBackup *backup)
{
	bool		small = entry->stored.len <= BK_CHUNK_BYTES;
	BkEvent		event;

	if (!small)
		store_chunks(entry, backup);
	bk_audit_describe(import->call, "import", backup->resource_id, backup->backup_id, &event);
	event.detail = describe_origin(server_text(import->archive.resource_id), entry->header.backup_id);
	bk_audit_set_state(&event, backup);
	bk_audit_link(&import->resource, &event);
	(void) bk_record_backup(backup, &event, small ? &entry->stored : NULL, &import->resource, false);
}

static void
put_point(const BkArchiveEntry *entry, const char *resource_id, int64 backup_id)
{
	BkPoint		point = {
		.created_at = server_time(entry->header.created_at),
		.backup_id = backup_id,
		.removed_at = server_time_or_null(true, entry->removed_at),
		.counts = entry->counts,
	};

	bk_snapshot_put(resource_id, &point);
}

/* The record of a backup has made it a live point. */
static void
correct_point(const Import *import, const BkArchiveEntry *entry, const BkBackup *backup)
{
	if (entry->point == BK_ARCHIVE_POINT_REMOVED)
		put_point(entry, backup->resource_id, backup->backup_id);
	else if (entry->point == BK_ARCHIVE_POINT_NONE)
		bk_snapshot_delete(backup->resource_id, backup->created_at, backup->backup_id);
}

/* Read the row as the last backup has left it: the histograms are counted up from that. */
static void
refresh_resource(Import *import)
{
	if (!bk_resource_lock(import->target, &import->resource))
		elog(ERROR, "the locked row of resource \"%s\" is gone", import->target);
}

static void
take_backup(Import *import, const BkArchiveEntry *entry, int64 backup_id)
{
	BkBackup	backup;

	fill_backup(import, entry, &backup);
	backup.backup_id = backup_id;
	if (entry->header.base_id != 0)
		backup.base_id = import->ids[bk_archive_find(import->index, entry->header.base_id)];
	reseal(import, entry, &backup);
	record(import, entry, &backup);
	correct_point(import, entry, &backup);
	import->backups++;
}

static void
take_tombstone(Import *import, const BkArchiveEntry *entry, int64 backup_id)
{
	put_point(entry, import->resource.resource_id, backup_id);
	import->tombstones++;
}

/* Each entry in memory of its own. */
static void
take_entries(Import *import)
{
	const BkArchive *archive = &import->archive;

	import->ids = MemoryContextAllocHuge(import->call->memory, sizeof(int64) * Max(archive->entry_count, 1));
	for (int i = 0; i < archive->entry_count; i++)
	{
		BkMemory	memory = bk_memory_new(import->call->memory, "backup_service import");
		MemoryContext outer = MemoryContextSwitchTo(memory);

		CHECK_FOR_INTERRUPTS();
		refresh_resource(import);
		import->ids[i] = bk_backup_next_id();
		if (archive->entries[i].is_backup)
			take_backup(import, &archive->entries[i], import->ids[i]);
		else
			take_tombstone(import, &archive->entries[i], import->ids[i]);
		MemoryContextSwitchTo(outer);
		bk_memory_delete(memory);
	}
	refresh_resource(import);
}

/* One whose time is over by now is none. */
static void
take_holds(Import *import)
{
	TimestampTz now = bk_now();

	for (int i = 0; i < import->archive.hold_count; i++)
	{
		const BkArchiveHold *from = &import->archive.holds[i];
		BkHold		hold = {
			.resource_id = import->resource.resource_id,
			.backup_id = import->ids[bk_archive_find(import->index, from->backup_id)],
			.name = server_text(from->name),
			.reason = server_text(from->reason),
			.until = server_time_or_null(from->ends, from->until),
			.created_by = server_text(from->created_by),
			.created_at = server_time(from->created_at),
		};

		if (hold.until == 0 || hold.until > now)
			import->holds += bk_hold_insert(&hold);
	}
}

static Jsonb *
describe_whole(const Import *import)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_text(&json, "from", server_text(import->archive.resource_id));
	bk_json_add_time(&json, "made_at", server_time(import->archive.made_at));
	bk_json_add_int64(&json, "backups", import->backups);
	bk_json_add_int64(&json, "tombstones", import->tombstones);
	bk_json_add_int64(&json, "holds", import->holds);
	bk_json_end(&json);
	return bk_json_value(&json);
}

int64
bk_archive_take(const BkCall *call, BkText bytes, const char *target_resource_id)
{
	Import		import = {.call = call, .keys = bk_keys_open(call)};

	call->attempt->resource_id = target_resource_id;
	import.dek = bk_alloc_secret(call->memory, sizeof(BkDek));
	open_archive(&import, bytes);
	import.target = target_resource_id ? target_resource_id : server_text(import.archive.resource_id);
	call->attempt->resource_id = import.target;
	check_owner(&import);
	bk_keys_activate(import.keys);
	lock_target(&import);
	take_entries(&import);
	take_holds(&import);
	if (bk_archiving_wanted())
		bk_wake_worker();
	bk_audit_resource(call, &import.resource, "import", 0, describe_whole(&import));
	bk_resource_touch(&import.resource, 0);
	return import.backups;
}
