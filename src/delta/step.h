/*
 * step.h
 *		Reading a path one step at a time, and showing one in a message.
 */
#ifndef BK_STEP_H
#define BK_STEP_H

#include "document/tree.h"

#define BK_PATH_SHOWN		204

typedef struct BkPathReader
{
	BkMemory	memory;			/* for keys that have to be respelled */
	BkText		path;
	size_t		at;
	const char *fault;			/* why it is malformed, or NULL */
} BkPathReader;

typedef struct BkStep
{
	bool		is_index;
	uint32		index;			/* UINT32_MAX: beyond any array */
	BkKey		key;			/* canonically spelled */
} BkStep;

/* Read the next step; false at the end and where the path is malformed. */
extern bool bk_path_step(BkPathReader *reader, BkStep *step);

/* A path for people: its start, without what might upset a terminal. */
extern const char *bk_path_show(char shown[BK_PATH_SHOWN], BkText path);

#endif							/* BK_STEP_H */
