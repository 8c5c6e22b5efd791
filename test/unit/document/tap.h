/*
 * tap.h
 *		The few assertions of these tests; they print TAP, for prove.
 */
#ifndef BK_TAP_H
#define BK_TAP_H

#include <stdio.h>
#include <string.h>

static int	tap_count;
static int	tap_failed;

/* One test; gives its result, so that a caller can say more. */
static inline bool
tap_ok(bool passed, const char *name)
{
	printf("%sok %d - %s\n", passed ? "" : "not ", ++tap_count, name);
	if (!passed)
		tap_failed++;
	return passed;
}

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

/* The plan, at the end; gives the exit code. */
static inline int
tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed > 0;
}

#endif							/* BK_TAP_H */
