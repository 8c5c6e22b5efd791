/*
 * stored.c
 *		Payloads from and to chunk rows.
 */
#include "service/stored.h"

#include "catalog/chunk.h"
#include "catalog/record.h"
#include "mb/pg_wchar.h"
#include "payload/digest.h"
#include "service/archive_ship.h"
#include "service/audit.h"
#include "service/clock.h"
#include "service/notice.h"
#include "service/unix_time.h"
#include "service/wake.h"
#include "utils/timestamp.h"

void
bk_stored_header(const BkBackup *backup, BkPayloadHeader *header)
{
	header->resource_id.data = pg_server_to_any(backup->resource_id, strlen(backup->resource_id), PG_UTF8);
	header->resource_id.len = strlen(header->resource_id.data);
	header->backup_id = backup->backup_id;
	header->base_id = backup->base_id;
	header->type = backup->type;
	header->compression = backup->compression;
	header->encrypted = backup->encrypted;
	header->size = backup->size;
	header->stored_size = backup->stored_size;
	header->document_size = backup->document_size;
	memcpy(header->document_digest, backup->document_digest, BK_DIGEST_BYTES);
	memcpy(header->iv, backup->iv, BK_IV_BYTES);
	header->created_at = bk_unix_time(backup->created_at);
}

void
bk_stored_seal(const BkBackup *backup, BkPayloadSeal *seal)
{
	memcpy(seal->checksum, backup->checksum, BK_DIGEST_BYTES);
	memcpy(seal->mac, backup->mac, BK_DIGEST_BYTES);
}

/* The chunk reader as the payload layer calls it. */
static bool
read_chunk(void *context, int32 *seq, BkText *chunk)
{
	return bk_chunk_reader_next(context, seq, chunk);
}

static BkChunkSource
open_source(BkMemory memory, const BkBackup *backup)
{
	return (BkChunkSource) {
		.read = read_chunk,
		.context = bk_chunk_reader_open(memory, backup->resource_id, backup->backup_id),
	};
}

static BkText
read_payload(BkKeys *keys, BkMemory memory, const BkBackup *backup, BkDek *dek, const BkChunkSource *source, BkText *packed)
{
	BkPayloadHeader header;
	BkPayloadSeal seal;

	bk_backup_check(backup);
	bk_keys_dek(keys, backup, dek);
	bk_stored_header(backup, &header);
	bk_stored_seal(backup, &seal);
	return bk_payload_read(memory, dek, &header, &seal, source, packed);
}

BkText
bk_stored_read_from(BkKeys *keys, BkMemory memory, const BkBackup *backup, BkDek *dek, const BkChunkSource *source)
{
	return read_payload(keys, memory, backup, dek, source, NULL);
}

BkText
bk_stored_read(BkKeys *keys, BkMemory memory, const BkBackup *backup, BkDek *dek, BkText *packed)
{
	BkChunkSource source = open_source(memory, backup);
	BkText		text = read_payload(keys, memory, backup, dek, &source, packed);

	bk_chunk_reader_close(source.context);
	return text;
}

/* Compare what a rebuilt document has with what was recorded when it was backed up. */
static void
check_document(const BkBackup *backup, size_t len, const uint8 digest[BK_DIGEST_BYTES])
{
	BkOrigin	origin = {backup->backup_id};

	if (len != (size_t) backup->document_size)
		bk_fail(origin, "document", "the rebuilt document has %zu bytes instead of " INT64_FORMAT,
				len, backup->document_size);
	if (memcmp(digest, backup->document_digest, BK_DIGEST_BYTES) != 0)
		bk_fail(origin, "document", "the rebuilt document's digest is not the one of the document that was backed up");
}

void
bk_stored_prove_document(const BkBackup *backup, const BkDek *dek, BkText document)
{
	uint8		digest[BK_DIGEST_BYTES];

	bk_document_digest(dek, document, digest);
	check_document(backup, document.len, digest);
}

/* A document that is digested while it is written: short pieces are gathered, as each call of OpenSSL takes its time. */
typedef struct Proof
{
	BkHmac	   *hmac;
	size_t		len;
	char	   *gathered;
	size_t		filled;
} Proof;

#define GATHERED_BYTES	((size_t) (16 * 1024))
#define SHORT_PIECE		((size_t) 1024)

static void
digest_gathered(Proof *proof)
{
	bk_hmac_update(proof->hmac, (BkText) {proof->gathered, proof->filled});
	proof->filled = 0;
}

static bool
digest_piece(void *context, BkText piece)
{
	Proof	   *proof = context;

	proof->len += piece.len;
	if (piece.len > GATHERED_BYTES - proof->filled || piece.len > SHORT_PIECE)
		digest_gathered(proof);
	if (piece.len > SHORT_PIECE)
	{
		bk_hmac_update(proof->hmac, piece);
		return true;
	}
	memcpy(proof->gathered + proof->filled, piece.data, piece.len);
	proof->filled += piece.len;
	return true;
}

void
bk_stored_prove_tree(const BkBackup *backup, const BkDek *dek, BkTree *tree, BkNodeRef root)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service proof");
	Proof		proof = {.hmac = bk_hmac_new(memory, dek), .gathered = bk_alloc_secret(memory, GATHERED_BYTES)};
	uint8		digest[BK_DIGEST_BYTES];

	bk_tree_write(tree, root, digest_piece, &proof);
	digest_gathered(&proof);
	bk_hmac_finish(proof.hmac, digest);
	check_document(backup, proof.len, digest);
	bk_memory_delete(memory);
}

void
bk_stored_check_at_rest(const BkBackup *backup)
{
	BkPayloadHeader header;
	BkPayloadSeal seal;
	BkChunkSource source = open_source(CurrentMemoryContext, backup);

	bk_backup_check(backup);
	bk_stored_header(backup, &header);
	bk_stored_seal(backup, &seal);
	bk_payload_check_at_rest(CurrentMemoryContext, &header, &seal, &source);
	bk_chunk_reader_close(source.context);
}

/* A source that also shows what it gives. */
typedef struct Tee
{
	BkChunkSource source;
	const BkChunkSink *sink;
} Tee;

static bool
read_and_show(void *context, int32 *seq, BkText *chunk)
{
	Tee		   *tee = context;

	if (!tee->source.read(tee->source.context, seq, chunk))
		return false;
	tee->sink->write(tee->sink->context, *seq, *chunk);
	return true;
}

void
bk_stored_copy(BkKeys *keys, const BkBackup *backup, const BkChunkSink *sink)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service copy");
	Tee			tee = {.source = open_source(memory, backup), .sink = sink};
	BkChunkSource source = {.read = read_and_show, .context = &tee};
	BkDek	   *dek = bk_alloc_secret(memory, sizeof(BkDek));
	BkPayloadHeader header;
	BkPayloadSeal seal;

	bk_backup_check(backup);
	bk_keys_dek(keys, backup, dek);
	bk_stored_header(backup, &header);
	bk_stored_seal(backup, &seal);
	bk_payload_prove(memory, dek, &header, &seal, &source);
	bk_chunk_reader_close(tee.source.context);
	bk_memory_delete(memory);
}

/* Chunks on their way to the table: a batch is held back until the next chunk, or the end. */
typedef struct ChunkWriter
{
	const BkBackup *backup;
	int32		written;		/* chunks in the table */
	int			pending;		/* chunks held back */
	BkText		chunks[BK_CHUNK_BATCH];
	char	   *buffers[BK_CHUNK_BATCH];	/* of a whole chunk each, made when first needed */
} ChunkWriter;

static void
flush_chunks(ChunkWriter *writer)
{
	if (writer->pending == 0)
		return;
	bk_chunk_insert(writer->backup->resource_id, writer->backup->backup_id,
					writer->written, writer->chunks, writer->pending);
	writer->written += writer->pending;
	writer->pending = 0;
}

/* The sink that the payload layer calls. */
static void
write_chunk(void *context, int32 seq, BkText chunk)
{
	ChunkWriter *writer = context;
	char	  **buffer;

	if (writer->pending == BK_CHUNK_BATCH)
		flush_chunks(writer);
	Assert(seq == writer->written + writer->pending);
	buffer = &writer->buffers[writer->pending];
	if (*buffer == NULL)
		*buffer = palloc(BK_CHUNK_BYTES);
	memcpy(*buffer, chunk.data, chunk.len);
	writer->chunks[writer->pending++] = (BkText) {*buffer, chunk.len};
}

/* Take over into the row what the payload layer found out. */
static void
take_result(BkBackup *backup, const BkPayloadHeader *header, const BkPayloadSeal *seal)
{
	backup->compression = header->compression;
	backup->size = header->size;
	backup->stored_size = header->stored_size;
	memcpy(backup->iv, header->iv, BK_IV_BYTES);
	memcpy(backup->checksum, seal->checksum, BK_DIGEST_BYTES);
	memcpy(backup->mac, seal->mac, BK_DIGEST_BYTES);
	backup->completed_at = bk_now();
}

/* Write the payload but for the last chunks, which are left pending; completes the backup's columns. */
static void
write_payload(BkKeys *keys, BkBackup *backup, BkText document, BkText payload, ChunkWriter *writer)
{
	BkChunkSink sink = {.write = write_chunk, .context = writer};
	BkDek	   *dek = bk_alloc_secret(CurrentMemoryContext, sizeof(BkDek));
	BkPayloadHeader header;
	BkPayloadSeal seal;

	bk_keys_new_dek(keys, backup, dek);
	backup->document_size = document.len;
	bk_document_digest(dek, document, backup->document_digest);
	bk_stored_header(backup, &header);
	bk_payload_write(CurrentMemoryContext, payload, dek, &header, &seal, &sink);
	take_result(backup, &header, &seal);
}

int64
bk_stored_insert(BkKeys *keys, BkResource *resource, BkEvent *event, BkBackup *backup, BkText document, BkText payload)
{
	ChunkWriter writer = {.backup = backup};
	bool		notify = bk_notices_wanted();
	int64		backups_made;

	if (notify || bk_archiving_wanted())
		bk_wake_worker();
	write_payload(keys, backup, document, payload, &writer);
	bk_audit_set_state(event, backup);
	bk_audit_link(resource, event);
	if (writer.written == 0 && writer.pending == 1)
		return bk_record_backup(backup, event, &writer.chunks[0], resource, notify);
	flush_chunks(&writer);
	backups_made = bk_record_backup(backup, event, NULL, resource, notify);
	if (backups_made == 0)
		bk_chunk_delete(backup->resource_id, backup->backup_id);
	return backups_made;
}

void
bk_stored_replace(BkKeys *keys, BkBackup *backup, BkText document, BkText payload)
{
	ChunkWriter writer = {.backup = backup};

	bk_chunk_delete(backup->resource_id, backup->backup_id);
	write_payload(keys, backup, document, payload, &writer);
	flush_chunks(&writer);
	bk_backup_update_payload(backup);
}
