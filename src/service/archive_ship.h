/*
 * archive_ship.h
 *		backup_service.archive_command: new backups are shipped elsewhere, the oldest first.
 *
 * One at a time.  The command runs beside the worker's other jobs, outside of any transaction.  Only when it has
 * succeeded is the backup marked, so that one is shipped twice rather than not at all.
 */
#ifndef BK_SERVICE_ARCHIVE_SHIP_H
#define BK_SERVICE_ARCHIVE_SHIP_H

#include "service/call.h"

#include "datatype/timestamp.h"

/* Whether there is a command. */
extern bool bk_archiving_wanted(void);

/* When there is something to do, in a transaction of the worker's. */
extern TimestampTz bk_archive_ship_next_due(TimestampTz now);

/* Do it; true where there is more. */
extern bool bk_archive_ship_step(const BkCall *call, TimestampTz now);

#endif							/* BK_SERVICE_ARCHIVE_SHIP_H */
