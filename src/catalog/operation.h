/*
 * operation.h
 *		The table backup_service.restore_operation: one row a restore.
 */
#ifndef BK_CATALOG_OPERATION_H
#define BK_CATALOG_OPERATION_H

#include "catalog/statement.h"
#include "common/backup_types.h"
#include "datatype/timestamp.h"
#include "utils/jsonb.h"

typedef struct BkOperation
{
	const char *resource_id;
	int64		backup_id;
	const char *target_resource_id; /* NULL where none was named */
	BkBackupType type;
	bool		validated;
	const char *role;			/* who did it */
	const char *created_by;		/* a label; the role's name where none was given */
	TimestampTz created_at;
	TimestampTz completed_at;
	const char *error;			/* why it has failed; NULL where it is completed */
	Jsonb	   *validation_errors;	/* NULL where there are none */
} BkOperation;

/* Record a restore that has answered: completed, or failed.  Returns its id. */
extern int64 bk_operation_insert(const BkOperation *operation);

#endif							/* BK_CATALOG_OPERATION_H */
