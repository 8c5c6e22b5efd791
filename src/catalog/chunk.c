/*
 * chunk.c
 *		Statements on backup_service.chunk.
 */
#include "catalog/chunk.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"

static BkStatement insert_one = {
	.sql = "INSERT INTO backup_service.chunk (resource_id, backup_id, seq, data) VALUES ($1, $2, $3, $4)",
	.nargs = 4,
	.types = {TEXTOID, INT8OID, INT4OID, BYTEAOID},
};

static BkStatement insert_batch = {
	.sql = "INSERT INTO backup_service.chunk (resource_id, backup_id, seq, data)"
	" SELECT $1, $2, $3 + ordinality - 1, data FROM pg_catalog.unnest($4) WITH ORDINALITY AS u(data, ordinality)",
	.nargs = 4,
	.types = {TEXTOID, INT8OID, INT4OID, BYTEAARRAYOID},
};

static BkStatement delete_chunks = {
	.sql = "DELETE FROM backup_service.chunk WHERE resource_id = $1 AND backup_id = $2",
	.nargs = 2,
	.types = {TEXTOID, INT8OID},
};

static BkStatement read_batch = {
	.sql = "SELECT seq, data FROM backup_service.chunk"
	" WHERE resource_id = $1 AND backup_id = $2 AND seq >= $3 ORDER BY seq LIMIT $4",
	.nargs = 4,
	.types = {TEXTOID, INT8OID, INT4OID, INT4OID},
};

static bytea *
bytea_of(BkText bytes)
{
	bytea	   *value = palloc(VARHDRSZ + bytes.len);

	SET_VARSIZE(value, VARHDRSZ + bytes.len);
	memcpy(VARDATA(value), bytes.data, bytes.len);
	return value;
}

/* One array of the chunks, as insert_batch wants it. */
static Datum
array_of(const BkText *chunks, int count)
{
	Datum		elements[BK_CHUNK_BATCH];
	ArrayType  *array;

	Assert(count <= BK_CHUNK_BATCH);
	for (int i = 0; i < count; i++)
		elements[i] = PointerGetDatum(bytea_of(chunks[i]));
	array = construct_array(elements, count, BYTEAOID, -1, false, TYPALIGN_INT);
	for (int i = 0; i < count; i++)
		pfree(DatumGetPointer(elements[i]));
	return PointerGetDatum(array);
}

void
bk_chunk_insert(const char *resource_id, int64 backup_id, int32 first_seq,
				const BkText *chunks, int count)
{
	BkValues	values = {0};
	Datum		data = count == 1 ? PointerGetDatum(bytea_of(chunks[0])) : array_of(chunks, count);

	bk_value_add_text(&values, resource_id);
	bk_value_add_int64(&values, backup_id);
	bk_value_add(&values, Int32GetDatum(first_seq));
	bk_value_add(&values, data);
	bk_statement_write(count == 1 ? &insert_one : &insert_batch, &values);
	pfree(DatumGetPointer(data));
}

void
bk_chunk_delete(const char *resource_id, int64 backup_id)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_int64(&values, backup_id);
	bk_statement_write(&delete_chunks, &values);
}

int
bk_chunk_read(BkMemory memory, const char *resource_id, int64 backup_id, int32 first_seq, int limit, BkText *chunks)
{
	BkValues	values = {0};
	int			count;

	bk_value_add_text(&values, resource_id);
	bk_value_add_int64(&values, backup_id);
	bk_value_add(&values, Int32GetDatum(first_seq));
	bk_value_add(&values, Int32GetDatum(limit));
	count = bk_statement_read(&read_batch, &values, 0);
	for (int i = 0; i < count; i++)
	{
		bytea	   *data = DatumGetByteaPP(bk_column(i, 2));
		char	   *copy = bk_alloc(memory, VARSIZE_ANY_EXHDR(data));

		memcpy(copy, VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data));
		chunks[i] = (BkText) {copy, VARSIZE_ANY_EXHDR(data)};
	}
	SPI_freetuptable(SPI_tuptable);
	return count;
}

struct BkChunkReader
{
	const char *resource_id;
	int64		backup_id;

	SPITupleTable *batch;		/* NULL before the first read and after the end */
	int			rows;			/* in batch */
	int			next;			/* row of batch to give next */
	int32		last_seq;		/* given last; -1 at the start */
	bytea	   *detoasted;		/* of the chunk given last */
};

BkChunkReader *
bk_chunk_reader_open(BkMemory memory, const char *resource_id, int64 backup_id)
{
	BkChunkReader *reader = bk_alloc_zero(memory, sizeof(BkChunkReader));

	reader->resource_id = resource_id;
	reader->backup_id = backup_id;
	reader->last_seq = -1;
	return reader;
}

static void
free_chunk(BkChunkReader *reader)
{
	if (reader->detoasted)
		pfree(reader->detoasted);
	reader->detoasted = NULL;
}

static void
free_batch(BkChunkReader *reader)
{
	free_chunk(reader);
	if (reader->batch)
		SPI_freetuptable(reader->batch);
	reader->batch = NULL;
}

/* Read the rows from first_seq on. */
static void
fetch_batch(BkChunkReader *reader, int32 first_seq)
{
	BkValues	values = {0};

	free_batch(reader);
	bk_value_add_text(&values, reader->resource_id);
	bk_value_add_int64(&values, reader->backup_id);
	bk_value_add(&values, Int32GetDatum(first_seq));
	bk_value_add(&values, Int32GetDatum(BK_CHUNK_BATCH));
	reader->rows = bk_statement_read(&read_batch, &values, 0);
	reader->batch = SPI_tuptable;
	reader->next = 0;
}

/* Make sure that a row is at hand; false at the end. */
static bool
have_row(BkChunkReader *reader)
{
	if (reader->batch && reader->next < reader->rows)
		return true;
	/* A batch that was not full was the last one. */
	if ((reader->batch && reader->rows < BK_CHUNK_BATCH) || reader->last_seq == PG_INT32_MAX)
		return false;
	fetch_batch(reader, reader->last_seq + 1);
	return reader->rows > 0;
}

bool
bk_chunk_reader_next(BkChunkReader *reader, int32 *seq, BkText *chunk)
{
	bool		is_null;
	Datum		data;
	HeapTuple	row;

	free_chunk(reader);
	if (!have_row(reader))
		return false;
	row = reader->batch->vals[reader->next++];
	*seq = reader->last_seq = DatumGetInt32(SPI_getbinval(row, reader->batch->tupdesc, 1, &is_null));
	data = SPI_getbinval(row, reader->batch->tupdesc, 2, &is_null);
	*chunk = BK_TEXT("");
	if (!is_null)
	{
		reader->detoasted = DatumGetByteaPCopy(data);
		*chunk = (BkText) {VARDATA(reader->detoasted), VARSIZE(reader->detoasted) - VARHDRSZ};
	}
	return true;
}

void
bk_chunk_reader_close(BkChunkReader *reader)
{
	free_batch(reader);
}
