/*
 * http_answer.c
 *		Answers kept for requests that are sent again.
 */
#include "service/answer.h"

#include "functions/arguments.h"
#include "functions/entry.h"
#include "utils/builtins.h"

/*
 * backup_service_http.take_up(key text, request bytea) returns (same boolean, answer json): the answer is null where
 * the request is new; same is false where the key was another request's
 */
BK_FUNCTION(bk_http_take_up)
{
	bytea	   *request = PG_GETARG_BYTEA_PP(1);
	const char *answer;
	bool		same;
	Datum		values[2];
	bool		nulls[2] = {false};

	bk_check_can_write("backup_service_http.take_up()", NULL);
	same = bk_take_up_request(&entry->call, bk_optional_text(fcinfo, 0),
							  (BkText) {VARDATA_ANY(request), VARSIZE_ANY_EXHDR(request)}, &answer);
	nulls[1] = answer == NULL;
	values[0] = BoolGetDatum(same);
	values[1] = answer ? CStringGetTextDatum(answer) : (Datum) 0;
	return bk_result_row(fcinfo, entry, values, nulls);
}

/* backup_service_http.keep(key text, answer json) returns void */
BK_FUNCTION(bk_http_keep)
{
	bk_check_can_write("backup_service_http.keep()", NULL);
	bk_keep_answer(&entry->call, bk_optional_text(fcinfo, 0), bk_optional_text(fcinfo, 1));
	PG_RETURN_VOID();
}
