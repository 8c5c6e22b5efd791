/*
 * helpers.h
 *		The processes that a database's worker has started to help it with queued restores.
 */
#ifndef BK_HELPERS_H
#define BK_HELPERS_H

/* Start one more where there may be one more. */
extern void bk_helpers_add(void);

#endif							/* BK_HELPERS_H */
