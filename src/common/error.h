/*
 * error.h
 *		How the layers that also compile without the server raise errors.
 *
 * In the server these are ereport(ERROR) with the standard SQLSTATE; without
 * it they jump to the innermost BK_TRY.  Either way nothing after the call
 * runs, so whatever must be released hangs on a BkMemory (see memory.h).
 */
#ifndef BK_ERROR_H
#define BK_ERROR_H

/*
 * Where bytes that are being read came from: a stored backup, or (backup_id 0)
 * an argument of the caller.  It decides what a malformed byte means.
 */
typedef struct BkOrigin
{
	int64		backup_id;
} BkOrigin;

#define BK_ARGUMENT		((BkOrigin) {0})

/*
 * Raise that what came from origin fails its checks.
 *
 * From a backup: XX001, "backup 12 is damaged", DETAIL "The <check> check
 * failed: <detail>." with a hint.  From an argument: 22023, "invalid <check>",
 * DETAIL "The <check> was refused: <detail>.".  check is a noun such as "MAC", "document" or "delta";
 * detail is a clause without a full stop, and holds no part of a document
 * beyond a path or a key.
 */
BK_NORETURN extern void bk_fail(BkOrigin origin, const char *check, const char *detail,...) pg_attribute_printf(3, 4);

/* Raise 54000: something is larger than can be handled. */
BK_NORETURN extern void bk_fail_limit(const char *message,...) pg_attribute_printf(1, 2);

/*
 * Raise XX000: a library call failed where it cannot unless the machine is out
 * of something.  library and call name it; reason may be NULL.
 */
BK_NORETURN extern void bk_fail_library(const char *library, const char *call, const char *reason);

/* Raise 53200: a library call found no memory. */
BK_NORETURN extern void bk_fail_memory(const char *library, const char *call);

#ifdef FRONTEND

#include <setjmp.h>

/* What was raised last: the kind is the SQLSTATE that the server would give. */
typedef struct BkError
{
	char		sqlstate[6];
	char		check[64];
	char		message[512];
} BkError;

extern BkError bk_last_error;
extern jmp_buf *bk_error_handler;

/*
 * BK_TRY { ... } BK_CATCH { ... } BK_END_TRY; the catch block reads
 * bk_last_error.  Locals that the try block changes must be volatile.
 */
#define BK_TRY \
	do { \
		jmp_buf *bk_saved_handler = bk_error_handler; \
		jmp_buf bk_local_handler; \
		if (setjmp(bk_local_handler) == 0) \
		{ \
			bk_error_handler = &bk_local_handler;
#define BK_CATCH \
			bk_error_handler = bk_saved_handler; \
		} \
		else \
		{ \
			bk_error_handler = bk_saved_handler;
#define BK_END_TRY \
		} \
	} while (0)

#endif							/* FRONTEND */

#endif							/* BK_ERROR_H */
