/*
 * archive.h
 *		Archives: backups in one piece of bytes, with all that is needed to read them
 *		but the master keys.
 *
 * An archive is a manifest, the payloads as they are stored, and a MAC over all of it under a
 * key that is derived from a master key.  docs/format.md describes it byte by byte.  A resource's
 * archive (bk_archive()) has its whole history; a backup's has one backup, which is what
 * backup_service.archive_command ships.
 *
 * Compiles without the server.  All text is UTF-8, all times are microseconds since 1970.  Bytes
 * may be hostile: whatever is read is bounded by what there is, before anything is allocated.
 */
#ifndef BK_ARCHIVE_H
#define BK_ARCHIVE_H

#include "payload/payload.h"

/* Around the manifest: magic bytes, format, length of the manifest and of the payloads; and the MAC at the end. */
#define BK_ARCHIVE_HEAD_BYTES	(8 + 1 + 8 + 8)
#define BK_ARCHIVE_MAC_BYTES	BK_DIGEST_BYTES

/* The values are part of the format. */
typedef enum BkArchiveKind
{
	BK_ARCHIVE_RESOURCE = 1,	/* a resource with all its backups, tombstones and holds */
	BK_ARCHIVE_BACKUP = 2		/* one backup alone; its base is elsewhere */
} BkArchiveKind;

/* A backup's place in the timeline.  The values are part of the format. */
typedef enum BkArchivePoint
{
	BK_ARCHIVE_POINT_NONE = 0,	/* it has left the timeline, and can be restored by its id */
	BK_ARCHIVE_POINT_LIVE = 1,
	BK_ARCHIVE_POINT_REMOVED = 2	/* a tombstone */
} BkArchivePoint;

/* A master key that the archive or a backup of it needs. */
typedef struct BkArchiveKey
{
	int32		version;		/* where it was made */
	uint8		fingerprint[BK_FINGERPRINT_BYTES];
} BkArchiveKey;

/* A backup, or the tombstone of one.  A text may be null: data is NULL. */
typedef struct BkArchiveEntry
{
	/* of a tombstone there are but these; backup_id and created_at are in the header of both */
	bool		is_backup;
	BkPayloadHeader header;
	BkArchivePoint point;
	int64		removed_at;		/* of a tombstone */
	bool		counts;			/* the same: whether retention gives it a place */

	/* what reading its payload needs */
	BkPayloadSeal seal;
	int64		base_created_at;	/* of the backup that it builds on; 0 for a full one */
	int32		key_version;
	uint8		wrapped_key[BK_WRAPPED_DEK_BYTES];
	BkText		stored;			/* the payload, a slice of the archive; nobody's when writing */

	/* labels */
	BkText		resource_type;
	BkText		version;		/* may be null, as source */
	BkText		source;
	BkText		tags;			/* canonical text of an object */
	BkText		created_by;
	int64		completed_at;
	bool		expires;
	int64		expires_at;
} BkArchiveEntry;

typedef struct BkArchiveHold
{
	int64		backup_id;
	BkText		name;
	BkText		reason;
	bool		ends;
	int64		until;
	BkText		created_by;
	int64		created_at;
} BkArchiveHold;

/* A backup among all that its resource has ever had; backup_id is 0 for none. */
typedef struct BkArchivePlace
{
	int64		backup_id;
	int64		created_at;
	int64		number;			/* counts from 1; 0 where it is not known */
} BkArchivePlace;

typedef struct BkArchive
{
	BkArchiveKind kind;
	BkText		made_by;		/* program and version */
	int64		made_at;
	BkText		resource_id;
	BkText		resource_type;
	BkText		owner;
	int			key_count;
	BkArchiveKey *keys;			/* the first one seals the archive */
	int			entry_count;
	BkArchiveEntry *entries;	/* in order of time */
	int			hold_count;
	BkArchiveHold *holds;

	/*
	 * Of one backup alone: its number, and the backup that was shipped before it.  So a directory knows of a file that
	 * it has not, and that the numbers between are of backups that nobody has shipped.
	 */
	int64		number;
	BkArchivePlace previous;

	/* filled by bk_archive_open() */
	BkText		bytes;			/* all of it */
	BkText		manifest;		/* what bk_archive_read() has to read of it */
	BkText		payloads;
} BkArchive;

/* All that stands before the payloads, allocated in memory. */
extern BkText bk_archive_write_head(BkMemory memory, const BkArchive *archive);

/* How many bytes the payloads have together; 54000 where that is no number. */
extern uint64 bk_archive_payload_bytes(const BkArchive *archive);

/*
 * Begin to read an archive: where it is from, and which keys it needs.  Whatever is not an archive, or
 * contradicts itself, is 22023 with check "archive", here and below.
 */
extern void bk_archive_open(BkMemory memory, BkText bytes, BkArchive *archive);

/* The MAC key that a master key gives; key is bk_alloc_secret() memory, and no cipher key. */
extern void bk_archive_mac_key(const uint8 kek[BK_KEK_BYTES], BkDek *key);

/* Fail unless the MAC at its end is over all that stands before it. */
extern void bk_archive_prove(BkMemory memory, const BkArchive *archive, const BkDek *key);

/*
 * Read entries and holds, whose texts and payloads are slices of the bytes.  They take many times
 * the bytes that they are read from: what is not the reader's own is proven first.
 */
extern void bk_archive_read(BkMemory memory, BkArchive *archive);

/* The key of a version among those of an archive; NULL where it has none. */
extern const BkArchiveKey *bk_archive_find_key(const BkArchive *archive, int32 version);

/* The position of a backup among the entries; -1 where it is not there.  Needs bk_archive_index(). */
typedef struct BkArchiveIndex BkArchiveIndex;
extern BkArchiveIndex *bk_archive_index(BkMemory memory, const BkArchive *archive);
extern int	bk_archive_find(const BkArchiveIndex *index, int64 backup_id);

/* Bytes at hand as a source of chunks. */
typedef struct BkArchiveChunks
{
	BkText		stored;
	size_t		given;
	int32		next_seq;
} BkArchiveChunks;

extern BkChunkSource bk_archive_source(BkArchiveChunks *chunks, BkText stored);

#endif							/* BK_ARCHIVE_H */
