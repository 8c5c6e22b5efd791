/*
 * operation_list.h
 *		Listing restore operations: rows of the view bk_operations, by filters.
 */
#ifndef BK_CATALOG_OPERATION_LIST_H
#define BK_CATALOG_OPERATION_LIST_H

#include "catalog/owners.h"
#include "datatype/timestamp.h"
#include "utils/tuplestore.h"

typedef struct BkOperationFilter
{
	const char *resource_id;	/* of the backup; NULL matches everything, as the next two */
	const char *target_resource_id;
	const char *status;
	TimestampTz since;			/* created_at from, inclusive */
	TimestampTz until;			/* created_at to, exclusive */
	TimestampTz before;			/* only what follows (before, before_id) in the list */
	int64		before_id;
	int32		max_rows;
	BkOwners	owners;
} BkOperationFilter;

/* Put the matching rows, newest first, in a view, into rows. */
extern void bk_operation_find(const BkOperationFilter *filter, Tuplestorestate *rows);

/* Put the row of one operation, in a view, into rows, where it is there and is one of the owners'. */
extern void bk_operation_show(int64 operation_id, const BkOwners *owners, Tuplestorestate *rows);

/* How many match, in a view; max_rows is of no account. */
extern int64 bk_operation_count(const BkOperationFilter *filter);

#endif							/* BK_CATALOG_OPERATION_LIST_H */
