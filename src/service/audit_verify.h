/*
 * audit_verify.h
 *		Verification and trimming of the audit trail.
 */
#ifndef BK_AUDIT_VERIFY_H
#define BK_AUDIT_VERIFY_H

#include "service/call.h"

#include "datatype/timestamp.h"

/* One thing that is wrong. */
typedef struct BkAuditProblem
{
	const char *resource_id;	/* whose chain; "" for the keys' */
	int64		number;			/* of the event, or 0 */
	int64		backup_id;		/* or 0 */
	const char *problem;
} BkAuditProblem;

/* Who is told. */
typedef struct BkAuditReport
{
	void		(*tell) (void *context, const BkAuditProblem *problem);
	void	   *context;
} BkAuditReport;

/*
 * Report the first broken link of a chain, and where the catalog is not what the
 * trail says.  NULL for all chains.
 */
extern void bk_audit_verify_chains(const BkCall *call, const char *resource_id, const BkAuditReport *report);

/*
 * Remove the events older than a time from the beginning of every chain, and
 * leave checkpoints; returns how many.  A chain that does not verify is an error.
 */
extern int64 bk_audit_trim_events(const BkCall *call, TimestampTz before);

#endif							/* BK_AUDIT_VERIFY_H */
