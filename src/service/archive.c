/*
 * archive.c
 *		Making the archive of a resource.
 */
#include "service/archive.h"

#include "catalog/hold.h"
#include "catalog/resource.h"
#include "payload/digest.h"
#include "service/archive_entry.h"
#include "service/audit.h"
#include "service/clock.h"
#include "service/find.h"
#include "service/json_text.h"
#include "service/stored.h"
#include "service/unix_time.h"
#include "utils/memutils.h"

/* An archive that is being made: what is read, and the bytes that it becomes. */
typedef struct Making
{
	/* rows */
	const char *resource_id;
	BkBackup   *backups;
	int			backup_count;
	BkPoint    *points;
	int			point_count;
	BkHold	   *holds;
	int			hold_count;

	/* what they become */
	BkArchive	archive;

	/* bytes */
	bytea	   *result;
	uint8	   *at;
	uint8	   *end;			/* of the payloads' place */
	BkHmac	   *hmac;
} Making;

static void
read_rows(Making *making)
{
	making->backup_count = bk_backup_find_timeline(making->resource_id, &making->backups);
	making->point_count = bk_snapshot_find_all(making->resource_id, &making->points);
	making->hold_count = bk_hold_find_all(making->resource_id, bk_now(), &making->holds);
}

/* Does the backup come before the point, or is it the point's? */
static int
compare(const BkBackup *backup, const BkPoint *point)
{
	if (backup->created_at != point->created_at)
		return backup->created_at < point->created_at ? -1 : 1;
	return (backup->backup_id > point->backup_id) - (backup->backup_id < point->backup_id);
}

/* A point that is live without its backup is what somebody left who has removed the row. */
static void
fill_lone_point(const BkPoint *point, BkArchiveEntry *entry)
{
	if (point->removed_at == 0)
		bk_fail((BkOrigin) {point->backup_id}, "timeline", "its row is missing");
	bk_archive_fill_point(point, entry);
}

/* Both lists are in order of time: merge them. */
static void
fill_entries(Making *making)
{
	BkArchive  *archive = &making->archive;
	int			b = 0;
	int			p = 0;

	archive->entries = MemoryContextAllocExtended(CurrentMemoryContext,
		sizeof(BkArchiveEntry) * ((Size) making->backup_count + making->point_count + 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	while (b < making->backup_count || p < making->point_count)
	{
		BkArchiveEntry *entry = &archive->entries[archive->entry_count++];
		int			order = b == making->backup_count ? 1 : p == making->point_count ? -1
			: compare(&making->backups[b], &making->points[p]);

		CHECK_FOR_INTERRUPTS();
		if (order <= 0)
			bk_archive_fill_backup(&making->backups[b++], entry);
		if (order == 0)
			bk_archive_fill_point(&making->points[p++], entry);
		else if (order > 0)
			fill_lone_point(&making->points[p++], entry);
	}
}

/* When the base of each was made. */
static void
fill_bases(Making *making)
{
	BkArchive  *archive = &making->archive;
	BkArchiveIndex *index = bk_archive_index(CurrentMemoryContext, archive);

	for (int i = 0; i < archive->entry_count; i++)
	{
		BkArchiveEntry *entry = &archive->entries[i];
		int			base;

		if (!entry->is_backup || entry->header.base_id == 0)
			continue;
		base = bk_archive_find(index, entry->header.base_id);
		if (base < 0 || base >= i || !archive->entries[base].is_backup)
			bk_fail((BkOrigin) {entry->header.backup_id}, "chain", "its base, backup " INT64_FORMAT ", is missing",
					entry->header.base_id);
		entry->base_created_at = archive->entries[base].header.created_at;
	}
}

static void
fill_holds(Making *making)
{
	BkArchive  *archive = &making->archive;

	archive->hold_count = making->hold_count;
	archive->holds = palloc0(sizeof(BkArchiveHold) * Max(making->hold_count, 1));
	for (int i = 0; i < making->hold_count; i++)
	{
		const BkHold *hold = &making->holds[i];

		archive->holds[i] = (BkArchiveHold) {
			.backup_id = hold->backup_id,
			.name = bk_archive_text(hold->name),
			.reason = bk_archive_text(hold->reason),
			.ends = hold->until != 0,
			.until = hold->until == 0 ? 0 : bk_unix_time(hold->until),
			.created_by = bk_archive_text(hold->created_by),
			.created_at = bk_unix_time(hold->created_at),
		};
	}
}

static void
fill_archive(Making *making, BkKeys *keys, const char *owner)
{
	BkArchive  *archive = &making->archive;

	archive->kind = BK_ARCHIVE_RESOURCE;
	archive->made_by = BK_TEXT("backup_service " BK_VERSION);
	archive->made_at = bk_unix_time(bk_now());
	archive->resource_id = bk_archive_text(making->resource_id);
	archive->resource_type = bk_archive_text(making->backup_count == 0 ? ""
											 : making->backups[making->backup_count - 1].resource_type);
	archive->owner = bk_archive_text(owner);
	bk_archive_fill_keys(keys, making->backups, making->backup_count, archive);
	fill_entries(making);
	fill_bases(making);
	fill_holds(making);
}

/* Room for exactly what it will be. */
static void
allocate(Making *making, const BkCall *call, uint64 size)
{
	if (size > MaxAllocSize - VARHDRSZ)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the archive of resource \"%s\" does not fit into one value", making->resource_id),
				 errdetail("It has " UINT64_FORMAT " bytes; at most %zu fit.", size, (size_t) (MaxAllocSize - VARHDRSZ)),
				 errhint("Set backup_service.archive_command, which ships each backup as a file of its own.")));
	making->result = MemoryContextAlloc(call->result_memory, VARHDRSZ + size);
	SET_VARSIZE(making->result, VARHDRSZ + size);
	making->at = (uint8 *) VARDATA(making->result);
	making->end = making->at + size - BK_ARCHIVE_MAC_BYTES;
}

static void
add(Making *making, BkText bytes)
{
	/* more than the row says is refused by who proves it; here it only must not overflow */
	if (bytes.len > (size_t) (making->end - making->at))
		return;
	memcpy(making->at, bytes.data, bytes.len);
	making->at += bytes.len;
	bk_hmac_update(making->hmac, bytes);
}

static void
add_chunk(void *context, int32 seq, BkText chunk)
{
	add(context, chunk);
}

static void
write_archive(Making *making, const BkCall *call, BkKeys *keys)
{
	BkChunkSink sink = {.write = add_chunk, .context = making};
	BkText		head = bk_archive_write_head(call->memory, &making->archive);
	BkDek	   *key = bk_alloc_secret(call->memory, sizeof(BkDek));
	uint8		fingerprint[BK_FINGERPRINT_BYTES];

	allocate(making, call, head.len + bk_archive_payload_bytes(&making->archive) + BK_ARCHIVE_MAC_BYTES);
	bk_archive_mac_key(bk_keys_active_kek(keys, fingerprint), key);
	making->hmac = bk_hmac_new(call->memory, key);
	add(making, head);
	for (int i = 0; i < making->backup_count; i++)
		bk_stored_copy(keys, &making->backups[i], &sink);
	if (making->at != making->end)
		elog(ERROR, "the archive of resource \"%s\" has a wrong length", making->resource_id);
	bk_hmac_finish(making->hmac, making->end);
}

/* What can be written can be read: rows that contradict each other shall be found now, not when they are needed. */
static void
check_readable(const Making *making)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service archive");
	BkArchive	archive;

	bk_archive_open(memory, (BkText) {VARDATA(making->result), VARSIZE(making->result) - VARHDRSZ}, &archive);
	bk_archive_read(memory, &archive);
	bk_memory_delete(memory);
}

bytea *
bk_archive_resource(const BkCall *call, const char *resource_id)
{
	Making		making = {.resource_id = resource_id};
	BkKeys	   *keys = bk_keys_open(call);
	BkResource	resource;

	bk_view_open();
	bk_find_resource(call, resource_id, &resource);
	read_rows(&making);
	bk_keys_activate(keys);
	fill_archive(&making, keys, resource.owner);
	write_archive(&making, call, keys);
	bk_view_close();
	check_readable(&making);
	bk_audit_read(call, "archive", resource_id, 0, bk_json_of_int64("backups", making.backup_count));
	return making.result;
}
