/*
 * collect.h
 *		The tap that gathers bytes in one piece, up to a limit.
 */
#ifndef BK_COLLECT_H
#define BK_COLLECT_H

#include "payload/filter.h"

typedef struct BkCollector
{
	BkMemory	memory;
	uint8	   *data;
	size_t		len;
	size_t		capacity;
	size_t		limit;			/* one byte more fails with check "size" */
	BkOrigin	origin;
} BkCollector;

extern BkFilter bk_collector_tap(BkCollector *collector, BkLayer layer);

#endif							/* BK_COLLECT_H */
