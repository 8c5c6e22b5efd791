/*
 * restore.c
 *		bk_restore(), bk_restore_at(), bk_read(), bk_export(), bk_diff(), and
 *		bk_restore() as the HTTP surface needs it.
 */
#include "functions/arguments.h"
#include "functions/entry.h"

#include "catalog/backup.h"
#include "mb/pg_wchar.h"
#include "service/restore.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* The three arguments that bk_restore() and bk_restore_at() share. */
static void
read_request(FunctionCallInfo fcinfo, int first, BkRestoreRequest *request)
{
	request->target_resource_id = bk_optional_resource_id(fcinfo, first, "target_resource_id");
	request->validate = bk_bool_argument(fcinfo, first + 1, "validate");
	request->created_by = bk_label_argument(fcinfo, first + 2, "created_by");
}

static void
check_can_record(const char *function)
{
	bk_check_can_write(function, "bk_read() returns the document without recording a restore operation.");
}

/*
 * bk_restore(backup_id bigint, target_resource_id text, validate bool, created_by text, resource_id text)
 * returns jsonb
 */
BK_FUNCTION(bk_restore)
{
	BkRestoreRequest request;
	int64		backup_id = bk_id_argument(fcinfo, 0, "backup_id");
	char	   *resource_id = bk_optional_resource_id(fcinfo, 4, "resource_id");
	BkDocument	document;

	read_request(fcinfo, 1, &request);
	check_can_record("bk_restore()");
	document = bk_restore_document(&entry->call, &request, backup_id, resource_id);
	return bk_result_jsonb(entry, &document, backup_id);
}

/*
 * bk_restore_at(resource_id text, at timestamptz, target_resource_id text, validate bool,
 * created_by text, nearest bool) returns jsonb
 */
BK_FUNCTION(bk_restore_at)
{
	BkRestoreRequest request;
	char	   *resource_id = bk_resource_id_argument(fcinfo, 0, "resource_id");
	bool		nearest = bk_bool_argument(fcinfo, 5, "nearest");
	int64		backup_id;
	BkDocument	document;

	bk_check_not_null(fcinfo, 1, "at");
	read_request(fcinfo, 2, &request);
	check_can_record("bk_restore_at()");
	document = bk_restore_document_at(&entry->call, &request, resource_id, PG_GETARG_TIMESTAMPTZ(1),
									  nearest, &backup_id);
	return bk_result_jsonb(entry, &document, backup_id);
}

/* bk_read(backup_id bigint, resource_id text) returns jsonb */
BK_FUNCTION(bk_read)
{
	int64		backup_id = bk_id_argument(fcinfo, 0, "backup_id");
	char	   *resource_id = bk_optional_resource_id(fcinfo, 1, "resource_id");
	BkDocument	document = bk_read_document(&entry->call, "read", backup_id, resource_id);

	return bk_result_jsonb(entry, &document, backup_id);
}

/* Bytes as a bytea in the caller's memory. */
static bytea *
bytea_result(const BkEntry *entry, BkText bytes)
{
	bytea	   *result;

	if (bytes.len > MaxAllocSize - VARHDRSZ)
		bk_fail_limit("%zu bytes do not fit into one value", bytes.len);
	result = MemoryContextAlloc(entry->call.result_memory, VARHDRSZ + bytes.len);
	SET_VARSIZE(result, VARHDRSZ + bytes.len);
	memcpy(VARDATA(result), bytes.data, bytes.len);
	return result;
}

/* bk_export(backup_id bigint, resource_id text) returns bytea */
BK_FUNCTION(bk_export)
{
	int64		backup_id = bk_id_argument(fcinfo, 0, "backup_id");
	char	   *resource_id = bk_optional_resource_id(fcinfo, 1, "resource_id");

	PG_RETURN_BYTEA_P(bytea_result(entry, bk_export_document(&entry->call, backup_id, resource_id)));
}

/* A document's text as a json value, in the server's encoding, in the caller's memory. */
static Datum
json_result(const BkEntry *entry, BkText document)
{
	char	   *converted = pg_any_to_server(document.data, document.len, PG_UTF8);

	if (converted != document.data)
		document = (BkText) {converted, strlen(converted)};
	return PointerGetDatum(bytea_result(entry, document));
}

/*
 * backup_service_http.restore(backup_id bigint, target_resource_id text, validate bool, created_by text,
 * resource_id text) returns (operation_id bigint, document json, problem text): bk_restore() for who wants the
 * document's text, and for whom a damaged backup is an answer
 */
BK_FUNCTION(bk_http_restore)
{
	BkRestoreRequest request;
	BkRestored	restored;
	Datum		values[3];
	bool		nulls[3] = {false};

	read_request(fcinfo, 1, &request);
	bk_check_can_write("backup_service_http.restore()", "GET /backups/{id}/download gives the document without recording a restore operation.");
	bk_restore_or_record_failure(&entry->call, &request, bk_id_argument(fcinfo, 0, "backup_id"),
								 bk_optional_resource_id(fcinfo, 4, "resource_id"), &restored);
	nulls[1] = restored.problem != NULL;
	nulls[2] = !nulls[1];
	values[0] = Int64GetDatum(restored.operation_id);
	values[1] = nulls[1] ? (Datum) 0 : json_result(entry, restored.document);
	values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(restored.problem);
	return bk_result_row(fcinfo, entry, values, nulls);
}

/* backup_service_http.backup_at(resource_id text, at timestamptz, nearest bool) returns bigint: whose state it was */
BK_FUNCTION(bk_http_backup_at)
{
	BkBackup	backup;

	bk_view_open();
	bk_find_backup_at(&entry->call, bk_resource_id_argument(fcinfo, 0, "resource_id"), PG_GETARG_TIMESTAMPTZ(1),
					  PG_GETARG_BOOL(2), &backup);
	bk_view_close();
	PG_RETURN_INT64(backup.backup_id);
}

/* bk_diff(from_backup bigint, to_backup bigint, resource_id text) returns jsonb */
BK_FUNCTION(bk_diff)
{
	int64		from_backup = bk_id_argument(fcinfo, 0, "from_backup");
	int64		to_backup = bk_id_argument(fcinfo, 1, "to_backup");
	char	   *resource_id = bk_optional_resource_id(fcinfo, 2, "resource_id");
	BkDocument	delta = {.tree = NULL};

	delta.text = bk_compare_documents(&entry->call, from_backup, to_backup, resource_id);
	return bk_result_jsonb(entry, &delta, 0);
}
