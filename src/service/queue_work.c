/*
 * queue_work.c
 *		Reading the pinned backups, and writing what they give.
 */
#include "service/queue_work.h"

#include "catalog/chunk.h"
#include "service/audit.h"
#include "service/create.h"
#include "service/notice.h"
#include "service/queue_end.h"
#include "service/restore.h"
#include "service/try.h"
#include "settings.h"
#include "utils/timestamp.h"

/* How much is read in one transaction, so that others see progress and a cancellation is heard. */
#define STEP_BYTES	(4 * 1024 * 1024)

/* The chunks of one statement. */
#define READ_CHUNKS	16

/* Where progress stands when all is read; the rest is the new backup. */
#define READ_PERCENT	80

/* One step, for bk_try(). */
typedef struct Step
{
	const BkCall *call;
	BkRun	   *run;
	TimestampTz now;
} Step;

/* The chunks of the element that is being read, as the payload layer asks for them. */
typedef struct StoredCursor
{
	const BkRun *run;
	int			next;
} StoredCursor;

static bool
read_stored(void *context, int32 *seq, BkText *chunk)
{
	StoredCursor *cursor = context;

	if (cursor->next == cursor->run->stored_count)
		return false;
	*seq = cursor->next;
	*chunk = cursor->run->stored[cursor->next++];
	return true;
}

static void
rewind_stored(void *context)
{
	((StoredCursor *) context)->next = 0;
}

/* All of the element is here: bring the document to it. */
static void
take_element(BkRun *run)
{
	StoredCursor cursor = {.run = run};
	BkChunkSource source = {.read = read_stored, .rewind = rewind_stored, .context = &cursor};

	bk_state_take(run->state, &run->chain[run->element], &source);
	bk_memory_delete(run->stored_memory);
	run->stored_memory = NULL;
	run->stored_count = 0;
	run->element++;
}

/* Read the next chunks of the element; returns their bytes. */
static int64
read_chunks(BkRun *run)
{
	const BkBackup *backup = &run->chain[run->element];
	int64		bytes = 0;
	int			count;

	if (run->stored_memory == NULL)
	{
		run->stored_memory = bk_memory_new(run->memory, "backup_service stored bytes");
		run->stored = NULL;
	}
	run->stored = bk_realloc(run->stored_memory, run->stored, sizeof(BkText) * (run->stored_count + READ_CHUNKS));
	bk_view_open();
	count = bk_chunk_read(run->stored_memory, backup->resource_id, backup->backup_id, run->stored_count, READ_CHUNKS,
						  run->stored + run->stored_count);
	bk_view_close();
	for (int i = 0; i < count; i++)
		bytes += run->stored[run->stored_count + i].len;
	run->stored_count += count;
	run->bytes_done += bytes;
	if (count < READ_CHUNKS)
		take_element(run);
	return bytes;
}

static int32
percent(const BkRun *run)
{
	if (run->bytes_total == 0)
		return 0;
	return Min(run->bytes_done, run->bytes_total) * READ_PERCENT / run->bytes_total;
}

/* The last transaction's work: the new backup, and the operation's end. */
static void
finish(const Step *step)
{
	BkRun	   *run = step->run;
	const BkBackup *backup = &run->chain[run->count - 1];
	BkCreateRequest request = {
		.resource_id = run->operation.target_resource_id,
		.resource_type = backup->resource_type,
		.type = BK_TYPE_FULL,
		.compression = bk_setting_compression,
		.encrypt = backup->encrypted,
		.tags = bk_no_tags(),
		.source = "restore",
	};
	BkCall		call = *step->call;
	BkBackup	restored;

	call.role = run->call.role;
	call.role_name = run->call.role_name;
	bk_create_backup_of_text(&call, &request, bk_state_text(run->state, run->operation.validate), &restored);
	bk_queue_set_completed(&run->operation, restored.backup_id, step->now);
	bk_audit_read(&call, "restore", backup->resource_id, backup->backup_id,
				  bk_describe_operation(run->operation.operation_id, run->operation.target_resource_id,
										run->operation.created_by, run->operation.validate));
	bk_notice_add(BK_NOTICE_RESTORED, backup->resource_id, backup->backup_id, run->operation.operation_id);
	run->ended = true;
}

/* Read on; what is small is read and written in one step. */
static void
work(void *argument)
{
	Step	   *step = argument;
	BkRun	   *run = step->run;
	int64		bytes = 0;

	while (run->element < run->count && bytes < STEP_BYTES)
		bytes += read_chunks(run);
	if (run->element == run->count && bytes < STEP_BYTES)
		finish(step);
	else
		bk_queue_set_progress(&run->operation, percent(run), run->bytes_done);
}

/* It is still ours to run, and stays so until the transaction ends. */
static bool
is_running(const BkRun *run)
{
	BkQueued	operation;

	return bk_queue_lock(run->operation.resource_id, run->operation.operation_id, &operation)
		&& strcmp(operation.status, "running") == 0;
}

void
bk_queue_work(const BkCall *call, BkRun *run, TimestampTz now)
{
	Step		step = {.call = call, .run = run, .now = now};
	ErrorData  *error;

	if (!is_running(run))
		run->ended = true;
	else if (!bk_try(work, &step, bk_is_any_error, &error))
	{
		bk_queue_end_badly(call, &run->operation, error, now);
		run->ended = true;
	}
}
