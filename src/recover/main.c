/*
 * main.c
 *		bk_recover: lists, verifies and restores backups from archives, without a server.
 */
#include "recover/file.h"
#include "recover/json.h"
#include "recover/list.h"
#include "recover/options.h"
#include "recover/rebuild.h"
#include "recover/report.h"
#include "recover/restore.h"
#include "recover/store.h"

#include <stdio.h>
#include <sys/resource.h>

/* Report what was raised last of a point; path may be NULL. */
static void
report_damage(const BkRecoverPoint *point, const char *path)
{
	bk_report_error("backup %lld of resource %s%s%s is damaged: the %s check failed: %s", (long long) point->backup_id,
					bk_shown(point->resource_id), path ? " in " : "", path ? path : "", bk_last_error.check, bk_last_error.message);
}

static bool
copy_is_sound(BkStore *store, BkMemory parent, const BkRecoverPoint *point, const BkCopy *copy)
{
	BkMemory	memory = bk_memory_new(parent, "copy");
	volatile bool sound = false;

	BK_TRY
	{
		(void) bk_store_payload(store, memory, copy, bk_alloc_secret(memory, sizeof(BkDek)));
		sound = true;
	}
	BK_CATCH
	{
		report_damage(point, copy->path);
	}
	BK_END_TRY;
	bk_memory_delete(memory);
	return sound;
}

/* Every copy's payload; how many are damaged. */
static int
verify_copies(BkStore *store, BkMemory memory, const BkRecoverPoint *point, int *sound)
{
	int			damaged = 0;

	for (int i = 0; i < point->count && point->copies[i].entry.is_backup; i++)
		if (copy_is_sound(store, memory, point, &point->copies[i]))
			(*sound)++;
		else
			damaged++;
	return damaged;
}

/* One point: its copies, and the document that its chain gives; how many problems there are. */
static int
verify_point(BkStore *store, BkMemory memory, BkRebuild *rebuild, const BkRecoverPoint *point)
{
	int			sound = 0;
	volatile int problems = verify_copies(store, memory, point, &sound);

	if (sound == 0)
		return problems;
	BK_TRY
	{
		(void) bk_rebuild_document(rebuild, point);
	}
	BK_CATCH
	{
		report_damage(point, NULL);
		problems++;
	}
	BK_END_TRY;
	return problems;
}

static void
report_missing(const BkRecoverPoint *point)
{
	char		time[BK_TIME_BYTES];

	bk_report_error("backup %lld of resource %s, of %s, is in none of the archives, though one that was shipped after it is",
					(long long) point->backup_id, bk_shown(point->resource_id), bk_time_text(point->created_at, time));
}

/* No file is missing, and none can be found. */
static void
say_never_shipped(const BkRecoverPoint *point)
{
	printf("resource %s: before backup %lld, %lld backups were made that were never shipped, deleted or damaged by then\n",
		   bk_shown(point->resource_id), (long long) point->backup_id, (long long) point->lost);
}

static BkExit
verify(BkStore *store, BkMemory memory, const BkRecoverPoint *points, int count)
{
	BkRebuild  *rebuild = bk_rebuild_open(memory, store);
	int			backups = 0;
	int			problems = bk_store_problems(store);

	for (int i = 0; i < count; i++)
	{
		if (points[i].is_missing)
		{
			report_missing(&points[i]);
			problems++;
		}
		else if (points[i].lost > 0)
			say_never_shipped(&points[i]);
		if (!points[i].is_backup)
			continue;
		backups++;
		problems += verify_point(store, memory, rebuild, &points[i]);
	}
	printf("%d backups in %d archives: %s\n", backups, bk_store_archives(store), problems ? "problems were found" : "all are sound");
	return problems ? BK_EXIT_PROBLEM : BK_EXIT_OK;
}

static BkExit
restore(BkStore *store, BkMemory memory, const BkRecoverPoint *points, int count, const BkRecoverOptions *options)
{
	const BkRecoverPoint *point = bk_recover_choose(points, count, options);
	volatile BkExit status = BK_EXIT_OK;

	if (point == NULL)
		return BK_EXIT_PROBLEM;
	BK_TRY
	{
		bk_file_write(options->output, bk_rebuild_document(bk_rebuild_open(memory, store), point));
	}
	BK_CATCH
	{
		report_damage(point, NULL);
		bk_report_hint("\"bk_recover verify\" tells which backups are sound: choose one with --backup-id.");
		status = BK_EXIT_PROBLEM;
	}
	BK_END_TRY;
	return status;
}

static BkExit
run(BkMemory memory, const BkRecoverOptions *options, BkRecoverKeys *keys)
{
	BkStore    *store = bk_store_open(memory, keys);
	BkRecoverPoint *points;
	BkRecoverPoint *wanted;
	int			count;

	for (int i = 0; i < options->path_count; i++)
		bk_store_add(store, options->paths[i]);
	count = bk_store_points(store, &points);
	/* bases are looked up among all of them */
	wanted = bk_alloc(memory, Max(count, 1) * sizeof(BkRecoverPoint));
	memcpy(wanted, points, count * sizeof(BkRecoverPoint));
	count = bk_recover_filter(wanted, count, options);
	switch (options->command)
	{
		case BK_RECOVER_LIST:
			bk_recover_list(memory, wanted, count, options->json);
			return bk_store_problems(store) ? BK_EXIT_PROBLEM : BK_EXIT_OK;
		case BK_RECOVER_VERIFY:
			return verify(store, memory, wanted, count);
		case BK_RECOVER_RESTORE:
			return restore(store, memory, wanted, count, options);
	}
	return BK_EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	const struct rlimit no_core = {0, 0};
	BkMemory	memory;
	BkRecoverKeys *keys;
	BkRecoverOptions options;
	volatile BkExit status = BK_EXIT_PROBLEM;

	/* a core file would hold keys */
	(void) setrlimit(RLIMIT_CORE, &no_core);
	bk_recover_read_options(argc, argv, &options);
	memory = bk_memory_new(NULL, "bk_recover");
	keys = bk_recover_keys_open(memory, options.key_file, options.key_command);
	BK_TRY
	{
		status = run(memory, &options, keys);
	}
	BK_CATCH
	{
		bk_report_error("%s: %s", bk_last_error.check, bk_last_error.message);
	}
	BK_END_TRY;
	/* a missing key explains whatever else is missing */
	if (status != BK_EXIT_OK && bk_recover_lacks_keys(keys))
		status = BK_EXIT_KEY;
	bk_memory_delete(memory);
	return status;
}
