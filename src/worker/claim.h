/*
 * claim.h
 *		A worker's claim to its database.
 */
#ifndef BK_CLAIM_H
#define BK_CLAIM_H

#include "service/roster_table.h"

/* Why a worker ends. */
typedef enum BkEnding
{
	BK_GO_ON,					/* it does not */
	BK_END_FAILED,				/* by an error outside of jobs, or a signal in one: again after a growing delay */
	BK_END_IDLE,				/* nothing is to be done until a job is due, or somebody wakes it */
	BK_END_LEAVE,				/* it stood in the way of a statement on the database */
	BK_END_STOPPED,				/* by a signal, while it was idle */
	BK_END_RENEW,				/* a new process shall go on, with the library as it is now */
	BK_END_GONE					/* the database has no extension, or is not to be served */
} BkEnding;

/*
 * Claim a database until bk_claim_release() or the process's end; false where another
 * worker has it or there is no room.
 */
extern bool bk_claim_database(Oid database, int jobs);

/* False, and the claim stands, where the worker would rest but was woken meanwhile. */
extern bool bk_claim_release(BkEnding ending);

/* How the jobs stand, BK_MAX_JOBS of them; no other process writes them. */
extern BkJobState *bk_claim_jobs(void);

extern void bk_claim_note_connected(void);
extern bool bk_claim_take_wake(void);	/* whether somebody has woken it since the last call */
extern bool bk_claim_take_leave(void);	/* whether it was asked to leave */
extern bool bk_claim_is_crowded(void);	/* databases wait for worker slots: who has nothing to do shall end */
extern void bk_claim_note_seen(void);	/* the extension is there, and fits the library */
extern bool bk_claim_complain_once(void);	/* false where that has been done, and nothing was well since */
extern int	bk_claim_note_failure(void);	/* returns how many there were in a row */

#endif							/* BK_CLAIM_H */
