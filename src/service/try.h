/*
 * try.h
 *		Doing something that may find damage, and going on when it does.
 */
#ifndef BK_TRY_H
#define BK_TRY_H

#include "common/common.h"

/*
 * Run work(argument) in a subtransaction.  Where it raises XX001, all it did is
 * undone, *damage (in the current memory context) says why, and false is
 * returned.  Every other error goes on as it is.
 */
extern bool bk_try(void (*work) (void *argument), void *argument, ErrorData **damage);

#endif							/* BK_TRY_H */
