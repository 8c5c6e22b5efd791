/*
 * databases.h
 *		The cluster's databases, for a process that is connected to none.
 */
#ifndef BK_DATABASES_H
#define BK_DATABASES_H

#include "common/common.h"

/* Whether backup_service.databases, which may be empty, lets the worker into a database. */
extern bool bk_database_is_listed(const char *name);

/*
 * The databases that may be served: listed, open to connections, no template.  A transaction
 * of its own; *databases is in the current memory context.  Returns how many.
 */
extern int	bk_databases_find(Oid **databases);

#endif							/* BK_DATABASES_H */
