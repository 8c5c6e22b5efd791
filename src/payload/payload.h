/*
 * payload.h
 *		A backup's text to protected bytes in chunks, and back.
 *
 * Write: text -> [size] -> compress -> AES-256-CBC -> [HMAC-SHA-256, SHA-256,
 * stored size] -> chunks, a list of small filters (filter.h) with fixed buffers.
 * Read is the mirror: the proof is filters too, what it has proven is decrypted in
 * place and inflated in one piece.  docs/format.md describes the result byte by byte.
 */
#ifndef BK_PAYLOAD_H
#define BK_PAYLOAD_H

#include "common/backup_types.h"

#define BK_CHUNK_BYTES		(64 * 1024)	/* every chunk but the last has this size */

/* What the MAC covers beside the stored bytes: the backup's identity and shape. */
typedef struct BkPayloadHeader
{
	BkText		resource_id;	/* UTF-8 */
	int64		backup_id;
	int64		base_id;		/* 0 for a full backup */
	BkBackupType type;
	BkCompression compression;
	bool		encrypted;
	int64		size;			/* the payload's text, bytes */
	int64		stored_size;	/* after compression and encryption, bytes */
	int64		document_size;	/* the whole document's text, bytes */
	uint8		document_digest[BK_DIGEST_BYTES];
	uint8		iv[BK_IV_BYTES];	/* zero where not encrypted */
	int64		created_at;		/* microseconds since 1970-01-01 UTC */
} BkPayloadHeader;

/* What proves a payload. */
typedef struct BkPayloadSeal
{
	uint8		checksum[BK_DIGEST_BYTES];	/* SHA-256 of the stored bytes */
	uint8		mac[BK_DIGEST_BYTES];		/* HMAC-SHA-256 of stored bytes, header, header length */
} BkPayloadSeal;

/* Takes the stored bytes, chunk after chunk; bytes are valid during the call only. */
typedef struct BkChunkSink
{
	void		(*write) (void *context, int32 seq, BkText chunk);
	void	   *context;
} BkChunkSink;

/*
 * Gives the stored bytes: the next chunk (seq counts from 0), valid until the
 * next call, or false at the end.
 */
typedef struct BkChunkSource
{
	bool		(*read) (void *context, int32 *seq, BkText *chunk);
	void	   *context;
} BkChunkSource;

/* Fill a new random data key. */
extern void bk_dek_generate(BkDek *dek);

/* The keyed digest of a whole document's text: HMAC-SHA-256 under the MAC key. */
extern void bk_document_digest(const BkDek *dek, BkText document, uint8 digest[BK_DIGEST_BYTES]);

/*
 * Write text as a payload.  The caller fills the header but for compression
 * (passed as what is wanted; recorded as NONE where a sample of the start does
 * not shrink), size, stored_size and iv, which are filled here, and gets the
 * seal.  Nothing reaches the sink unencrypted where header->encrypted.  The work
 * is done in a child of memory, so that an error, also one of the sink, leaves
 * nothing open.
 */
extern void bk_payload_write(BkMemory memory, BkText text, const BkDek *dek,
							 BkPayloadHeader *header, BkPayloadSeal *seal,
							 const BkChunkSink *sink);

/*
 * Read a payload back: checks, in this order, chunk sequence and stored size,
 * checksum, MAC; only then decrypts and inflates, never past header->size.
 * Every failure is bk_fail(the backup, "chunks" | "size" | "checksum" | "MAC" |
 * "cipher" | "compression", ...).  The text is allocated in memory, and so is
 * what compression made of it, where packed is not NULL: of a gzip payload that is
 * a .gz file.
 */
extern BkText bk_payload_read(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
							  const BkPayloadSeal *seal, const BkChunkSource *source, BkText *packed);

/* Check all that bk_payload_read() checks before it decrypts.  Every chunk is taken from the source once. */
extern void bk_payload_prove(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
							 const BkPayloadSeal *seal, const BkChunkSource *source);

/*
 * The same, and the MAC that the stored bytes have under another header, of a backup that
 * they become the payload of.
 */
extern void bk_payload_reseal(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
							  const BkPayloadSeal *seal, const BkChunkSource *source,
							  const BkPayloadHeader *other, uint8 mac[BK_DIGEST_BYTES]);

/* Check chunk sequence, stored size and checksum alone: needs no key.  Works in a child of memory. */
extern void bk_payload_check_at_rest(BkMemory memory, const BkPayloadHeader *header,
									 const BkPayloadSeal *seal, const BkChunkSource *source);

/* gzip a text in one piece (a .json.gz file), allocated in memory. */
extern BkText bk_payload_gzip(BkMemory memory, BkText text);

#endif							/* BK_PAYLOAD_H */
