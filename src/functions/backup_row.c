/*
 * backup_row.c
 *		Forming rows of bk_backups without asking the view.
 */
#include "functions/backup_row.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define COLUMNS	23

/* Values are added in the order of the view's columns. */
typedef struct Row
{
	int			count;
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];
} Row;

static void
add(Row *row, Datum value, bool is_null)
{
	Assert(row->count < COLUMNS);
	row->values[row->count] = value;
	row->nulls[row->count++] = is_null;
}

static void
add_text(Row *row, const char *value)
{
	add(row, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

static void
add_int64(Row *row, int64 value)
{
	add(row, Int64GetDatum(value), false);
}

static void
add_time(Row *row, TimestampTz value)
{
	add(row, TimestampTzGetDatum(value), value == 0);
}

/* Whole per cent saved, never below 0. */
static int32
ratio(const BkBackup *backup)
{
	if (backup->stored_size >= backup->size)
		return 0;
	return (backup->size - backup->stored_size) * 100 / backup->size;
}

static char *
checksum_text(const BkBackup *backup)
{
	static const char name[] = "sha256:";
	char	   *text = palloc(sizeof(name) + 2 * BK_DIGEST_BYTES);
	char	   *end = text + strlen(strcpy(text, name));

	end += hex_encode((const char *) backup->checksum, BK_DIGEST_BYTES, end);
	*end = '\0';
	return text;
}

static void
fill(Row *row, const BkBackup *backup)
{
	add_int64(row, backup->backup_id);
	add_text(row, backup->resource_id);
	add_text(row, backup->resource_type);
	add_text(row, bk_type_name(backup->type));
	add_text(row, backup->status);
	add(row, Int64GetDatum(backup->base_id), backup->base_id == 0);
	add_int64(row, backup->size);
	add_int64(row, backup->stored_size);
	add(row, Int32GetDatum(ratio(backup)), false);
	add_int64(row, backup->document_size);
	add_text(row, bk_compression_name(backup->compression));
	add(row, BoolGetDatum(backup->encrypted), false);
	add_text(row, checksum_text(backup));
	add(row, Int32GetDatum(backup->key_version), false);
	add_text(row, backup->version);
	add_text(row, backup->source);
	add(row, JsonbPGetDatum(backup->tags), false);
	add(row, DirectFunctionCall1(namein, CStringGetDatum(backup->created_by)), false);
	add_time(row, backup->created_at);
	add_time(row, backup->completed_at);
	add_time(row, backup->expires_at);
	add_time(row, backup->verified_at);
	add_time(row, backup->archived_at);
}

Datum
bk_backup_row(FunctionCallInfo fcinfo, const BkEntry *entry, const BkBackup *backup)
{
	MemoryContext memory = MemoryContextSwitchTo(entry->call.result_memory);
	TupleDesc	descriptor;
	Row			row = {0};
	Datum		result;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE || descriptor->natts != COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the view bk_backups is not the one that this library was built for"),
				 errhint("Run ALTER EXTENSION backup_service UPDATE.")));
	fill(&row, backup);
	result = HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), row.values, row.nulls));
	MemoryContextSwitchTo(memory);
	return result;
}
