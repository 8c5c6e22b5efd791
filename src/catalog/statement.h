/*
 * statement.h
 *		SQL statements that are prepared once a session, and the reading of
 *		their rows.
 *
 * Callers have called SPI_connect() and run as the extension's owner.  Every
 * name in a statement is schema-qualified.
 */
#ifndef BK_STATEMENT_H
#define BK_STATEMENT_H

#include "common/common.h"

#include "executor/spi.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

#define BK_MAX_PARAMETERS	40
#define BK_MAX_COLUMNS		40	/* that bk_column() reads of a row */

typedef struct BkStatement
{
	const char *sql;
	int			nargs;
	Oid			types[BK_MAX_PARAMETERS];
	SPIPlanPtr	plan;			/* filled on first use */
} BkStatement;

/* The values of one execution; {0} is an empty list. */
typedef struct BkValues
{
	int			count;
	Datum		values[BK_MAX_PARAMETERS];
	char		nulls[BK_MAX_PARAMETERS];
} BkValues;

extern void bk_value_add(BkValues *values, Datum value);
extern void bk_value_add_null(BkValues *values);
extern void bk_value_add_text(BkValues *values, const char *text);	/* NULL is null */
extern void bk_value_add_name(BkValues *values, const char *name);
extern void bk_value_add_bytes(BkValues *values, const void *bytes, Size size);
extern void bk_value_add_int64(BkValues *values, int64 number);
extern void bk_value_add_jsonb(BkValues *values, Jsonb *value);	/* NULL is null */
extern void bk_value_add_ids(BkValues *values, const int64 *ids, int count); /* bigint[] */

/* 0 is null: ids and times that may be missing. */
extern void bk_value_add_id(BkValues *values, int64 id);
extern void bk_value_add_time(BkValues *values, int64 time);

/*
 * Run a statement that writes or locks; it sees what the transaction did so far.
 * Returns the number of rows; rows of a SELECT or RETURNING are in SPI_tuptable.
 */
extern uint64 bk_statement_write(BkStatement *statement, BkValues *values);

/*
 * Run a query under the active snapshot (bk_view_open()), at most limit rows
 * (0: all).
 */
extern uint64 bk_statement_read(BkStatement *statement, BkValues *values, long limit);

/*
 * Run a query of one row: a count, which is returned, and, where oldest is not NULL,
 * a time (0 for null).
 */
extern int64 bk_statement_count(BkStatement *statement, BkValues *values, TimestampTz *oldest);

/* Whether Citus is in the database. */
extern bool bk_may_be_distributed(void);

/*
 * The same for a query that names no resource.  Where the tables are distributed it is planned anew each time: a
 * kept plan of a query over all nodes may not have parameters there.
 */
extern uint64 bk_statement_read_anywhere(BkStatement *statement, BkValues *values);

/* The same as bk_statement_read(), planned for these values alone and not kept. */
extern uint64 bk_statement_read_once(BkStatement *statement, BkValues *values);

/* The same where a table is to be read from end to end. */
extern uint64 bk_statement_read_through(BkStatement *statement, BkValues *values);

/* A count from such a query. */
extern int64 bk_statement_count_through(BkStatement *statement, BkValues *values);

/*
 * One view of the catalog for reads that belong together: a snapshot, kept
 * until bk_view_close(), that also sees the transaction's own work.
 */
extern void bk_view_open(void);
extern void bk_view_close(void);

/* Put the rows of SPI_tuptable into rows. */
extern void bk_rows_put(uint64 count, Tuplestorestate *rows);

/* Columns of a row of SPI_tuptable, by position from 1; copies in the current context. */
extern bool bk_column_is_null(uint64 row, int column);
extern Datum bk_column(uint64 row, int column);		/* as it is: 0 for null, not detoasted, not copied */
extern char *bk_column_text(uint64 row, int column);	/* text or name; NULL for null */
extern int64 bk_column_int64(uint64 row, int column);	/* 0 for null; also timestamps */
extern int32 bk_column_int32(uint64 row, int column);	/* 0 for null */
extern bool bk_column_bool(uint64 row, int column);	/* false for null */

/* Copy a bytea of exactly size bytes; false where it is null or of another size. */
extern bool bk_column_bytes(uint64 row, int column, void *bytes, Size size);

#endif							/* BK_STATEMENT_H */
