/*
 * create.c
 *		Making a backup: lock, choose base, take the delta, store, record.
 */
#include "service/create.h"

#include "catalog/policy.h"
#include "catalog/resource.h"
#include "catalog/snapshot.h"
#include "delta/delta.h"
#include "document/document.h"
#include "service/audit.h"
#include "service/chain.h"
#include "service/clock.h"
#include "service/drop.h"
#include "service/rights.h"
#include "service/try.h"
#include "settings.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* A delta longer than its document is stored all the same up to this size. */
#define SMALL_DELTA_BYTES	8192

/*
 * After so many backups that were all the first of their resources, a session's next one is taken for a first one as
 * well, which spares it the look whether the resource is there.  Where it is, the backup begins anew: so only small
 * documents, which are soon compressed again.
 */
#define FIRST_BACKUPS	4
#define MOST_GUESSED	((size_t) (64 * 1024))

/* How many the last ones were. */
static int	first_backups;

/* Why an incremental or a differential is made full. */
typedef enum Fallback
{
	FALLBACK_NONE,
	FALLBACK_NO_BASE,
	FALLBACK_CHAIN_LENGTH,
	FALLBACK_DELTA_SIZE
} Fallback;

static bool
is_probably_new(const BkCreateRequest *request, BkText document)
{
	return request->type == BK_TYPE_FULL && first_backups >= FIRST_BACKUPS && document.len <= MOST_GUESSED;
}

/*
 * Become the one writer of the resource.  Where it is missing, a full backup makes its
 * row together with its own; others, which say that they become full, make it at once.
 */
static void
lock_resource(const BkCall *call, const BkCreateRequest *request, bool probably_new, BkResource *resource)
{
	while (probably_new || !bk_resource_lock(request->resource_id, resource))
	{
		memset(resource, 0, sizeof(*resource));
		resource->resource_id = pstrdup(request->resource_id);
		resource->last_backup_at = DT_NOBEGIN;
		resource->is_new = request->type == BK_TYPE_FULL;
		if (resource->is_new ||
			bk_resource_insert(request->resource_id, request->resource_type, call->role_name, bk_now()))
			return;
	}
	if (resource->dropped)
		bk_take_over_resource(call, resource, bk_now());
	else
		bk_check_writable(call, resource);
}

/*
 * When a backup made under the lock was made: later than the one before it, even
 * where the clock went back.
 */
static TimestampTz
next_created_at(const BkResource *resource)
{
	TimestampTz now = bk_now();

	if (resource->last_backup_at < now)
		return now;
	if (!IS_VALID_TIMESTAMP(resource->last_backup_at + 1))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
				 errmsg("resource \"%s\" has no time left for another backup", resource->resource_id),
				 errdetail("Its newest backup is of %s.", timestamptz_to_str(resource->last_backup_at))));
	return resource->last_backup_at + 1;
}

/* Intervals are added in UTC, so that a day has 24 hours whoever asks. */
static TimestampTz
expiry(TimestampTz created_at, Interval *retention)
{
	TimestampTz expires_at;

	if (retention == NULL)
		return 0;
	expires_at = DatumGetTimestamp(DirectFunctionCall2(timestamp_pl_interval,
													   TimestampGetDatum(created_at),
													   IntervalPGetDatum(retention)));
	if (expires_at <= created_at)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("retention must be positive"),
				 errdetail("The retention is %s.",
						   DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(retention)))),
				 errhint("Leave retention out for a backup that does not expire by itself.")));
	return expires_at;
}

/* What reading a base needs and gives, for bk_try(). */
typedef struct BaseDocument
{
	BkKeys	   *keys;
	BkMemory	memory;
	const BkBackup *base;
	BkDocument	document;
	int			chain_length;
} BaseDocument;

static void
read_base(void *argument)
{
	BaseDocument *base = argument;
	BkState    *state = bk_state_open(base->keys, base->memory);

	bk_state_go_to(state, base->base);
	base->chain_length = bk_state_chain_length(state);
	base->document = bk_state_proven_tree(state);
}

/*
 * Read the base's document.  Where it is damaged the new backup must not suffer:
 * a warning, and false.
 */
static bool
base_is_sound(BaseDocument *document)
{
	ErrorData  *damage;
	bool		sound;

	bk_view_open();
	sound = bk_try(read_base, document, bk_is_damage, &damage);
	bk_view_close();
	if (!sound)
		bk_warn(damage, psprintf("The new backup is made full. SELECT bk_verify(" INT64_FORMAT ") says more.",
								 document->base->backup_id));
	return sound;
}

/* The delta against the newest possible base, and that base's id; else why there is none. */
static Fallback
take_delta(BkKeys *keys, const BkCall *call, BkBackup *backup, BkText document, BkText *delta)
{
	BkBackup	base;
	BaseDocument base_document = {.keys = keys, .memory = call->memory, .base = &base};
	bool		found;

	bk_view_open();
	found = bk_backup_find_newest(backup->resource_id, backup->type == BK_TYPE_DIFFERENTIAL, &base);
	bk_view_close();
	if (!found || !base_is_sound(&base_document))
		return FALLBACK_NO_BASE;
	if (base_document.chain_length >= bk_setting_max_chain_length)
		return FALLBACK_CHAIN_LENGTH;
	*delta = bk_delta_from_tree(call->memory, &base_document.document, document,
								Max(document.len, SMALL_DELTA_BYTES));
	if (delta->data == NULL)
		return FALLBACK_DELTA_SIZE;
	backup->base_id = base.backup_id;
	return FALLBACK_NONE;
}

static const char *
fallback_reason(Fallback fallback)
{
	switch (fallback)
	{
		case FALLBACK_NO_BASE:
			return "There is no sound backup that it could build on.";
		case FALLBACK_CHAIN_LENGTH:
			return "Its chain has reached backup_service.max_chain_length.";
		case FALLBACK_DELTA_SIZE:
			return "The delta would be larger than the document.";
		case FALLBACK_NONE:
			break;
	}
	pg_unreachable();
}

/* What will be stored: the document, or the delta to it. */
static BkText
choose_payload(BkKeys *keys, const BkCall *call, BkBackup *backup, BkText document)
{
	BkText		delta;
	Fallback	fallback;

	if (backup->type == BK_TYPE_FULL)
		return document;
	fallback = take_delta(keys, call, backup, document, &delta);
	if (fallback == FALLBACK_NONE)
		return delta;
	ereport(NOTICE,
			(errmsg("the %s backup of resource \"%s\" is made full", bk_type_name(backup->type), backup->resource_id),
			 errdetail("%s", fallback_reason(fallback))));
	backup->type = BK_TYPE_FULL;
	return document;
}

/* What the request says goes into the row as it is; an id that it has got already stays. */
static void
fill_backup(const BkCall *call, const BkCreateRequest *request, BkBackup *backup)
{
	*backup = (BkBackup) {.backup_id = backup->backup_id};
	backup->resource_id = pstrdup(request->resource_id);
	backup->resource_type = pstrdup(request->resource_type);
	backup->type = request->type;
	backup->compression = request->compression;
	backup->encrypted = request->encrypt;
	backup->tags = request->tags;
	backup->source = request->source ? pstrdup(request->source) : NULL;
	backup->version = request->version ? pstrdup(request->version) : NULL;
	backup->created_by = pstrdup(call->role_name);
	backup->status = "completed";
}

/* Make the backup as the resource's writer; returns how many it has had, or 0 to begin anew. */
static int64
create(BkKeys *keys, const BkCall *call, const BkCreateRequest *request, bool probably_new, BkText document,
	   BkBackup *backup)
{
	BkResource	resource;
	BkEvent		event;
	BkText		payload;

	fill_backup(call, request, backup);
	lock_resource(call, request, probably_new, &resource);
	backup->created_at = next_created_at(&resource);
	backup->expires_at = expiry(backup->created_at, request->retention);
	payload = choose_payload(keys, call, backup, document);
	if (backup->backup_id == 0)
		backup->backup_id = bk_backup_next_id();
	bk_audit_describe(call, "create", backup->resource_id, backup->backup_id, &event);
	return bk_stored_insert(keys, &resource, &event, backup, document, payload);
}

/* A timeline that may be longer than what its policy, or else the setting, allows. */
static void
trim_timeline(const BkBackup *backup)
{
	int32		max_snapshots = bk_policy_max_snapshots(backup->resource_id, bk_setting_max_snapshots);

	if (max_snapshots > 0)
		bk_snapshot_trim(backup->resource_id, max_snapshots, backup->created_at);
}

/* Make the backup, with the key at hand. */
static void
create_with(BkKeys *keys, const BkCall *call, const BkCreateRequest *request, BkText document, BkBackup *backup)
{
	bool		probably_new = false;
	int64		backups_made;

	do
	{
		/* A wrong guess leaves no gap in the ids; who lost a race gets a later one than who won. */
		if (!probably_new)
			backup->backup_id = 0;
		probably_new = is_probably_new(request, document);
		backups_made = create(keys, call, request, probably_new, document, backup);
		first_backups = backups_made == 1 ? Min(first_backups + 1, FIRST_BACKUPS) : 0;
	} while (backups_made == 0);
	if (backups_made > bk_policy_least_snapshots(bk_setting_max_snapshots))
		trim_timeline(backup);
}

/* What takes long, or may wait for something outside, comes before the lock. */
void
bk_create_backup(const BkCall *call, const BkCreateRequest *request, Jsonb *data, BkBackup *backup)
{
	BkKeys	   *keys = bk_keys_open(call);

	call->attempt->resource_id = request->resource_id;
	bk_keys_activate(keys);
	create_with(keys, call, request, bk_document_from_jsonb(call->memory, data), backup);
}

void
bk_create_backup_of_text(const BkCall *call, BkKeys *keys, const BkCreateRequest *request, BkText document,
						 BkBackup *backup)
{
	call->attempt->resource_id = request->resource_id;
	create_with(keys, call, request, document, backup);
}
