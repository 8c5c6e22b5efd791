/*
 * try.h
 *		Doing something that may fail in one expected way, and going on when it does.
 */
#ifndef BK_TRY_H
#define BK_TRY_H

#include "common/common.h"

/* Which errors are expected. */
typedef bool (*BkExpected) (const ErrorData *error);

extern bool bk_is_damage(const ErrorData *error);	/* XX001 */
extern bool bk_is_conflict(const ErrorData *error); /* 40001 */
extern bool bk_is_any_error(const ErrorData *error);
extern bool bk_is_key_problem(const ErrorData *error);	/* a master key that cannot be had */

/*
 * Run work(argument) in a subtransaction.  Where it raises what is expected, all it
 * did is undone, *error (in the current memory context) says why, and false is
 * returned.  Every other error goes on as it is.
 */
extern bool bk_try(void (*work) (void *argument), void *argument, BkExpected expected, ErrorData **error);

/* What was caught as one line: its message, and its detail where it has one. */
extern char *bk_error_text(const ErrorData *error);

/* Say as a WARNING what was caught; hint NULL: the error's own. */
extern void bk_warn(const ErrorData *error, const char *hint);

#endif							/* BK_TRY_H */
