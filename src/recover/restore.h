/*
 * restore.h
 *		Which backup is meant.
 */
#ifndef BK_RECOVER_RESTORE_H
#define BK_RECOVER_RESTORE_H

#include "recover/options.h"
#include "recover/store.h"

/* Leave out the points that the options do not name; returns how many are left. */
extern int	bk_recover_filter(BkRecoverPoint *points, int count, const BkRecoverOptions *options);

/* The one to restore, of those that are left; NULL, reported, where there is none; ends the program where several may be meant. */
extern const BkRecoverPoint *bk_recover_choose(const BkRecoverPoint *points, int count, const BkRecoverOptions *options);

#endif							/* BK_RECOVER_RESTORE_H */
