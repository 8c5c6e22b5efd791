/*
 * audit_digest.c
 *		Encoding events, backups and checkpoints, and hashing that.
 */
#include "service/audit_digest.h"

#include "common/encode.h"
#include "document/document.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "payload/digest.h"
#include "service/unix_time.h"

/* The first two bytes say what follows. */
#define EVENT_FORMAT		"E\001"
#define BACKUP_FORMAT		"B\001"
#define CHECKPOINT_FORMAT	"C\001"

/* Stands for the length of what is null. */
#define NULL_LENGTH		0xFFFFFFFF

static void
add_integer(StringInfo to, uint64 value, int width)
{
	uint8		bytes[8];

	bk_put_integer(bytes, value, width);
	appendBinaryStringInfo(to, (char *) bytes, width);
}

static void
add_bytes(StringInfo to, const void *bytes, size_t count)
{
	add_integer(to, count, 4);
	appendBinaryStringInfo(to, bytes, count);
}

/* UTF-8, whatever the server's encoding. */
static void
add_text(StringInfo to, const char *text)
{
	if (text == NULL)
		add_integer(to, NULL_LENGTH, 4);
	else
	{
		text = pg_server_to_any(text, strlen(text), PG_UTF8);
		add_bytes(to, text, strlen(text));
	}
}

static void
add_jsonb(StringInfo to, Jsonb *value)
{
	BkMemory	memory;
	BkText		text;

	if (value == NULL)
	{
		add_integer(to, NULL_LENGTH, 4);
		return;
	}
	memory = bk_memory_new(CurrentMemoryContext, "backup_service audit detail");
	text = bk_document_from_jsonb(memory, value);
	add_bytes(to, text.data, text.len);
	bk_memory_delete(memory);
}

/* 0 is null. */
static void
add_time(StringInfo to, TimestampTz time)
{
	if (time == 0)
		add_integer(to, NULL_LENGTH, 4);
	else
	{
		add_integer(to, 8, 4);
		add_integer(to, bk_unix_time(time), 8);
	}
}

static void
add_state(StringInfo to, const BkEvent *event)
{
	if (event->state == BK_STATE_UNTOUCHED)
		add_integer(to, NULL_LENGTH, 4);
	else
		add_bytes(to, event->state_digest, event->state == BK_STATE_IS ? BK_DIGEST_BYTES : 0);
}

static void
begin(StringInfo to, const char format[2])
{
	initStringInfo(to);
	appendBinaryStringInfo(to, format, 2);
}

static void
finish(StringInfo encoded, uint8 digest[BK_DIGEST_BYTES])
{
	bk_sha256((BkText) {encoded->data, encoded->len}, digest);
	pfree(encoded->data);
}

void
bk_event_digest(const BkEvent *event, const uint8 previous[BK_DIGEST_BYTES], uint8 digest[BK_DIGEST_BYTES])
{
	StringInfoData to;

	begin(&to, EVENT_FORMAT);
	appendBinaryStringInfo(&to, (const char *) previous, BK_DIGEST_BYTES);
	add_text(&to, event->resource_id);
	add_integer(&to, event->number, 8);
	add_integer(&to, bk_unix_time(event->at), 8);
	add_text(&to, event->action);
	add_text(&to, event->outcome);
	add_text(&to, event->session_role);
	add_text(&to, event->role);
	add_text(&to, event->application);
	add_text(&to, event->client);
	add_integer(&to, event->backup_id, 8);
	add_state(&to, event);
	add_jsonb(&to, event->detail);
	finish(&to, digest);
}

void
bk_backup_digest(const BkBackup *backup, uint8 digest[BK_DIGEST_BYTES])
{
	StringInfoData to;

	begin(&to, BACKUP_FORMAT);
	appendBinaryStringInfo(&to, (const char *) backup->mac, BK_DIGEST_BYTES);
	add_text(&to, backup->resource_type);
	add_text(&to, backup->version);
	add_text(&to, backup->source);
	add_jsonb(&to, backup->tags);
	add_integer(&to, bk_unix_time(backup->completed_at), 8);
	add_time(&to, backup->expires_at);
	finish(&to, digest);
}

void
bk_checkpoint_digest(const BkCheckpoint *checkpoint, uint8 digest[BK_DIGEST_BYTES])
{
	StringInfoData to;

	begin(&to, CHECKPOINT_FORMAT);
	add_text(&to, checkpoint->resource_id);
	add_integer(&to, checkpoint->number, 8);
	appendBinaryStringInfo(&to, (const char *) checkpoint->hash, BK_DIGEST_BYTES);
	add_text(&to, checkpoint->owner);
	add_bytes(&to, checkpoint->backups.data, checkpoint->backups.len);
	finish(&to, digest);
}
