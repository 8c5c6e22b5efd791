/*
 * create.h
 *		Making a backup.
 */
#ifndef BK_CREATE_H
#define BK_CREATE_H

#include "catalog/backup.h"
#include "service/keys.h"

/* What is asked for; checked by the caller, but for what needs the catalog. */
typedef struct BkCreateRequest
{
	const char *resource_id;
	const char *resource_type;
	BkBackupType type;
	BkCompression compression;
	bool		encrypt;
	Interval   *retention;		/* NULL: no expiry */
	Jsonb	   *tags;
	const char *source;			/* NULL where not given, as version */
	const char *version;
} BkCreateRequest;

/* Back up a value in the caller's transaction and give the backup's row. */
extern void bk_create_backup(const BkCall *call, const BkCreateRequest *request, Jsonb *data, BkBackup *backup);

/* The same for a document's canonical text, with the active key at hand (bk_keys_activate()). */
extern void bk_create_backup_of_text(const BkCall *call, BkKeys *keys, const BkCreateRequest *request,
									 BkText document, BkBackup *backup);

#endif							/* BK_CREATE_H */
