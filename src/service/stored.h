/*
 * stored.h
 *		One backup's payload between the catalog's rows and its text.
 */
#ifndef BK_STORED_H
#define BK_STORED_H

#include "catalog/backup.h"
#include "catalog/event.h"
#include "catalog/resource.h"
#include "document/document.h"
#include "payload/payload.h"
#include "service/keys.h"

/*
 * Read a backup's payload, proven by checksum and MAC, in a view.  The text is
 * allocated in memory; dek gets the backup's data key; packed, where it is not NULL,
 * what compression made of the text.
 */
extern BkText bk_stored_read(BkKeys *keys, BkMemory memory, const BkBackup *backup, BkDek *dek, BkText *packed);

/* The same from stored bytes that come from elsewhere. */
extern BkText bk_stored_read_from(BkKeys *keys, BkMemory memory, const BkBackup *backup, BkDek *dek,
								  const BkChunkSource *source);

/* Check a backup's rebuilt document against what was recorded when it was made: size and keyed digest. */
extern void bk_stored_prove_document(const BkBackup *backup, const BkDek *dek, BkText document);

/* The same of a document that is a tree; its text is not gathered anywhere. */
extern void bk_stored_prove_tree(const BkBackup *backup, const BkDek *dek, BkTree *tree, BkNodeRef root);

/* A backup's row as the payload layer sees it, in the current memory context. */
extern void bk_stored_header(const BkBackup *backup, BkPayloadHeader *header);
extern void bk_stored_seal(const BkBackup *backup, BkPayloadSeal *seal);

/*
 * Prove a backup's stored bytes, in a view, and hand each chunk to a sink on the way: what the
 * sink got counts only when this returns.
 */
extern void bk_stored_copy(BkKeys *keys, const BkBackup *backup, const BkChunkSink *sink);

/* Check the stored bytes alone, in a view: needs no key. */
extern void bk_stored_check_at_rest(const BkBackup *backup);

/*
 * Write a payload under a new data key and IV, and with it all that a new backup
 * leaves in the catalog: the backup brings identity, labels, wanted compression
 * and encrypted; the rest is filled in.  document is the whole document, payload
 * what is stored of it.  The event, described by the caller, becomes the last one of
 * the resource, which is locked or new.  Returns how many backups the resource has
 * ever had; 0, and nothing is left, where a new one has been made by another session.
 */
extern int64 bk_stored_insert(BkKeys *keys, BkResource *resource, BkEvent *event, BkBackup *backup,
							  BkText document, BkText payload);

/* Write another payload for a backup that is there: its chunks are replaced. */
extern void bk_stored_replace(BkKeys *keys, BkBackup *backup, BkText document, BkText payload);

#endif							/* BK_STORED_H */
