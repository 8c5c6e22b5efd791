/*
 * owners.h
 *		Whose resources a list shows.
 */
#ifndef BK_CATALOG_OWNERS_H
#define BK_CATALOG_OWNERS_H

#include "catalog/statement.h"

typedef struct BkOwners
{
	Oid			reader;			/* whose resources: those of roles whose privileges it has */
	bool		all;			/* or everybody's */
} BkOwners;

/* Add the names of the owners (name[]), null for everybody's; in a view. */
extern void bk_owners_add(BkValues *values, const BkOwners *owners);

/* Put what a statement finds for an id, $1, and owners, $2, in a view, into rows. */
extern void bk_owners_show(BkStatement *statement, int64 id, const BkOwners *owners, Tuplestorestate *rows);

#endif							/* BK_CATALOG_OWNERS_H */
