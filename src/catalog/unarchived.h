/*
 * unarchived.h
 *		The column archived_at of backups: which have a copy outside.
 */
#ifndef BK_CATALOG_UNARCHIVED_H
#define BK_CATALOG_UNARCHIVED_H

#include "catalog/statement.h"
#include "datatype/timestamp.h"

/* The oldest backup without one, so that a base comes before what builds on it, in a view; those that are corrupt are left out. */
extern bool bk_unarchived_find(char **resource_id, int64 *backup_id);

/* How many there are, counted up to limit, and since when the oldest of these is, in a view. */
extern int64 bk_unarchived_count(int limit, TimestampTz *oldest);

/* A backup of a locked resource has one now. */
extern void bk_unarchived_set(const char *resource_id, int64 backup_id, TimestampTz archived_at);

#endif							/* BK_CATALOG_UNARCHIVED_H */
