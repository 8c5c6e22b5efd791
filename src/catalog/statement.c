/*
 * statement.c
 *		Prepared statements, their parameters and their rows, over SPI.
 */
#include "catalog/statement.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

void
bk_value_add(BkValues *values, Datum value)
{
	Assert(values->count < BK_MAX_PARAMETERS);
	values->nulls[values->count] = ' ';
	values->values[values->count++] = value;
}

void
bk_value_add_null(BkValues *values)
{
	Assert(values->count < BK_MAX_PARAMETERS);
	values->nulls[values->count] = 'n';
	values->values[values->count++] = (Datum) 0;
}

void
bk_value_add_text(BkValues *values, const char *text)
{
	if (text)
		bk_value_add(values, CStringGetTextDatum(text));
	else
		bk_value_add_null(values);
}

void
bk_value_add_name(BkValues *values, const char *name)
{
	bk_value_add(values, DirectFunctionCall1(namein, CStringGetDatum(name)));
}

void
bk_value_add_bytes(BkValues *values, const void *bytes, Size size)
{
	bytea	   *value = palloc(VARHDRSZ + size);

	SET_VARSIZE(value, VARHDRSZ + size);
	memcpy(VARDATA(value), bytes, size);
	bk_value_add(values, PointerGetDatum(value));
}

void
bk_value_add_int64(BkValues *values, int64 number)
{
	bk_value_add(values, Int64GetDatum(number));
}

void
bk_value_add_jsonb(BkValues *values, Jsonb *value)
{
	if (value == NULL)
		bk_value_add_null(values);
	else
		bk_value_add(values, JsonbPGetDatum(value));
}

void
bk_value_add_ids(BkValues *values, const int64 *ids, int count)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(count, 1));

	for (int i = 0; i < count; i++)
		elements[i] = Int64GetDatum(ids[i]);
	bk_value_add(values, PointerGetDatum(construct_array(elements, count, INT8OID, sizeof(int64),
														 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
}

void
bk_value_add_id(BkValues *values, int64 id)
{
	if (id)
		bk_value_add(values, Int64GetDatum(id));
	else
		bk_value_add_null(values);
}

void
bk_value_add_time(BkValues *values, int64 time)
{
	if (time)
		bk_value_add(values, TimestampTzGetDatum(time));
	else
		bk_value_add_null(values);
}

/* Prepare on first use; the plan lives as long as the session. */
static SPIPlanPtr
prepared(BkStatement *statement)
{
	if (statement->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(statement->sql, statement->nargs, statement->types);

		if (plan == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		if (SPI_keepplan(plan) != 0)
			elog(ERROR, "SPI_keepplan failed");
		statement->plan = plan;
	}
	return statement->plan;
}

/* The row whose columns were read last, taken apart: a column alone would be looked for from the row's start. */
static struct
{
	const SPITupleTable *rows;	/* NULL for none; another statement forgets it */
	uint64		row;
	Datum		values[BK_MAX_COLUMNS];
	bool		nulls[BK_MAX_COLUMNS];
} current;

/* SPI leaves its own memory context current; the caller's is put back, where the rows are read into. */
static uint64
rows_of(int result, MemoryContext memory)
{
	if (result < 0)
		elog(ERROR, "SPI execution failed: %s", SPI_result_code_string(result));
	MemoryContextSwitchTo(memory);
	current.rows = NULL;
	return SPI_processed;
}

uint64
bk_statement_write(BkStatement *statement, BkValues *values)
{
	MemoryContext memory = CurrentMemoryContext;

	Assert(values->count == statement->nargs);
	return rows_of(SPI_execute_plan(prepared(statement), values->values, values->nulls, false, 0), memory);
}

uint64
bk_statement_read(BkStatement *statement, BkValues *values, long limit)
{
	MemoryContext memory = CurrentMemoryContext;

	Assert(values->count == statement->nargs);
	return rows_of(SPI_execute_plan(prepared(statement), values->values, values->nulls, true, limit), memory);
}

int64
bk_statement_count(BkStatement *statement, BkValues *values, TimestampTz *oldest)
{
	int64		count;

	(void) bk_statement_read(statement, values, 1);
	count = bk_column_int64(0, 1);
	if (oldest)
		*oldest = bk_column_int64(0, 2);
	SPI_freetuptable(SPI_tuptable);
	return count;
}

uint64
bk_statement_read_once(BkStatement *statement, BkValues *values)
{
	MemoryContext memory = CurrentMemoryContext;

	Assert(values->count == statement->nargs);
	return rows_of(SPI_execute_with_args(statement->sql, statement->nargs, statement->types,
										 values->values, values->nulls, true, 0), memory);
}

bool
bk_may_be_distributed(void)
{
	return OidIsValid(get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE));
}

uint64
bk_statement_read_anywhere(BkStatement *statement, BkValues *values)
{
	return bk_may_be_distributed() ? bk_statement_read_once(statement, values) : bk_statement_read(statement, values, 0);
}

/* Reading whole tables is forbidden to all others (functions/entry.c, worker/session.c). */
uint64
bk_statement_read_through(BkStatement *statement, BkValues *values)
{
	int			level = NewGUCNestLevel();
	uint64		rows;

	(void) set_config_option("enable_seqscan", "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	rows = bk_statement_read_once(statement, values);
	AtEOXact_GUC(true, level);
	return rows;
}

int64
bk_statement_count_through(BkStatement *statement, BkValues *values)
{
	int64		count;

	(void) bk_statement_read_through(statement, values);
	count = bk_column_int64(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return count;
}

void
bk_view_open(void)
{
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
}

void
bk_view_close(void)
{
	PopActiveSnapshot();
}

static void
go_to(uint64 row)
{
	if (current.rows == SPI_tuptable && current.row == row)
		return;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): who asks for a column has found a row. */
	if (SPI_tuptable->tupdesc->natts > BK_MAX_COLUMNS)
		elog(ERROR, "a statement gives %d columns", SPI_tuptable->tupdesc->natts);
	heap_deform_tuple(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, current.values, current.nulls);
	current.rows = SPI_tuptable;
	current.row = row;
}

void
bk_rows_put(uint64 count, Tuplestorestate *rows)
{
	for (uint64 i = 0; i < count; i++)
		tuplestore_puttuple(rows, SPI_tuptable->vals[i]);
}

bool
bk_column_is_null(uint64 row, int column)
{
	go_to(row);
	return current.nulls[column - 1];
}

Datum
bk_column(uint64 row, int column)
{
	go_to(row);
	return current.values[column - 1];
}

char *
bk_column_text(uint64 row, int column)
{
	Oid			type = SPI_gettypeid(SPI_tuptable->tupdesc, column);

	if (bk_column_is_null(row, column))
		return NULL;
	if (type == TEXTOID)
		return TextDatumGetCString(bk_column(row, column));
	if (type == NAMEOID)
		return pstrdup(NameStr(*DatumGetName(bk_column(row, column))));
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

int64
bk_column_int64(uint64 row, int column)
{
	return bk_column_is_null(row, column) ? 0 : DatumGetInt64(bk_column(row, column));
}

int32
bk_column_int32(uint64 row, int column)
{
	return DatumGetInt32(bk_column(row, column));
}

bool
bk_column_bool(uint64 row, int column)
{
	return DatumGetBool(bk_column(row, column));
}

bool
bk_column_bytes(uint64 row, int column, void *bytes, Size size)
{
	bytea	   *value;
	bool		fits;

	if (bk_column_is_null(row, column))
		return false;
	value = DatumGetByteaPP(bk_column(row, column));
	fits = VARSIZE_ANY_EXHDR(value) == size;
	if (fits)
		memcpy(bytes, VARDATA_ANY(value), size);
	return fits;
}
