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

#endif							/* BK_CATALOG_OWNERS_H */
