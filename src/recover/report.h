/*
 * report.h
 *		Messages of bk_recover, and how it ends.
 */
#ifndef BK_REPORT_H
#define BK_REPORT_H

#include "common/common.h"

/* Exit codes; docs/bk_recover.1 promises them. */
typedef enum BkExit
{
	BK_EXIT_OK = 0,
	BK_EXIT_PROBLEM = 1,		/* damage was found, or what was asked for is not there */
	BK_EXIT_USAGE = 2,
	BK_EXIT_KEY = 3,			/* a master key cannot be had, or is not the right one */
	BK_EXIT_FILE = 4			/* a file cannot be read or written */
} BkExit;

/* "bk_recover: error: ..." to standard error; a hint on a line of its own, and a warning where it goes on. */
extern void bk_report_error(const char *format,...) pg_attribute_printf(1, 2);
extern void bk_report_warning(const char *format,...) pg_attribute_printf(1, 2);
extern void bk_report_hint(const char *format,...) pg_attribute_printf(1, 2);

/* The same, and the end of the program. */
BK_NORETURN extern void bk_die(BkExit status, const char *format,...) pg_attribute_printf(2, 3);

/* A slice of text as a message may show it: in quotes, escaped as in JSON; good until three more are shown. */
extern const char *bk_shown(BkText text);

#endif							/* BK_REPORT_H */
