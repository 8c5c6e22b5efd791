/*
 * verify.h
 *		Proving that a backup can be restored.
 */
#ifndef BK_VERIFY_H
#define BK_VERIFY_H

#include "catalog/backup.h"
#include "nodes/pg_list.h"
#include "service/call.h"

typedef struct BkVerdict
{
	bool		checksum_valid; /* the stored bytes are those that were written */
	bool		structure_valid;	/* the document can be rebuilt and read */
	bool		data_integrity; /* and is, authenticated, the one that was backed up */
	bool		incomplete;		/* a key cannot be had: the last two are not known */
	List	   *errors;			/* of char * */
	List	   *warnings;
} BkVerdict;

/* All three. */
extern bool bk_verdict_valid(const BkVerdict *verdict);

/*
 * Verify a backup and the chain below it, and note what was found where the transaction can
 * write and the resource has no other writer.  Damage is a finding, not an error; a key that
 * cannot be had is a warning.
 */
extern void bk_verify_backup(const BkCall *call, int64 backup_id, const char *resource_id, BkVerdict *verdict);

#endif							/* BK_VERIFY_H */
