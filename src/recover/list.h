/*
 * list.h
 *		Printing what archives hold.
 */
#ifndef BK_RECOVER_LIST_H
#define BK_RECOVER_LIST_H

#include "recover/store.h"

/* As a table for people, or as a JSON array; a point a row. */
extern void bk_recover_list(BkMemory memory, const BkRecoverPoint *points, int count, bool json);

#endif							/* BK_RECOVER_LIST_H */
