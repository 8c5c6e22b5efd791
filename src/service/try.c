/*
 * try.c
 *		Catching one kind of error with an internal subtransaction.
 */
#include "service/try.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

bool
bk_is_damage(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_DATA_CORRUPTED;
}

bool
bk_is_conflict(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_T_R_SERIALIZATION_FAILURE;
}

bool
bk_is_any_error(const ErrorData *error)
{
	return true;
}

bool
bk_is_key_problem(const ErrorData *error)
{
	if (error->sqlerrcode == ERRCODE_SYSTEM_ERROR || error->sqlerrcode == ERRCODE_INVALID_PARAMETER_VALUE)
		return true;
	/* A key command's time-out has a DETAIL; the cancellation of the query that waits for it has none. */
	return error->sqlerrcode == ERRCODE_QUERY_CANCELED && error->detail != NULL;
}

bool
bk_try(void (*work) (void *argument), void *argument, BkExpected expected, ErrorData **error)
{
	MemoryContext memory = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile caught = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(memory);
	PG_TRY();
	{
		work(argument);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(memory);
		caught = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(memory);
	CurrentResourceOwner = owner;

	if (caught && !expected(caught))
		ReThrowError(caught);
	*error = caught;
	return caught == NULL;
}

char *
bk_error_text(const ErrorData *error)
{
	return error->detail ? psprintf("%s: %s", error->message, error->detail) : pstrdup(error->message);
}

void
bk_warn(const ErrorData *error, const char *hint)
{
	if (hint == NULL)
		hint = error->hint;
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("%s", error->message),
			 error->detail ? errdetail("%s", error->detail) : 0,
			 hint ? errhint("%s", hint) : 0));
}
