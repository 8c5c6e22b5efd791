/*
 * fault_test.c
 *		Runs a statement some of whose allocations fail.
 *
 * The server has been started with fault_preload.c in front of the C library.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(fault_run);

/* fault_preload.c */
extern void fault_arm(int64_t first, int64_t count);
extern int64_t fault_allocations(void);

static Datum
first_value(int64 allocations)
{
	char	   *value = SPI_processed > 0 ? SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1) : NULL;

	return CStringGetTextDatum(psprintf("%s after " INT64_FORMAT, value ? value : "nothing", allocations));
}

/*
 * fault_run(statement, first, count): run it, while these of its allocations fail; count 0 is none.
 * Gives the first value, and how many allocations there were.
 */
Datum
fault_run(PG_FUNCTION_ARGS)
{
	char	   *statement = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int64		first = PG_GETARG_INT64(1);
	int64		count = PG_GETARG_INT64(2);
	MemoryContext memory = CurrentMemoryContext;
	volatile int64 made = 0;
	Datum		result;

	SPI_connect();
	PG_TRY();
	{
		fault_arm(first, count);
		SPI_execute(statement, false, 0);
		made = fault_allocations();
		fault_arm(0, 0);
	}
	PG_CATCH();
	{
		fault_arm(0, 0);
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(memory);
	result = first_value(made);
	SPI_finish();
	return result;
}
