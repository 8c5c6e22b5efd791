/*
 * restore_total.h
 *		The table backup_service.restore_total: what is left of operations that were
 *		forgotten.
 */
#ifndef BK_CATALOG_RESTORE_TOTAL_H
#define BK_CATALOG_RESTORE_TOTAL_H

#include "catalog/histogram.h"
#include "catalog/queue.h"

/* How an operation may have ended. */
#define BK_ENDS		3

/* Sums over some operations; {0} is of none. */
typedef struct BkRestoreTotals
{
	int64		restores[BK_ENDS][BK_DURATION_BUCKETS];
	int64		durations[BK_ENDS][BK_DURATION_BUCKETS];
} BkRestoreTotals;

extern void bk_restore_totals_count(BkRestoreTotals *totals, const BkEnded *ended);

/*
 * Add them to the table, always in the same order.  What is to be forgotten was deleted before, so that two who
 * do so do not wait for each other in a circle.
 */
extern void bk_restore_totals_add(const BkRestoreTotals *totals);

#endif							/* BK_CATALOG_RESTORE_TOTAL_H */
