/*
 * batch.c
 *		The transaction around a batch: whose rights, which memory, and what
 *		happens after an error.
 */
#include "worker/batch.h"

#include "access/xact.h"
#include "catalog/extension.h"
#include "catalog/statement.h"
#include "executor/spi.h"
#include "service/clock.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "worker/session.h"

/* How long what other nodes leave may lie. */
#define LOOK_SECONDS	5

static const char *database;
static char sql_version[64];

void
bk_batch_begin(const char *database_name)
{
	database = database_name;
}

const char *
bk_batch_sql_version(void)
{
	return sql_version;
}

/* Sessions on other nodes wake nobody here: what they leave is looked for. */
static TimestampTz
look_again(TimestampTz now, TimestampTz due)
{
	return bk_may_be_distributed() ? Min(due, now + LOOK_SECONDS * USECS_PER_SEC) : due;
}

/* Ask, run, ask; the job's next time. */
static TimestampTz
attend(const BkJob *job, BkJobState *state, const BkCall *call, BkOutcome *outcome)
{
	TimestampTz now = bk_now();
	TimestampTz due = job->next_due ? job->next_due(call, now) : now;
	bool		more = due <= now && job->run_batch(call, now);

	*outcome = due <= now && (more || job->next_due) ? BK_RAN : BK_ASKED;
	if (more)
		due = now;
	else if (*outcome == BK_RAN)
		due = job->next_due(call, now);
	else if (job->next_due == NULL)
		due = DT_NOEND;

	/* What is due and cannot be done at the moment (a lock) is not waited for in a circle. */
	state->stuck = due <= now && !more ? state->stuck + 1 : 0;
	return state->stuck ? bk_retry_time(now, state->stuck) : look_again(now, due);
}

/*
 * The session is the bootstrap superuser's, because the owner need not be able to log in;
 * work is done as the owner, as in every function of the extension.
 */
static TimestampTz
attend_as_owner(const BkJob *job, BkJobState *state, Oid owner, BkOutcome *outcome)
{
	MemoryContext memory = CurrentMemoryContext;
	BkAttempt	attempt = {0};
	BkCall		call = {
		.function = job->name,
		.attempt = &attempt,
		.role = owner,
		.result_memory = memory,
	};
	Oid			saved_role;
	int			saved_context;
	TimestampTz due;

	call.memory = bk_memory_new(memory, "backup_service job");
	call.role_name = MemoryContextStrdup(call.memory, GetUserNameFromId(owner, false));
	call.session_role_name = MemoryContextStrdup(call.memory, GetUserNameFromId(GetSessionUserId(), false));
	GetUserIdAndSecContext(&saved_role, &saved_context);
	SetUserIdAndSecContext(owner, saved_context | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(call.memory);
	due = attend(job, state, &call, outcome);
	SPI_finish();
	MemoryContextSwitchTo(memory);
	SetUserIdAndSecContext(saved_role, saved_context);
	bk_memory_delete(call.memory);
	return due;
}

/* Find the extension, and keep it as it is until the transaction's end. */
static BkOutcome
hold_extension(BkExtension *extension)
{
	BkExtension before;

	if (!bk_extension_find(&before))
		return BK_NO_EXTENSION;
	if (!bk_extension_lock(before.oid, AccessShareLock, false))
		return BK_BUSY;
	/* It may have gone between the two. */
	if (!bk_extension_find(extension) || extension->oid != before.oid)
		return BK_BUSY;
	strlcpy(sql_version, extension->version, sizeof(sql_version));
	return strcmp(extension->version, BK_VERSION) == 0 ? BK_RAN : BK_OTHER_VERSION;
}

static BkOutcome
run_transaction(const BkJob *job, BkJobState *state)
{
	BkExtension extension;
	BkOutcome	outcome;
	TimestampTz due = DT_NOEND;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	outcome = hold_extension(&extension);
	if (outcome == BK_RAN && job)
		due = attend_as_owner(job, state, extension.owner, &outcome);
	PopActiveSnapshot();
	CommitTransactionCommand();

	if (outcome == BK_BUSY)
		due = bk_now() + USECS_PER_SEC;
	else
		state->failures = 0;
	state->due = due;
	return outcome;
}

/* Log the error and forget the transaction. */
static void
recover(MemoryContext memory)
{
	HOLD_INTERRUPTS();
	EmitErrorReport();
	AbortCurrentTransaction();
	MemoryContextSwitchTo(memory);
	FlushErrorState();
	RESUME_INTERRUPTS();
}

static const char *
name_of(const BkJob *job)
{
	return job ? job->name : "look";
}

static void
add_context(void *argument)
{
	errcontext("job \"%s\" of backup_service in database \"%s\"", name_of(argument), database);
}

static void
plan_retry(const BkJob *job, BkJobState *state)
{
	state->failures++;
	state->due = bk_retry_time(bk_now(), state->failures);
	ereport(LOG,
			(errmsg("job \"%s\" of backup_service in database \"%s\" is tried again in %d s, having failed %d times in a row",
					name_of(job), database, bk_retry_seconds(state->failures), state->failures)));
}

BkOutcome
bk_batch_run(const BkJob *job, BkJobState *state)
{
	MemoryContext memory = CurrentMemoryContext;
	ErrorContextCallback context = {
		.previous = error_context_stack,
		.callback = add_context,
		.arg = unconstify(BkJob *, job),
	};
	volatile BkOutcome outcome = BK_FAILED;

	bk_session_report(name_of(job));
	error_context_stack = &context;
	PG_TRY();
	{
		outcome = run_transaction(job, state);
	}
	PG_CATCH();
	{
		error_context_stack = context.previous;
		recover(memory);
		plan_retry(job, state);
	}
	PG_END_TRY();
	error_context_stack = context.previous;
	MemoryContextSwitchTo(memory);
	return outcome;
}
