/*
 * gaps.h
 *		What archives do not have, as far as it shows.
 *
 * The archive of one backup names the one that was shipped before it, and counts both among all backups of the
 * resource.  So a file that is missing is known by its successor, and how many backups nobody has shipped by the
 * numbers between.  What is missing at the end is named by nobody; what is missing at the front is not missed.
 */
#ifndef BK_RECOVER_GAPS_H
#define BK_RECOVER_GAPS_H

#include "recover/store.h"

#define BK_LOST_UNKNOWN		(-1)

/* Fill after_gap and lost of points in order, those that are missing among them. */
extern void bk_gaps_note(BkRecoverPoint *points, int count);

/*
 * Where the state between a point and a time is not certain: the position of the point that is missing, or before which
 * backups may be; -1 where it is certain.  before is how many points are not later than that time.
 */
extern int	bk_gaps_find(const BkRecoverPoint *points, int count, int from, int before);

#endif							/* BK_RECOVER_GAPS_H */
