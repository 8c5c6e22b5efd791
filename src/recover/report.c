/*
 * report.c
 *		Messages in the style of PostgreSQL's programs.
 */
#include "recover/report.h"

#include "recover/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN_BYTES		128

static void report(const char *kind, const char *format, va_list arguments) pg_attribute_printf(2, 0);

static void
report(const char *kind, const char *format, va_list arguments)
{
	fprintf(stderr, "bk_recover: %s: ", kind);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
}

void
bk_report_error(const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	report("error", format, arguments);
	va_end(arguments);
}

void
bk_report_warning(const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	report("warning", format, arguments);
	va_end(arguments);
}

void
bk_report_hint(const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	report("hint", format, arguments);
	va_end(arguments);
}

/* Keys are wiped by nobody then: the process's memory goes with it. */
void
bk_die(BkExit status, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	report("error", format, arguments);
	va_end(arguments);
	exit(status);
}

const char *
bk_shown(BkText text)
{
	static char shown[4][SHOWN_BYTES * 6 + 8];
	static int	next;
	char	   *to = shown[next++ % 4];
	size_t		len = Min(text.len, (size_t) SHOWN_BYTES);

	to[bk_json_escape((BkText) {text.data, len}, to)] = '\0';
	return to;
}
