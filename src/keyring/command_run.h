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
	int32		version;		/* that it is asked for, for messages */
	int			timeout;		/* milliseconds; 0 for no limit */
	char	   *output;			/* the caller's, who wipes it */
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

#endif							/* BK_COMMAND_RUN_H */
