/*
 * health.h
 *		Whether all is well: one line for each thing that may not be.
 */
#ifndef BK_HEALTH_H
#define BK_HEALTH_H

#include "service/call.h"

typedef struct BkHealth
{
	const char *name;			/* of the check */
	bool		critical;		/* where it fails, backups or restores do, or soon will */
	bool		ok;
	const char *detail;			/* what was found */
} BkHealth;

/* Make all checks, which may ask for master keys for some seconds; *health in the call's memory.  Returns how many. */
extern int	bk_health_check(const BkCall *call, BkHealth **health);

#endif							/* BK_HEALTH_H */
