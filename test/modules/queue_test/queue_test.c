/*
 * queue_test.c
 *		What tests of the restore queue do to it from inside: stop or end processes
 *		at named points, and take a worker's steps by hand.
 *
 * Where the data directory has a file queue_test.NAME, the next process that comes by point
 * NAME takes its first letter away, with the last one the file, and does what it says: kill itself
 * (k), kill the server as pg_ctl stop -m immediate does (s), or wait (w) until there is a
 * file queue_test.go.
 */
#include "postgres.h"

#include <signal.h>
#include <unistd.h>

#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "service/call.h"
#include "service/point.h"
#include "service/queue_run.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);
PG_FUNCTION_INFO_V1(queue_test_step);

#define GO	"queue_test.go"

/* Take the first letter away; 0 where there is none. */
static char
take(const char *name)
{
	char		letters[16];
	size_t		count;
	FILE	   *file = fopen(name, "r");

	if (file == NULL)
		return 0;
	count = fread(letters, 1, sizeof(letters), file);
	fclose(file);
	/* Somebody else may have been faster. */
	if (unlink(name) != 0 || count == 0)
		return 0;
	if (count > 1 && (file = fopen(name, "w")) != NULL)
	{
		(void) fwrite(letters + 1, 1, count - 1, file);
		fclose(file);
	}
	return letters[0];
}

static void
pause_until_go(void)
{
	while (take(GO) == 0)
	{
		CHECK_FOR_INTERRUPTS();
		pg_usleep(5000L);
	}
}

static void
at_point(const char *name)
{
	char		path[MAXPGPATH];

	snprintf(path, sizeof(path), "queue_test.%s", name);
	switch (take(path))
	{
		case 'k':
			kill(getpid(), SIGKILL);
			break;
		case 's':
			kill(PostmasterPid, SIGQUIT);
			for (;;)
				pg_usleep(1000000L);
		case 'w':
			pause_until_go();
			break;
	}
}

/*
 * queue_test_step() returns boolean: one step of the restore queue, as this session's user, who must be the
 * extension's owner; as a worker's, its transaction is this one.
 */
Datum
queue_test_step(PG_FUNCTION_ARGS)
{
	MemoryContext memory = CurrentMemoryContext;
	BkAttempt	attempt = {0};
	BkCall		call = {
		.function = "queue_test_step",
		.attempt = &attempt,
		.role = GetUserId(),
		.role_name = GetUserNameFromId(GetUserId(), false),
		.session_role_name = GetUserNameFromId(GetSessionUserId(), false),
		.result_memory = memory,
	};
	bool		more;

	call.memory = AllocSetContextCreate(memory, "queue_test_step", ALLOCSET_DEFAULT_SIZES);
	SPI_connect();
	MemoryContextSwitchTo(call.memory);
	more = bk_queue_run_step(&call, GetCurrentTimestamp());
	SPI_finish();
	MemoryContextSwitchTo(memory);
	MemoryContextDelete(call.memory);
	PG_RETURN_BOOL(more);
}

void
_PG_init(void)
{
	bk_point_hook = at_point;
}
