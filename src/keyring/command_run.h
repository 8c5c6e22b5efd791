/*
 * command_run.h
 *		Running a shell command for its output, so that it can be cancelled and
 *		leaves nothing behind.
 */
#ifndef BK_COMMAND_RUN_H
#define BK_COMMAND_RUN_H

#include "common/common.h"

#include <sys/types.h>

#include "portability/instr_time.h"

typedef enum BkCommandEnd
{
	BK_COMMAND_ENDED,			/* of itself: see status */
	BK_COMMAND_TIMED_OUT,
	BK_COMMAND_TOO_MUCH			/* the output fills the buffer; the command was ended */
} BkCommandEnd;

typedef struct BkCommandRun
{
	/* given */
	const char *command;		/* for /bin/sh -c */
	const char *what;			/* it is, for messages */
	int			timeout;		/* milliseconds; 0 for no limit */
	char	   *output;			/* the caller's, who wipes it; bk_command_start() has none */
	size_t		size;

	/* found */
	BkCommandEnd how;
	size_t		len;			/* of the output */
	int			status;			/* as waitpid() gives it, or -1 where that could not be had */

	/* while it runs */
	pid_t		pid;			/* 0 for none */
	int			pipe[2];		/* -1 for a closed end */
	instr_time	started;
} BkCommandRun;

/*
 * Run the command in a process group of its own, with standard input and error
 * being /dev/null, until it has closed its output and ended.  When this returns or
 * raises (58000 where it cannot be started or read, or what cancels a query), every
 * process of the group has been killed, also those that the command left running.
 */
extern void bk_command_run(BkCommandRun *run);

/*
 * Start a command and go on.  What it prints goes to where the server's messages go.  Until
 * bk_command_poll() says that it has ended, the caller sees to it that it is killed in the end.
 */
extern void bk_command_start(BkCommandRun *run);

/* True where it has ended or takes too long: how and status say which, and every process of its group is gone. */
extern bool bk_command_poll(BkCommandRun *run);

/* Kill what runs, if something does.  Raises nothing. */
extern void bk_command_kill(BkCommandRun *run);

#endif							/* BK_COMMAND_RUN_H */
