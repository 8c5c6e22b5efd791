/*
 * try.c
 *		Catching damage with an internal subtransaction.
 */
#include "service/try.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

bool
bk_try(void (*work) (void *argument), void *argument, ErrorData **damage)
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

	if (caught && caught->sqlerrcode != ERRCODE_DATA_CORRUPTED)
		ReThrowError(caught);
	*damage = caught;
	return caught == NULL;
}
