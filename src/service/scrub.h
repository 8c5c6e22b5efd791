/*
 * scrub.h
 *		Verifying backups before somebody needs them: a run reads those that were
 *		verified longest ago, a part at a time.
 *
 * In full, with the keys: chain, authentication and document.  At rest, where a key cannot
 * be had: only that the stored bytes are those that were written.  A run lives in the memory
 * of the process; one that its process does not end goes on at the next run's time.
 */
#ifndef BK_SCRUB_H
#define BK_SCRUB_H

#include "service/call.h"

#include "datatype/timestamp.h"

/* The name under which backup_service.job has when the last run was begun. */
#define BK_SCRUB_JOB	"scrub"

/* When there is something to read; DT_NOEND: never. */
extern TimestampTz bk_scrub_next_due(TimestampTz now);

/* Begin a run, or go on with it for some megabytes; false where it has ended. */
extern bool bk_scrub_run_step(const BkCall *call, TimestampTz now);

#endif							/* BK_SCRUB_H */
