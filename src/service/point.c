/*
 * point.c
 *		The hook of point.h.
 */
#include "service/point.h"

void		(*bk_point_hook) (const char *name);
