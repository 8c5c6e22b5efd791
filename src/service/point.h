/*
 * point.h
 *		Named points of long work, at which a test can stop, kill or look.
 */
#ifndef BK_POINT_H
#define BK_POINT_H

#include "common/common.h"

/* A test module may put a function here, which is called wherever a process comes by; nothing else does. */
extern PGDLLEXPORT void (*bk_point_hook) (const char *name);

static inline void
bk_point(const char *name)
{
	if (unlikely(bk_point_hook != NULL))
		bk_point_hook(name);
}

#endif							/* BK_POINT_H */
