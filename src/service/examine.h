/*
 * examine.h
 *		Verifying one backup after the other: those of a chain, in order, cost
 *		one reading of the chain.
 */
#ifndef BK_EXAMINE_H
#define BK_EXAMINE_H

#include "catalog/backup.h"
#include "service/call.h"

typedef struct BkExaminer BkExaminer;

typedef enum BkExamined
{
	BK_EXAMINED_SOUND,			/* in full */
	BK_EXAMINED_AT_REST,		/* the stored bytes are sound; a key for more cannot be had */
	BK_EXAMINED_DAMAGED,
	BK_EXAMINED_FAILED,			/* by an error that says nothing of the backup; it was warned of */
	BK_EXAMINED_NOT				/* it would cost more than allowed */
} BkExamined;

typedef struct BkExamination
{
	BkExamined	result;
	int64		bytes;			/* stored bytes that were to be read, or would have been */

	/* where it is damaged: by what, and in which backup, itself or one that it builds on */
	const char *error;
	BkBackup	culprit;
} BkExamination;

/* One that is freed with memory, and keeps keys and documents in it. */
extern BkExaminer *bk_examiner_new(BkMemory memory);

/* Verify a backup, if it costs at most so many bytes (or whatever it costs: -1). */
extern void bk_examine(BkExaminer *examiner, const BkCall *call, const BkBackup *backup, int64 max_bytes,
					   BkExamination *examination);

/* Forget document and keys, unless the next backup is to be of this resource (NULL: none). */
extern void bk_examiner_rest(BkExaminer *examiner, const char *next_resource);

#endif							/* BK_EXAMINE_H */
