/*
 * try.h
 *		Doing something that may fail in one expected way, and going on when it does.
 */
#ifndef BK_TRY_H
#define BK_TRY_H

#include "common/common.h"

/*
 * Run work(argument) in a subtransaction.  Where it raises sqlstate, all it did is
 * undone, *error (in the current memory context) says why, and false is returned.
 * Every other error goes on as it is.
 */
extern bool bk_try(void (*work) (void *argument), void *argument, int sqlstate, ErrorData **error);

#endif							/* BK_TRY_H */
