/*
 * backup.h
 *		The table backup_service.backup: one row a backup.
 */
#ifndef BK_CATALOG_BACKUP_H
#define BK_CATALOG_BACKUP_H

#include "catalog/statement.h"
#include "common/backup_types.h"
#include "datatype/timestamp.h"
#include "utils/jsonb.h"

/* A row, with what reading its payload needs from its resource and key version. */
typedef struct BkBackup
{
	/* identity; covered by the MAC */
	char	   *resource_id;
	int64		backup_id;
	int64		base_id;		/* 0 for a full backup */
	BkBackupType type;
	TimestampTz created_at;

	/* payload; covered by the MAC */
	int64		size;
	int64		stored_size;
	int64		document_size;
	BkCompression compression;
	bool		encrypted;
	uint8		document_digest[BK_DIGEST_BYTES];
	uint8		iv[BK_IV_BYTES];

	/* proof */
	uint8		checksum[BK_DIGEST_BYTES];
	uint8		mac[BK_DIGEST_BYTES];
	uint8		wrapped_key[BK_WRAPPED_DEK_BYTES];
	int32		key_version;

	/* labels; never change a document */
	const char *status;
	char	   *resource_type;
	char	   *version;		/* NULL where not given, as source */
	char	   *source;
	Jsonb	   *tags;
	char	   *created_by;
	TimestampTz completed_at;
	TimestampTz expires_at;		/* 0: never */
	TimestampTz verified_at;	/* 0: never */
	TimestampTz archived_at;	/* 0: not yet */
	int64		number;			/* among all that the resource has ever had, from 1; 0 where it is not known */

	/* of other tables */
	char	   *owner;
	uint8		fingerprint[BK_FINGERPRINT_BYTES];	/* of the key version */
	bool		key_known;		/* the catalog has that version */

	/* the first column whose value cannot be (see bk_backup_check); NULL for a sound row */
	const char *bad_column;
} BkBackup;

/* The tags of a backup that has none. */
extern Jsonb *bk_no_tags(void);

/* The names in SQL of the enums. */
extern const char *bk_type_name(BkBackupType type);
extern const char *bk_compression_name(BkCompression compression);
extern bool bk_type_from_name(const char *name, BkBackupType *type);
extern bool bk_compression_from_name(const char *name, BkCompression *compression);

/* The next backup id. */
extern int64 bk_backup_next_id(void);

/* Another resource that has a backup of this id, in a view; NULL where none has. */
extern char *bk_backup_elsewhere(int64 backup_id, const char *resource_id);

/*
 * Fail with check "header" where a column's value is one that is never written
 * (an unknown type, an IV of 15 bytes).  Kept apart from reading, so that rights
 * are checked first, and a damaged backup can be deleted.
 */
extern void bk_backup_check(const BkBackup *backup);

/* Read a row, in a view; false where there is none. */
extern bool bk_backup_find(const char *resource_id, int64 backup_id, BkBackup *backup);

/* The same whatever resource has it.  Fails where several have. */
extern bool bk_backup_find_by_id(int64 backup_id, BkBackup *backup);

/*
 * The same for who reads the document: what the labels would say is not there.  resource_id may be NULL.
 */
extern bool bk_backup_find_to_read(const char *resource_id, int64 backup_id, BkBackup *backup);

/* The newest backup, or the newest full one, that is not corrupt; in a view. */
extern bool bk_backup_find_newest(const char *resource_id, bool full_only, BkBackup *backup);

/*
 * The bases of a backup, nearest first, in a view.  Ends early where a base is
 * missing or not older than what builds on it; the caller compares.
 */
extern int	bk_backup_find_bases(const BkBackup *backup, BkBackup **bases);

/* The ids of backups that build on this one: directly, or at any distance. */
extern int	bk_backup_find_dependents(const char *resource_id, int64 backup_id, bool all, int64 **ids);

/* The ids of a resource's backups in order of time, in a view. */
extern int	bk_backup_find_all(const char *resource_id, int64 **ids);

/* The backups of a resource in order of time, in a view. */
extern int	bk_backup_find_timeline(const char *resource_id, BkBackup **backups);

/*
 * A whole row as a statement that inserts it (record.c) has it: columns, types of
 * their parameters, and values.
 */
#define BK_BACKUP_COLUMNS \
	"resource_id, backup_id, base_id, type, size, stored_size, document_size," \
	" compression, encrypted, document_digest, iv, checksum, mac, wrapped_key, key_version, completed_at," \
	" created_at, resource_type, version, source, tags, created_by, expires_at"
#define BK_BACKUP_NARGS		23
#define BK_BACKUP_TYPES \
	TEXTOID, INT8OID, INT8OID, TEXTOID, INT8OID, INT8OID, INT8OID, \
	TEXTOID, BOOLOID, BYTEAOID, BYTEAOID, BYTEAOID, BYTEAOID, BYTEAOID, INT4OID, TIMESTAMPTZOID, \
	TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, JSONBOID, NAMEOID, TIMESTAMPTZOID

extern void bk_backup_add_values(BkValues *values, const BkBackup *backup);

/* Set the payload and proof columns, type, base and status of a row that is there. */
extern void bk_backup_update_payload(const BkBackup *backup);

/* Note when a backup of a locked resource was found sound, unless it holds another payload by now. */
extern void bk_backup_set_verified(const BkBackup *backup, TimestampTz verified_at);

/*
 * The next backups in order of (resource_id, backup_id), after a given one ("" and 0: from the
 * first), whose data keys a version wraps, in a view; at most limit.
 */
extern int	bk_backup_find_wrapped_by(int32 key_version, const char *after_resource, int64 after_backup,
									  int limit, BkBackup **backups);

/* A resource's backups from an id on, in order of it, in a view; at most limit. */
extern int	bk_backup_find_from(const char *resource_id, int64 first_backup, int limit, BkBackup **backups);

/* Replace a wrapped key, unless it is another by now; true where it was replaced. */
extern bool bk_backup_rewrap(const BkBackup *backup, const uint8 wrapped_key[BK_WRAPPED_DEK_BYTES], int32 key_version);

/* Delete rows, their chunks, and what is left of holds that have ended. */
extern void bk_backup_delete(const char *resource_id, const int64 *ids, int count);

#endif							/* BK_CATALOG_BACKUP_H */
