/*
 * list.c
 *		A line, or a JSON object, for each point.
 */
#include "recover/list.h"

#include "document/document.h"
#include "recover/gaps.h"
#include "recover/json.h"
#include "recover/report.h"

#include <stdio.h>

static const char *
type_of(const BkRecoverPoint *point)
{
	static const char *const names[] = {[BK_TYPE_FULL] = "full", [BK_TYPE_INCREMENTAL] = "incremental", [BK_TYPE_DIFFERENTIAL] = "differential"};

	if (point->is_missing)
		return "missing";
	return point->is_backup ? names[point->copies[0].entry.header.type] : "deleted";
}

/* Backups of which there is nothing but their number. */
static void
print_lost(const BkRecoverPoint *point, const char *name)
{
	char		count[24] = "(?)";

	if (point->lost != BK_LOST_UNKNOWN)
		snprintf(count, sizeof(count), "(%lld)", (long long) point->lost);
	printf("%10s  %-27s  %-12s  %10s  %14s  %s\n", count, "", point->is_missing ? "missing" : "not shipped", "", "", name);
}

static void
print_line(BkMemory memory, const BkRecoverPoint *point)
{
	const BkPayloadHeader *header = &point->copies[0].entry.header;
	char	   *name = bk_alloc(memory, point->resource_id.len * 6 + 3);
	char		time[BK_TIME_BYTES];

	name[bk_json_escape(point->resource_id, name)] = '\0';
	if (point->lost != 0)
		print_lost(point, name);
	printf("%10lld  %-27s  %-12s  %10lld  %14lld  %s\n", (long long) point->backup_id, bk_time_text(point->created_at, time), type_of(point),
		   (long long) header->base_id, (long long) header->document_size, name);
	bk_free(memory, name);
}

static void
print_text(BkMemory memory, const char *name, BkText text)
{
	char	   *escaped;

	if (text.data == NULL)
	{
		printf(", \"%s\": null", name);
		return;
	}
	escaped = bk_alloc(memory, text.len * 6 + 3);
	escaped[bk_json_escape(text, escaped)] = '\0';
	printf(", \"%s\": %s", name, escaped);
	bk_free(memory, escaped);
}

static void
print_time(const char *name, bool there, int64 time)
{
	char		text[BK_TIME_BYTES];

	if (there)
		printf(", \"%s\": \"%s\"", name, bk_time_text(time, text));
	else
		printf(", \"%s\": null", name);
}

/* Tags are JSON already; what is none, of an archive that was not proven, is null. */
static void
print_tags(BkMemory parent, BkText tags)
{
	BkMemory	memory = bk_memory_new(parent, "tags");
	char	   *tamed = bk_alloc(memory, tags.len * 6 + 1);

	BK_TRY
	{
		(void) bk_tree_parse(bk_tree_new(memory), tags, BK_ARGUMENT);
		tamed[bk_json_tame(tags, tamed)] = '\0';
		printf(", \"tags\": %s", tamed);
	}
	BK_CATCH
	{
		printf(", \"tags\": null");
	}
	BK_END_TRY;
	bk_memory_delete(memory);
}

static void
print_backup(BkMemory memory, const BkRecoverPoint *point)
{
	static const char *const compressions[] = {"none", "gzip", "zstd"};
	const BkArchiveEntry *entry = &point->copies[0].entry;
	const BkPayloadHeader *header = &entry->header;

	if (header->base_id)
		printf(", \"base_id\": %lld", (long long) header->base_id);
	else
		printf(", \"base_id\": null");
	printf(", \"size\": %lld, \"stored_size\": %lld, \"document_size\": %lld, \"compression\": \"%s\", \"encrypted\": %s, \"key_version\": %d",
		   (long long) header->size, (long long) header->stored_size, (long long) header->document_size,
		   compressions[header->compression], header->encrypted ? "true" : "false", entry->key_version);
	print_text(memory, "resource_type", entry->resource_type);
	print_text(memory, "version", entry->version);
	print_text(memory, "source", entry->source);
	print_tags(memory, entry->tags);
	print_text(memory, "created_by", entry->created_by);
	print_time("completed_at", true, entry->completed_at);
	print_time("expires_at", entry->expires, entry->expires_at);
}

static void
print_object(BkMemory memory, const BkRecoverPoint *point)
{
	const BkArchiveEntry *entry = &point->copies[0].entry;

	printf("{\"backup_id\": %lld", (long long) point->backup_id);
	print_text(memory, "resource_id", point->resource_id);
	printf(", \"type\": \"%s\"", type_of(point));
	print_time("created_at", true, point->created_at);
	print_time("removed_at", entry->point == BK_ARCHIVE_POINT_REMOVED, entry->removed_at);
	if (point->is_backup)
		print_backup(memory, point);
	if (point->lost == BK_LOST_UNKNOWN)
		printf(", \"lost_before\": null");
	else
		printf(", \"lost_before\": %lld", (long long) point->lost);
	printf(", \"archives\": [");
	for (int i = 0; i < point->count; i++)
	{
		BkText		path = {point->copies[i].path, strlen(point->copies[i].path)};
		char	   *escaped = bk_alloc(memory, path.len * 6 + 3);

		escaped[bk_json_escape(path, escaped)] = '\0';
		printf("%s%s", i ? ", " : "", escaped);
		bk_free(memory, escaped);
	}
	printf("]}");
}

void
bk_recover_list(BkMemory memory, const BkRecoverPoint *points, int count, bool json)
{
	if (!json)
		printf("%10s  %-27s  %-12s  %10s  %14s  %s\n", "backup_id", "created_at", "type", "base_id", "document_size", "resource_id");
	for (int i = 0; i < count; i++)
	{
		if (!json)
			print_line(memory, &points[i]);
		else
		{
			printf("%s", i ? ",\n " : "[");
			print_object(memory, &points[i]);
		}
	}
	if (json)
		printf("%s]\n", count ? "" : "[");
	if (fflush(stdout) != 0)
		bk_die(BK_EXIT_FILE, "could not write to standard output");
}
