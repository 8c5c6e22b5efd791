/*
 * try.c
 *		Catching one kind of error with an internal subtransaction.
 */
#include "service/try.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

bool
bk_try(void (*work) (void *argument), void *argument, int sqlstate, ErrorData **error)
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

	if (caught && caught->sqlerrcode != sqlstate)
		ReThrowError(caught);
	*error = caught;
	return caught == NULL;
}
