/*
 * tap.h
 *		The few assertions of these tests; they print TAP, for prove.
 */
#ifndef BK_TAP_H
#define BK_TAP_H

#include <stdio.h>

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

/* The plan, at the end; gives the exit code. */
static inline int
tap_done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed > 0;
}

#endif							/* BK_TAP_H */
