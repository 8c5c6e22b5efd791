/*
 * queue_work.c
 *		Reading the pinned backups, and writing what they give.
 */
#include "service/queue_work.h"

#include "catalog/chunk.h"
#include "service/audit.h"
#include "service/clock.h"
#include "service/create.h"
#include "service/find.h"
#include "service/point.h"
#include "service/notice.h"
#include "service/queue_end.h"
#include "service/restore.h"
#include "service/try.h"
#include "settings.h"
#include "utils/acl.h"
#include "utils/timestamp.h"

/* How much is read in one transaction, so that others see progress and a cancellation is heard. */
#define STEP_BYTES	(4 * 1024 * 1024)

/* The same where much is small, as in a long chain. */
#define STEP_READS	100

/* The chunks of one statement. */
#define READ_CHUNKS	16

/* Where progress stands when all is read; the rest is the new backup. */
#define READ_PERCENT	80

/* One step, for bk_try(). */
typedef struct Step
{
	const BkCall *call;
	BkRun	   *run;
	bool		hindered;		/* another session has the operation, most likely to cancel it */
} Step;

/* What has become of an operation that this process was at work on. */
typedef enum Standing
{
	OURS,						/* still to be done; its row is locked until the transaction ends */
	HINDERED,					/* another session has its row */
	OVER						/* cancelled, or gone */
} Standing;

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

/* All of the element is here: bring the document to it. */
static void
take_element(BkRun *run)
{
	StoredCursor cursor = {.run = run};
	BkChunkSource source = {.read = read_stored, .context = &cursor};

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
	/* More than there should be is not read to its end to find that out. */
	if (count < READ_CHUNKS || run->stored_count > backup->stored_size / BK_CHUNK_BYTES + READ_CHUNKS)
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

static bool
is_running(const BkQueued *operation)
{
	return strcmp(operation->status, "running") == 0;
}

/* Locks are not waited for: who cancels may hold ours and want another one that this transaction has. */
static Standing
look(const BkRun *run)
{
	const char *resource_id = run->operation.resource_id;
	int64		operation_id = run->operation.operation_id;
	BkQueued	operation;
	bool		found;

	if (bk_queue_try_lock(resource_id, operation_id, &operation))
		return is_running(&operation) ? OURS : OVER;
	bk_view_open();
	found = bk_queue_find(resource_id, operation_id, &operation);
	bk_view_close();
	return found && is_running(&operation) ? HINDERED : OVER;
}

/* Whose rights count, as they are now and not as they were when it was claimed. */
static BkCall
call_of_asker(const Step *step)
{
	const BkRun *run = step->run;
	BkCall		call = *step->call;
	BkBackup	source;

	call.role = get_role_oid(run->operation.role, false);
	call.role_name = run->operation.role;
	bk_view_open();
	bk_find_backup(&call, run->operation.backup_id, run->operation.resource_id, &source);
	bk_view_close();
	return call;
}

/* The new backup and the operation's end, which are there together or not at all. */
static void
write_result(const Step *step, const BkCall *call, BkKeys *keys, BkText document)
{
	BkRun	   *run = step->run;
	const BkQueued *operation = &run->operation;
	const BkBackup *backup = &run->chain[run->count - 1];
	BkCreateRequest request = {
		.resource_id = operation->target_resource_id,
		.resource_type = backup->resource_type,
		.type = BK_TYPE_FULL,
		.compression = bk_setting_compression,
		.encrypt = backup->encrypted,
		.tags = bk_no_tags(),
		.source = "restore",
	};
	BkBackup	restored;

	bk_create_backup_of_text(call, keys, &request, document, &restored);
	bk_queue_set_completed(operation, restored.backup_id, bk_now());
	bk_audit_read(call, "restore", backup->resource_id, backup->backup_id,
				  bk_describe_operation(operation->operation_id, operation->target_resource_id, operation->created_by,
										operation->validate));
	bk_notice_add(BK_NOTICE_RESTORED, backup->resource_id, backup->backup_id, operation->operation_id);
	run->ended = true;
	bk_point("restore-ending");
}

/*
 * The last transaction's work.  The target is locked before the operation, and the key is had before both; a
 * session that has the one and waits for the other is never waited for.
 */
static void
finish(Step *step)
{
	BkRun	   *run = step->run;
	BkCall		call = call_of_asker(step);
	BkText		document = bk_state_text(run->state, run->operation.validate);
	BkKeys	   *keys = bk_keys_open(&call);
	BkResource	target;
	Standing	standing;

	bk_keys_activate(keys);
	(void) bk_resource_lock(run->operation.target_resource_id, &target);
	standing = look(run);
	step->hindered = standing == HINDERED;
	if (standing == OVER)
		run->ended = true;
	else if (standing == OURS)
		write_result(step, &call, keys, document);
}

static void
show_progress(Step *step)
{
	BkRun	   *run = step->run;
	Standing	standing = look(run);

	if (standing == OURS)
		bk_queue_set_progress(&run->operation, percent(run), run->bytes_done);
	else if (standing == OVER)
		run->ended = true;
}

/* Read on; what is small is read and written in one step. */
static void
work(void *argument)
{
	Step	   *step = argument;
	BkRun	   *run = step->run;
	int64		bytes = 0;
	int			reads = 0;

	while (run->element < run->count && bytes < STEP_BYTES && reads++ < STEP_READS)
		bytes += read_chunks(run);
	if (run->element == run->count && bytes < STEP_BYTES)
		finish(step);
	else
		show_progress(step);
}

bool
bk_queue_work(const BkCall *call, BkRun *run, TimestampTz now)
{
	Step		step = {.call = call, .run = run};
	ErrorData  *error;
	BkQueued	operation;

	bk_point(run->bytes_done == 0 ? "restore-claimed" : "restore-reading");
	if (bk_try(work, &step, bk_is_any_error, &error))
		return !step.hindered;
	/* Whatever happens now, what is in memory is of no more use. */
	run->ended = true;
	if (bk_queue_lock(run->operation.resource_id, run->operation.operation_id, &operation) && is_running(&operation))
		bk_queue_end_badly(call, &operation, error, now);
	return true;
}
