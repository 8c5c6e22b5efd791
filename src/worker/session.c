/*
 * session.c
 *		Settings, interrupts and rest of the background processes.
 */
#include "worker/session.h"

#include "pgstat.h"
#include "service/clock.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/sinval.h"
#include "utils/guc.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

/* The longest sleep towards a time: somebody may put the clock forward. */
#define MAX_REST_MS		(60 * 60 * 1000)

void
bk_session_begin(const char *application_name)
{
	static const struct
	{
		const char *name;
		const char *value;
	}			settings[] = {
		/* As in functions (bk_enter()). */
		{"search_path", "pg_catalog, pg_temp"},
		{"enable_seqscan", "off"},
		{"jit", "off"},
		/* Each batch sees what is there when it begins, and may write. */
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_read_only", "off"},
		{"default_transaction_deferrable", "off"},
		/* A lock that is held for long makes one job wait, not all of them. */
		{"lock_timeout", "10s"},
		{"statement_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
#if PG_VERSION_NUM >= 170000
		{"transaction_timeout", "0"},
#endif
	};

	for (int i = 0; i < (int) lengthof(settings); i++)
		SetConfigOption(settings[i].name, settings[i].value, PGC_SUSET, PGC_S_OVERRIDE);
	SetConfigOption("application_name", application_name, PGC_USERSET, PGC_S_OVERRIDE);
}

void
bk_session_serve_interrupts(void)
{
	/* There is nothing to cancel, and an error would end the process. */
	HOLD_CANCEL_INTERRUPTS();
	CHECK_FOR_INTERRUPTS();
	QueryCancelPending = false;
	RESUME_CANCEL_INTERRUPTS();
	if (catchupInterruptPending)
		ProcessCatchupInterrupt();
}

static void
report(BackendState state, const char *activity)
{
	char		text[NAMEDATALEN + 32];

	snprintf(text, sizeof(text), "backup_service: %s", activity);
	pgstat_report_activity(state, text);
}

void
bk_session_report(const char *activity)
{
	report(STATE_RUNNING, activity);
}

void
bk_session_rest(TimestampTz until)
{
	int			events = WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;
	long		milliseconds = -1;

	if (until != DT_NOEND)
	{
		events |= WL_TIMEOUT;
		milliseconds = Min(TimestampDifferenceMilliseconds(bk_now(), until), MAX_REST_MS);
	}
	pgstat_report_stat(true);
	report(STATE_IDLE, "waiting");
	(void) WaitLatch(MyLatch, events, milliseconds, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
}
