/*
 * restore.h
 *		Documents of backups: read, restored on record, found by time, compared.
 */
#ifndef BK_RESTORE_H
#define BK_RESTORE_H

#include "catalog/backup.h"
#include "document/document.h"
#include "service/call.h"

/* A restore that is recorded as an operation. */
typedef struct BkRestoreRequest
{
	const char *target_resource_id; /* a label; NULL where none was given */
	bool		validate;
	const char *created_by;		/* a label; NULL for the role's name */
} BkRestoreRequest;

/* The document of a backup, proven; resource_id may be NULL.  The action is what the audit trail calls it. */
extern BkDocument bk_read_document(const BkCall *call, const char *action, int64 backup_id, const char *resource_id);

/*
 * The document of a backup as a .gz file, proven likewise.  What is stored is
 * handed out where it is such a file.
 */
extern BkText bk_export_document(const BkCall *call, int64 backup_id, const char *resource_id);

/* The same with an operation row; backup_id tells errors and callers which backup it was. */
extern BkDocument bk_restore_document(const BkCall *call, const BkRestoreRequest *request,
								  int64 backup_id, const char *resource_id);

/* How a recorded restore has ended. */
typedef struct BkRestored
{
	int64		operation_id;
	BkText		document;
	const char *problem;		/* NULL, or what was found damaged: then the document has no data */
} BkRestored;

/* The same where a damaged backup is no error but an operation that has failed. */
extern void bk_restore_or_record_failure(const BkCall *call, const BkRestoreRequest *request,
										 int64 backup_id, const char *resource_id, BkRestored *restored);

/*
 * The same for the newest point at or before a time.  42704 where that is a
 * tombstone or lies before the timeline; nearest takes the last live point
 * before it instead, with a WARNING.
 */
extern BkDocument bk_restore_document_at(const BkCall *call, const BkRestoreRequest *request,
									 const char *resource_id, TimestampTz at, bool nearest,
									 int64 *backup_id);

/* The backup that a resource's time means, in a view; nearest as above. */
extern void bk_find_backup_at(const BkCall *call, const char *resource_id, TimestampTz at, bool nearest, BkBackup *backup);

/* What the audit trail says of a restore beside its backup, and of one that has failed. */
extern Jsonb *bk_describe_operation(int64 operation_id, const char *target_resource_id, const char *created_by, bool validated);
extern Jsonb *bk_describe_failed_operation(int64 operation_id, const char *target_resource_id, const char *error);

/* What validation has found, as an operation has it; NULL where the error is none of the backup's. */
extern Jsonb *bk_validation_errors(const ErrorData *error);

/* The complete delta between two stored states. */
extern BkText bk_compare_documents(const BkCall *call, int64 from_backup, int64 to_backup, const char *resource_id);

#endif							/* BK_RESTORE_H */
