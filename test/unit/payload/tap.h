/*
 * tap.h
 *		Assertions that print the Test Anything Protocol.
 */
#ifndef TAP_H
#define TAP_H

#include <stdio.h>
#include <string.h>
#include <stdlib.h>

static int	tap_count;
static int	tap_failed;

/* One test: the name says what holds. */
#define ok(condition, ...) \
	do { \
		bool tap_holds = (condition); \
		tap_failed += !tap_holds; \
		printf("%sok %d - ", tap_holds ? "" : "not ", ++tap_count); \
		printf(__VA_ARGS__); \
		printf("\n"); \
		if (!tap_holds) \
			printf("# at %s:%d\n", __FILE__, __LINE__); \
	} while (0)

/* The statement raises an error of this SQLSTATE and check. */
#define fails(state, what, statement, ...) \
	do { \
		volatile bool tap_caught = false; \
		BK_TRY \
		{ \
			statement; \
		} \
		BK_CATCH \
		{ \
			tap_caught = true; \
		} \
		BK_END_TRY; \
		ok(tap_caught && strcmp(bk_last_error.sqlstate, state) == 0 && \
		   strcmp(bk_last_error.check, what) == 0, __VA_ARGS__); \
		if (tap_caught) \
			tap_raised(); \
	} while (0)

/* What was raised, where it is not what was raised last: test/tools/messages looks for it. */
static inline void
tap_raised(void)
{
	static char last[sizeof(bk_last_error.message)];

	if (strcmp(last, bk_last_error.message) == 0)
		return;
	snprintf(last, sizeof(last), "%s", bk_last_error.message);
	printf("# raised %s, %s: %s\n", bk_last_error.sqlstate, bk_last_error.check, bk_last_error.message);
}

static inline int
tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif							/* TAP_H */
