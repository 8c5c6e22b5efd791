/*
 * archive_ship.c
 *		Makes the file, runs the command, and marks the backup, a step to a transaction.
 */
#include "service/archive_ship.h"

#include <sys/wait.h>

#include "catalog/job.h"
#include "catalog/resource.h"
#include "catalog/unarchived.h"
#include "keyring/command_run.h"
#include "lib/stringinfo.h"
#include "service/archive_file.h"
#include "service/clock.h"
#include "service/finding.h"
#include "service/point.h"
#include "service/try.h"
#include "settings.h"
#include "storage/ipc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* How long to wait between looks at a command that runs, the first time and at most. */
#define FIRST_LOOK_MS	10
#define LONGEST_LOOK_MS	1000

/* How long to wait for a resource that somebody else is writing to. */
#define LOCKED_MS		100

/* What this process is at.  It ends with the process, and so does the command. */
static struct
{
	bool		prepared;		/* files of other processes are removed, and the end is taken care of */
	bool		running;		/* the command is */
	bool		shipped;		/* it has succeeded, and the backup is not marked yet */

	/* the backup, in TopMemoryContext, and its file */
	char	   *resource_id;
	BkArchived	backup;
	char	   *path;

	BkCommandRun run;
	int			look_ms;
	int			failures;		/* in a row */
	TimestampTz next_at;		/* when to look, or try again */
	char	   *command;		/* the setting that was run last */
} ship;

bool
bk_archiving_wanted(void)
{
	return bk_setting_archive_command[0] != '\0';
}

static void
wait_ms(TimestampTz now, int milliseconds)
{
	ship.next_at = now + milliseconds * INT64CONST(1000);
}

/* Nothing is under way any more. */
static void
forget(void)
{
	bk_command_kill(&ship.run);
	if (ship.path)
		bk_archive_remove_file(ship.path);
	if (ship.path)
		pfree(ship.path);
	if (ship.resource_id)
		pfree(ship.resource_id);
	ship.path = ship.resource_id = NULL;
	ship.running = ship.shipped = false;
}

static void
forget_at_exit(int code, Datum argument)
{
	forget();
}

/* Once in a process. */
static void
prepare(void)
{
	if (ship.prepared)
		return;
	bk_archive_remove_files();
	before_shmem_exit(forget_at_exit, (Datum) 0);
	ship.prepared = true;
}

/* A command that was changed may have been put right: what the old one is at is not waited for. */
static void
heed_setting(void)
{
	if (ship.command == NULL || strcmp(ship.command, bk_setting_archive_command) == 0)
		return;
	if (ship.running)
		forget();
	ship.failures = 0;
}

TimestampTz
bk_archive_ship_next_due(TimestampTz now)
{
	char	   *resource_id;
	int64		backup_id;
	bool		found;

	if (!bk_archiving_wanted())
	{
		forget();
		return DT_NOEND;
	}
	heed_setting();
	if (ship.running || ship.shipped || (ship.failures > 0 && ship.next_at > now))
		return ship.next_at;
	bk_view_open();
	found = bk_unarchived_find(&resource_id, &backup_id);
	bk_view_close();
	return found ? now : DT_NOEND;
}

/* After a failure the name is another: the command may have left a part of the file, or all of it, under the first. */
static char *
name_of(const BkBackup *backup)
{
	StringInfoData name;

	initStringInfo(&name);
	appendStringInfo(&name, "backup-%019lld-", (long long) backup->backup_id);
	for (int i = 0; i < 8; i++)
		appendStringInfo(&name, "%02x", backup->mac[i]);
	if (ship.failures > 0)
		appendStringInfo(&name, "-%d", ship.failures);
	appendStringInfoString(&name, ".bka");
	return name.data;
}

BK_NORETURN static void
fail_placeholder(char what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("backup_service.archive_command holds an unknown placeholder"),
			 what > ' ' && what <= '~' ? errdetail("\"%%%c\" means nothing.", what)
			 : errdetail("A \"%%\" stands at its end or before a blank or another character that cannot be shown."),
			 errhint("\"%%p\" is the path of the file, \"%%f\" its name, and \"%%%%\" is one percent sign.")));
}

/* The command with path and name in it, neither of which needs quotes. */
static char *
expand(const char *command, const char *path, const char *name)
{
	StringInfoData text;

	initStringInfo(&text);
	for (const char *at = command; *at != '\0'; at++)
	{
		if (*at != '%')
			appendStringInfoChar(&text, *at);
		else if (*++at == 'p')
			appendStringInfoString(&text, path);
		else if (*at == 'f')
			appendStringInfoString(&text, name);
		else if (*at == '%')
			appendStringInfoChar(&text, '%');
		else
			fail_placeholder(*at);
	}
	return text.data;
}

/* A file to be written, for bk_try(). */
typedef struct Writing
{
	BkKeys	   *keys;
	const BkBackup *backup;
	const char *path;
} Writing;

static void
write_tried(void *argument)
{
	Writing    *writing = argument;

	bk_archive_write_file(writing->keys, writing->backup, writing->path);
}

/* It is not shipped, nor are others kept waiting for it. */
static void
note_damage(const BkCall *call, const BkBackup *backup, const ErrorData *error, TimestampTz now)
{
	BkFinding	finding;

	bk_warn(error, NULL);
	if (!bk_finding_note_damage(call, backup, bk_error_text(error), now, &finding))
	{
		ship.failures = Max(ship.failures, 1);
		wait_ms(now, LOCKED_MS);
	}
}

static void
remember(const BkBackup *backup, const char *path)
{
	ship.resource_id = MemoryContextStrdup(TopMemoryContext, backup->resource_id);
	ship.backup = (BkArchived) {backup->backup_id, backup->created_at, backup->number};
	ship.path = MemoryContextStrdup(TopMemoryContext, path);
}

static void
remember_command(void)
{
	if (ship.command)
		pfree(ship.command);
	ship.command = MemoryContextStrdup(TopMemoryContext, bk_setting_archive_command);
}

/* Write the file and start the command; true where it was not to be, and the next may be. */
static bool
start(const BkCall *call, BkKeys *keys, const BkBackup *backup, TimestampTz now)
{
	char	   *name = name_of(backup);
	char	   *path = bk_archive_path(name);
	char	   *command = expand(bk_setting_archive_command, path, name);
	Writing		writing = {.keys = keys, .backup = backup, .path = path};
	ErrorData  *error;

	if (!bk_try(write_tried, &writing, bk_is_damage, &error))
	{
		note_damage(call, backup, error, now);
		return true;
	}
	remember(backup, path);
	remember_command();
	bk_point("archive-starting");
	ship.run = (BkCommandRun) {
		.command = command,
		.what = "backup_service.archive_command",
		.timeout = bk_setting_archive_command_timeout,
	};
	bk_command_start(&ship.run);
	ship.run.command = NULL;
	ship.running = true;
	ship.look_ms = FIRST_LOOK_MS;
	wait_ms(now, ship.look_ms);
	return false;
}

static bool
start_next(const BkCall *call, TimestampTz now)
{
	BkKeys	   *keys = bk_keys_open(call);
	BkBackup	backup;
	char	   *resource_id;
	int64		backup_id;
	bool		more = false;

	prepare();
	forget();
	bk_view_open();
	if (bk_unarchived_find(&resource_id, &backup_id) && bk_backup_find(resource_id, backup_id, &backup))
	{
		bk_keys_activate(keys);
		more = start(call, keys, &backup, now);
	}
	bk_view_close();
	return more;
}

/* What became of a command that has not succeeded. */
static char *
describe_end(const BkCommandRun *run)
{
	if (run->how == BK_COMMAND_TIMED_OUT)
		return psprintf("The command took longer than %d ms.", run->timeout);
	if (WIFEXITED(run->status))
		return psprintf("The command exited with status %d.", WEXITSTATUS(run->status));
	if (WIFSIGNALED(run->status))
		return psprintf("The command was ended by signal %d.", WTERMSIG(run->status));
	return "How the command ended is not known.";
}

static void
note_failure(TimestampTz now)
{
	bk_job_note_failure("archive", now);
	ship.failures++;
	ship.next_at = bk_retry_time(now, ship.failures);
	ereport(WARNING,
			(errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION),
			 errmsg("backup " INT64_FORMAT " of resource \"%s\" could not be archived", ship.backup.backup_id, ship.resource_id),
			 errdetail("%s", describe_end(&ship.run)),
			 errhint("What backup_service.archive_command printed stands in the server's log before this. It is tried again in %d s.",
					 bk_retry_seconds(ship.failures))));
	forget();
}

/* Look after the command; true once it has succeeded. */
static bool
look(TimestampTz now)
{
	if (!bk_command_poll(&ship.run))
	{
		ship.look_ms = Min(2 * ship.look_ms, LONGEST_LOOK_MS);
		wait_ms(now, ship.look_ms);
		return false;
	}
	ship.running = false;
	if (ship.run.how != BK_COMMAND_ENDED || !WIFEXITED(ship.run.status) || WEXITSTATUS(ship.run.status) != 0)
	{
		note_failure(now);
		return false;
	}
	bk_point("archive-shipped");
	return true;
}

/* As every change of a backup under its resource's lock, which is not waited for. */
static bool
mark(TimestampTz now)
{
	BkResource	resource;

	if (!bk_resource_try_lock(ship.resource_id, &resource))
	{
		wait_ms(now, LOCKED_MS);
		return false;
	}
	bk_unarchived_set(ship.resource_id, &ship.backup, now);
	ship.failures = 0;
	forget();
	return true;
}

bool
bk_archive_ship_step(const BkCall *call, TimestampTz now)
{
	if (ship.running)
		ship.shipped = look(now);
	else if (!ship.shipped)
		return start_next(call, now);
	return ship.shipped && mark(now);
}
