/*
 * drop.h
 *		The end of a resource, and its name's next life.
 */
#ifndef BK_DROP_H
#define BK_DROP_H

#include "catalog/resource.h"
#include "service/call.h"

/* Remove a resource and all of its backups but for its audit trail; returns how many backups there were. */
extern int64 bk_drop_resource(const BkCall *call, const char *resource_id);

/* A dropped resource, locked, becomes the caller's. */
extern void bk_take_over_resource(const BkCall *call, BkResource *resource, TimestampTz now);

#endif							/* BK_DROP_H */
