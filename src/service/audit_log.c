/*
 * audit_log.c
 *		Lines in the server's log about reads, and about calls that failed.
 */
#include "service/audit_log.h"

#include "mb/pg_wchar.h"
#include "service/audit.h"
#include "service/json_text.h"

/* What is kept of an error's message. */
#define MESSAGE_BYTES	512

/*
 * The code of a character at which some readers of text end a line, beside those that JSON escapes: U+007F to
 * U+009F, U+2028 and U+2029; 0 for others.  *length is its length in UTF-8.
 */
static int
line_end(const unsigned char *c, int *length)
{
	*length = 1;
	if (c[0] == 0x7f)
		return c[0];
	if (GetDatabaseEncoding() != PG_UTF8)
		return 0;
	*length = 2;
	if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
		return c[1];
	*length = 3;
	if (c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9))
		return 0x2000 + (c[2] & 0x3f);
	return 0;
}

/* JSON on one line, whoever reads it; most has nothing that a line's end could begin with. */
static void
escape_line_ends(StringInfo line, const char *json)
{
	for (const char *c = json; *c; c++)
	{
		size_t		plain = strcspn(c, "\x7f\xc2\xe2");
		int			length;
		int			code;

		appendBinaryStringInfo(line, c, (int) plain);
		c += plain;
		if (*c == '\0')
			return;
		code = line_end((const unsigned char *) c, &length);
		if (code == 0)
			appendStringInfoCharMacro(line, *c);
		else
		{
			appendStringInfo(line, "\\u%04x", code);
			c += length - 1;
		}
	}
}

static void
write_line(StringInfo json)
{
	ErrorContextCallback *callers = error_context_stack;
	StringInfoData line;

	initStringInfo(&line);
	escape_line_ends(&line, json->data);
	/* What they would say is hidden; having them say it costs as much as the line. */
	error_context_stack = NULL;
	ereport(LOG_SERVER_ONLY,
			(errmsg_internal("backup_service audit: %s", line.data),
			 errhidestmt(true),
			 errhidecontext(true)));
	error_context_stack = callers;
	pfree(line.data);
}

/* What happened, and who did it. */
static void
add_event(StringInfo json, const BkEvent *event)
{
	bk_json_add_text(json, "action", event->action);
	bk_json_add_text(json, "outcome", event->outcome);
	bk_json_add_text(json, "resource_id", event->resource_id);
	if (event->backup_id != 0)
		bk_json_add_int64(json, "backup_id", event->backup_id);
	bk_json_add_text(json, "role", event->role);
	bk_json_add_text(json, "session_role", event->session_role);
	bk_json_add_text(json, "application", event->application);
	bk_json_add_text(json, "client", event->client);
	bk_json_add_jsonb(json, "detail", event->detail);
}

void
bk_log_event(const BkEvent *event)
{
	StringInfoData json;

	bk_json_begin(&json);
	add_event(&json, event);
	bk_json_end(&json);
	write_line(&json);
	pfree(json.data);
}

static bool
is_denial(const BkCall *call, const ErrorData *error)
{
	return call->attempt->denied || error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE;
}

static char *
clip(const char *message)
{
	return pnstrdup(message, pg_mbcliplen(message, strlen(message), MESSAGE_BYTES));
}

void
bk_log_failure(const BkCall *call)
{
	MemoryContext memory = MemoryContextSwitchTo(call->memory);
	ErrorData  *error = CopyErrorData();
	BkEvent		event;
	StringInfoData json;

	bk_audit_describe(call, call->function + strlen("bk_"), call->attempt->resource_id, call->attempt->backup_id, &event);
	event.outcome = is_denial(call, error) ? "denied" : "failed";
	bk_json_begin(&json);
	add_event(&json, &event);
	bk_json_add_text(&json, "sqlstate", unpack_sql_state(error->sqlerrcode));
	bk_json_add_text(&json, "message", clip(error->message ? error->message : "missing error text"));
	bk_json_end(&json);
	write_line(&json);
	MemoryContextSwitchTo(memory);
}
