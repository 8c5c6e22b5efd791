/*
 * cleanup_run.h
 *		Clean-up on its own: runs that visit every resource, a batch at a time.
 */
#ifndef BK_CLEANUP_RUN_H
#define BK_CLEANUP_RUN_H

#include "service/call.h"

#include "datatype/timestamp.h"

/* When the next run is due, or at once while one goes on. */
extern TimestampTz bk_cleanup_run_due(TimestampTz now);

/* Do a batch, in one transaction; true where there is more. */
extern bool bk_cleanup_run_batch(const BkCall *call, TimestampTz now);

#endif							/* BK_CLEANUP_RUN_H */
