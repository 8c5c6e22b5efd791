/*
 * pick.h
 *		Which database needs a worker, and when.
 */
#ifndef BK_PICK_H
#define BK_PICK_H

#include "service/roster_table.h"

/* This process is the launcher, until it ends. */
extern void bk_pick_begin(void);

/* Whether databases may have come or gone since the last call. */
extern bool bk_pick_take_rescan(void);

/* These are to be served; returns for how many there is no room. */
extern int	bk_pick_set_databases(const Oid *databases, int count);

/* This one is not, until the next bk_pick_set_databases(). */
extern void bk_pick_exclude(Oid database);

/* A database that needs a worker now, else InvalidOid, and in *due when one will (DT_NOEND: when woken). */
extern Oid	bk_pick_database(TimestampTz now, TimestampTz *due);

/*
 * A worker is on its way, until it claims, or the launcher finds that it never will; the
 * number tells that start from later ones.
 */
extern int	bk_pick_start(Oid database);
extern void bk_pick_start_over(Oid database, int number, bool failed);

/* Databases wait for worker slots, or no longer. */
extern void bk_pick_set_crowded(bool crowded);

#endif							/* BK_PICK_H */
