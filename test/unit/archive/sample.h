/*
 * sample.h
 *		An archive in memory to be written, read and spoiled.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "archive/archive.h"

typedef struct Sample
{
	uint8		kek[BK_KEK_BYTES];
	BkDek	   *dek;			/* of every backup */
	BkDek	   *key;			/* that archives are sealed with */
	BkArchive	archive;
	BkText		stored[3];		/* payloads of the backups, in order */
} Sample;

/* A full backup, a tombstone, an incremental with labels, a full one that has left the timeline; two holds. */
extern Sample *sample_new(BkMemory memory);

/* The same with one backup, which builds on another that it has not. */
extern Sample *sample_single(BkMemory memory);

/* Its bytes, sealed. */
extern BkText sample_write(BkMemory memory, const Sample *sample);

/* Put the right MAC at the end of bytes that were changed. */
extern void sample_seal(BkMemory memory, const Sample *sample, BkText bytes);

#endif							/* SAMPLE_H */
