/*
 * command_run.c
 *		Fork, exec, and read a pipe beside the latch.
 */
#include "keyring/command_run.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/fd.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/wait_event.h"

#define SHELL				"/bin/sh"
#define MOST_DESCRIPTORS	65536	/* closed one by one where the system cannot close a range */
#define LONGEST_NAP			50	/* ms between looks at a command that closed its output but runs on */
#define REAP_TIME			2000	/* ms for a killed process to be gone */

BK_NORETURN static void
fail(const BkCommandRun *run, const char *verb)
{
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("could not %s %s: %m", verb, run->what)));
}

/* From here to exec, nothing but async-signal-safe calls. */
static void
close_others(int limit)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
		return;
#endif
	for (int fd = 3; fd < limit; fd++)
		(void) close(fd);
}

/* The backend ignores some signals and has handlers, which must not run here, for others. */
static void
default_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t	none;

	for (int number = 1; number < NSIG; number++)
		(void) sigaction(number, &action, NULL);
	sigemptyset(&none);
	(void) sigprocmask(SIG_SETMASK, &none, NULL);
}

BK_NORETURN static void
run_child(char *const arguments[], int output, int limit)
{
	int			null = open("/dev/null", O_RDWR);

	(void) setpgid(0, 0);
	/* what a key command says of itself may hold secrets; others have nothing to hide from the log */
	if (null < 0 || dup2(null, STDIN_FILENO) < 0
		|| dup2(output >= 0 ? output : STDERR_FILENO, STDOUT_FILENO) < 0
		|| (output >= 0 && dup2(null, STDERR_FILENO) < 0))
		_exit(127);
	close_others(limit);
	default_signals();
	(void) execv(SHELL, arguments);
	_exit(127);
}

/* Fork with all signals blocked: a handler of ours that ran in the child would set our latch. */
static pid_t
fork_child(const char *command, int output)
{
	char	   *const arguments[] = {"sh", "-c", unconstify(char *, command), NULL};
	long		limit = sysconf(_SC_OPEN_MAX);
	sigset_t	all;
	sigset_t	before;
	pid_t		pid;
	int			reason;

	if (limit < 0 || limit > MOST_DESCRIPTORS)
		limit = MOST_DESCRIPTORS;
	sigfillset(&all);
	(void) sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		run_child(arguments, output, (int) limit);
	reason = errno;
	/* in both processes, for either may be first */
	if (pid > 0)
		(void) setpgid(pid, pid);
	(void) sigprocmask(SIG_SETMASK, &before, NULL);
	errno = reason;
	return pid;
}

static void
close_end(int *fd)
{
	if (*fd >= 0)
		(void) close(*fd);
	*fd = -1;
}

static void
start_process(BkCommandRun *run)
{
	run->pid = fork_child(run->command, run->pipe[1]);
	if (run->pid < 0)
	{
		run->pid = 0;
		fail(run, "fork to run");
	}
}

static void
start(BkCommandRun *run)
{
	if (pipe(run->pipe) != 0)
	{
		run->pipe[0] = run->pipe[1] = -1;
		fail(run, "make a pipe to");
	}
	if (!pg_set_noblock(run->pipe[0]))
		fail(run, "make a pipe to");
	start_process(run);
	close_end(&run->pipe[1]);
}

static double
milliseconds_run(const BkCommandRun *run)
{
	instr_time	passed;

	INSTR_TIME_SET_CURRENT(passed);
	INSTR_TIME_SUBTRACT(passed, run->started);
	return INSTR_TIME_GET_MILLISEC(passed);
}

static bool
timed_out(BkCommandRun *run)
{
	if (run->timeout == 0 || milliseconds_run(run) < run->timeout)
		return false;
	run->how = BK_COMMAND_TIMED_OUT;
	return true;
}

/* How long to wait: until the time-out and at most `most` ms, where that is not negative; -1 for ever. */
static long
time_to_wait(const BkCommandRun *run, long most)
{
	double		left = run->timeout - milliseconds_run(run);
	long		wait;

	if (run->timeout == 0)
		return most;
	/* one more, so that the last wait does not turn into many of no time */
	wait = left <= 0 ? 0 : Min((long) left + 1, INT_MAX);
	return most >= 0 ? Min(most, wait) : wait;
}

/* Sleep until there is output, a signal for us, the time-out, or `most` ms have passed. */
static void
nap(BkCommandRun *run, pgsocket output, long most)
{
	long		timeout = time_to_wait(run, most);
	int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;

	if (timeout >= 0)
		events |= WL_TIMEOUT;
	if (output != PGINVALID_SOCKET)
		events |= WL_SOCKET_READABLE;
	if (WaitLatchOrSocket(MyLatch, events, output, timeout, PG_WAIT_EXTENSION) & WL_LATCH_SET)
		ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

/* Read until the output's end; false where the command must not go on. */
static bool
read_output(BkCommandRun *run)
{
	while (!timed_out(run))
	{
		ssize_t		got = read(run->pipe[0], run->output + run->len, run->size - run->len);

		if (got == 0)
			return true;
		if (got > 0)
			run->len += got;
		else if (errno == EAGAIN || errno == EWOULDBLOCK)
			nap(run, run->pipe[0], -1);
		else if (errno != EINTR)
			fail(run, "read from");
		if (run->len == run->size)
		{
			run->how = BK_COMMAND_TOO_MUCH;
			return false;
		}
	}
	return false;
}

/* Look without reaping: as long as it is not reaped, its number means no other process. */
static bool
has_ended(pid_t pid)
{
	siginfo_t	info = {.si_pid = 0};

	return waitid(P_PID, pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 ? info.si_pid == pid : errno != EINTR;
}

/* No signal tells us of a child's end (backends leave SIGCHLD alone), but it is due. */
static void
wait_for_end(BkCommandRun *run)
{
	for (long most = 1; !has_ended(run->pid) && !timed_out(run); most = Min(2 * most, LONGEST_NAP))
		nap(run, PGINVALID_SOCKET, most);
}

/*
 * Take the status of a process that has ended or been killed.  A process that took another
 * user's rights cannot be killed: rather than hang, leave it behind.
 */
static void
reap(BkCommandRun *run)
{
	int			status;

	for (int waited = 0; waited < REAP_TIME; waited++)
	{
		pid_t		got = waitpid(run->pid, &status, WNOHANG);

		if (got == run->pid)
			run->status = status;
		if (got == run->pid || (got < 0 && errno != EINTR))
			return;
		pg_usleep(1000L);
	}
}

void
bk_command_kill(BkCommandRun *run)
{
	if (run->pid == 0)
		return;
	(void) kill(-run->pid, SIGKILL);
	reap(run);
	run->pid = 0;
}

/* Leave nothing behind, whatever happened. */
static void
finish(int code, Datum argument)
{
	BkCommandRun *run = (BkCommandRun *) DatumGetPointer(argument);

	close_end(&run->pipe[0]);
	close_end(&run->pipe[1]);
	bk_command_kill(run);
	ReleaseExternalFD();
}

static void
init(BkCommandRun *run)
{
	run->how = BK_COMMAND_ENDED;
	run->len = 0;
	run->status = -1;
	run->pid = 0;
	run->pipe[0] = run->pipe[1] = -1;
	INSTR_TIME_SET_CURRENT(run->started);
}

void
bk_command_start(BkCommandRun *run)
{
	init(run);
	start_process(run);
}

bool
bk_command_poll(BkCommandRun *run)
{
	if (!has_ended(run->pid) && !timed_out(run))
		return false;
	bk_command_kill(run);
	return true;
}

void
bk_command_run(BkCommandRun *run)
{
	init(run);
	if (!AcquireExternalFD())
		fail(run, "make a pipe to");
	/* Also where the session is terminated or the postmaster dies, which no PG_TRY sees. */
	PG_ENSURE_ERROR_CLEANUP(finish, PointerGetDatum(run));
	{
		start(run);
		if (read_output(run))
			wait_for_end(run);
	}
	PG_END_ENSURE_ERROR_CLEANUP(finish, PointerGetDatum(run));
	finish(0, PointerGetDatum(run));
}
