/*
 * error.c
 *		The two implementations of error.h: ereport, and longjmp.
 */
#include "common/common.h"

#include <stdarg.h>
#include <stdio.h>

#ifndef FRONTEND

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

static char *format_va(const char *format, va_list args) pg_attribute_printf(1, 0);

/* Format into the current memory context, as long as it gets. */
static char *
format_va(const char *format, va_list args)
{
	StringInfoData buffer;

	initStringInfo(&buffer);
	for (;;)
	{
		va_list		copy;
		int			needed;

		va_copy(copy, args);
		needed = appendStringInfoVA(&buffer, format, copy);
		va_end(copy);
		if (needed == 0)
			return buffer.data;
		enlargeStringInfo(&buffer, needed);
	}
}

/*
 * Messages of the pure layers are UTF-8, and may hold a path out of hostile bytes:
 * show what the database's encoding might not have as question marks.
 */
static void
make_showable(char *text)
{
	if (GetDatabaseEncoding() == PG_UTF8 && pg_verify_mbstr(PG_UTF8, text, strlen(text), true))
		return;
	for (; *text; text++)
		if (IS_HIGHBIT_SET(*text))
			*text = '?';
}

void
bk_fail(BkOrigin origin, const char *check, const char *detail,...)
{
	va_list		args;
	char	   *text;

	va_start(args, detail);
	text = format_va(detail, args);
	va_end(args);
	make_showable(text);

	if (origin.backup_id == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid %s", check),
				 errdetail("The %s was refused: %s.", check, text)));
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("backup " INT64_FORMAT " is damaged", origin.backup_id),
			 errdetail("The %s check failed: %s.", check, text),
			 errhint("Run bk_list() for other backups of the resource, and bk_verify() to see which of them are sound.")));
	pg_unreachable();
}

void
bk_fail_limit(const char *message,...)
{
	va_list		args;
	char	   *text;

	va_start(args, message);
	text = format_va(message, args);
	va_end(args);
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("%s", text)));
	pg_unreachable();
}

void
bk_fail_library(const char *library, const char *call, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg("%s failed in %s", library, call),
			 reason ? errdetail("%s.", reason) : 0,
			 errhint("Try again in a new session.")));
	pg_unreachable();
}

void
bk_fail_memory(const char *library, const char *call)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory"),
			 errdetail("%s failed in %s.", library, call)));
	pg_unreachable();
}

#else							/* FRONTEND */

#include <stdlib.h>

BkError		bk_last_error;
jmp_buf    *bk_error_handler;

static void record(const char *sqlstate, const char *check, const char *format, va_list args) pg_attribute_printf(3, 0);
BK_NORETURN static void raise_plain(const char *sqlstate, const char *check, const char *format,...) pg_attribute_printf(3, 4);

static void
record(const char *sqlstate, const char *check, const char *format, va_list args)
{
	snprintf(bk_last_error.sqlstate, sizeof(bk_last_error.sqlstate), "%s", sqlstate);
	snprintf(bk_last_error.check, sizeof(bk_last_error.check), "%s", check);
	vsnprintf(bk_last_error.message, sizeof(bk_last_error.message), format, args);
}

/* Jump with what was recorded, or say it and give up where nobody catches. */
BK_NORETURN static void
raise_recorded(void)
{
	if (bk_error_handler)
		longjmp(*bk_error_handler, 1);
	fprintf(stderr, "%s: %s: %s\n", bk_last_error.sqlstate, bk_last_error.check, bk_last_error.message);
	exit(1);
}

void
bk_fail(BkOrigin origin, const char *check, const char *detail,...)
{
	va_list		args;

	va_start(args, detail);
	record(origin.backup_id == 0 ? "22023" : "XX001", check, detail, args);
	va_end(args);
	raise_recorded();
}

void
bk_fail_limit(const char *message,...)
{
	va_list		args;

	va_start(args, message);
	record("54000", "limit", message, args);
	va_end(args);
	raise_recorded();
}

static void
raise_plain(const char *sqlstate, const char *check, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	record(sqlstate, check, format, args);
	va_end(args);
	raise_recorded();
}

void
bk_fail_library(const char *library, const char *call, const char *reason)
{
	raise_plain("XX000", library, "failed in %s: %s", call, reason ? reason : "no reason given");
}

void
bk_fail_memory(const char *library, const char *call)
{
	raise_plain("53200", library, "out of memory in %s", call);
}

#endif							/* FRONTEND */
