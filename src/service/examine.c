/*
 * examine.c
 *		Which keys there are, what a verification costs, and which backup of a
 *		chain is the damaged one.
 */
#include "service/examine.h"

#include "service/chain.h"
#include "service/notice.h"
#include "service/try.h"

/* A key version that was asked for. */
typedef struct KnownKey
{
	int32		version;
	bool		available;
} KnownKey;

/* A chain that is being walked up. */
typedef struct Walk
{
	BkMemory	memory;			/* NULL where there is none */
	BkCall		call;			/* lives as long */
	BkAttempt	attempt;
	BkKeys	   *keys;
	BkState    *state;
	char	   *resource_id;
	int64		at;				/* the backup that the state is at; 0 before the first */
} Walk;

struct BkExaminer
{
	BkMemory	memory;
	KnownKey   *known;
	int			known_count;
	Walk		walk;
};

BkExaminer *
bk_examiner_new(BkMemory memory)
{
	BkExaminer *examiner = bk_alloc_zero(memory, sizeof(BkExaminer));

	examiner->memory = memory;
	return examiner;
}

static void
end_walk(BkExaminer *examiner)
{
	if (examiner->walk.memory)
		bk_memory_delete(examiner->walk.memory);
	memset(&examiner->walk, 0, sizeof(examiner->walk));
}

void
bk_examiner_rest(BkExaminer *examiner, const char *next_resource)
{
	const Walk *walk = &examiner->walk;

	if (walk->memory && (next_resource == NULL || strcmp(walk->resource_id, next_resource) != 0))
		end_walk(examiner);
}

static void
begin_walk(BkExaminer *examiner, const BkCall *call, const char *resource_id)
{
	Walk	   *walk = &examiner->walk;

	end_walk(examiner);
	walk->memory = bk_memory_new(examiner->memory, "backup_service chain");
	walk->call = *call;
	walk->call.attempt = &walk->attempt;
	walk->call.memory = walk->memory;
	walk->call.role_name = MemoryContextStrdup(walk->memory, call->role_name);
	walk->keys = bk_keys_open(&walk->call);
	walk->state = bk_state_open(walk->keys, walk->memory);
	walk->resource_id = MemoryContextStrdup(walk->memory, resource_id);
}

static bool
is_next(const Walk *walk, const BkBackup *backup)
{
	return walk->memory && backup->base_id != 0 && walk->at == backup->base_id
		&& strcmp(walk->resource_id, backup->resource_id) == 0;
}

/* Say once, where somebody may put it right. */
static void
tell_of_key(int32 version, const ErrorData *error)
{
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("backups of key version %d are verified at rest alone: %s", version, error->message),
			 error->detail ? errdetail("%s", error->detail) : 0,
			 error->hint ? errhint("%s", error->hint) : 0));
	bk_notice_add_key_problem(version);
}

/* Ask for each version once: a key command may take its time. */
static bool
has_key(BkExaminer *examiner, const BkBackup *backup)
{
	KnownKey   *known;
	ErrorData  *error;

	/* A version that the catalog does not know is damage, which reading finds. */
	if (!backup->key_known)
		return true;
	for (int i = 0; i < examiner->known_count; i++)
		if (examiner->known[i].version == backup->key_version)
			return examiner->known[i].available;
	examiner->known = bk_realloc(examiner->memory, examiner->known, sizeof(KnownKey) * (examiner->known_count + 1));
	known = &examiner->known[examiner->known_count++];
	known->version = backup->key_version;
	known->available = bk_keys_try(examiner->walk.keys, known->version, backup->fingerprint, &error);
	if (!known->available)
		tell_of_key(known->version, error);
	return known->available;
}

/* One verification, for bk_try(). */
typedef struct Reading
{
	BkState    *state;
	const BkBackup *backup;
} Reading;

static void
read_document(void *argument)
{
	Reading    *reading = argument;

	bk_state_go_to(reading->state, reading->backup);
	(void) bk_state_proven_tree(reading->state);
}

static void
read_stored_bytes(void *argument)
{
	Reading    *reading = argument;

	bk_stored_check_at_rest(reading->backup);
}

/* One backup that cannot be read for whatever reason must not keep the others from being verified. */
static bool
is_no_cancellation(const ErrorData *error)
{
	return error->sqlerrcode != ERRCODE_QUERY_CANCELED || bk_is_key_problem(error);
}

static void
note_error(ErrorData *error, const BkBackup *backup, BkExamination *examination)
{
	/* A key may be lost after it was asked for. */
	if (bk_is_key_problem(error))
		examination->result = BK_EXAMINED_AT_REST;
	else if (bk_is_damage(error))
	{
		examination->result = BK_EXAMINED_DAMAGED;
		examination->error = error->detail ? error->detail : error->message;
		examination->culprit = *backup;
	}
	else
	{
		examination->result = BK_EXAMINED_FAILED;
		bk_warn(error, NULL);
	}
}

/* Run one check; where it fails, the examination says how it ends. */
static bool
passes(void (*check) (void *), BkState *state, const BkBackup *backup, BkExamination *examination)
{
	Reading		reading = {.state = state, .backup = backup};
	ErrorData  *error;

	if (bk_try(check, &reading, is_no_cancellation, &error))
		return true;
	note_error(error, backup, examination);
	return false;
}

static void
check_at_rest(const BkBackup *backup, BkExamination *examination)
{
	examination->result = BK_EXAMINED_AT_REST;
	(void) passes(read_stored_bytes, NULL, backup, examination);
}

/* A chain that ends in damage: the first backup from below that has it is the damaged one. */
static void
find_culprit(BkExaminer *examiner, const BkCall *call, const BkBackup *bases, int count, BkExamination *examination)
{
	if (count == 0)
		return;
	begin_walk(examiner, call, bases[0].resource_id);
	for (int i = count - 1; i >= 0; i--)
		if (!passes(read_document, examiner->walk.state, &bases[i], examination))
			return;
}

static void
check_in_full(BkExaminer *examiner, const BkCall *call, const BkBackup *backup, const BkBackup *bases, int count,
			  BkExamination *examination)
{
	if (passes(read_document, examiner->walk.state, backup, examination))
		examiner->walk.at = backup->backup_id;
	else if (examination->result == BK_EXAMINED_DAMAGED)
		find_culprit(examiner, call, bases, count, examination);
	if (examination->result == BK_EXAMINED_AT_REST)
	{
		examiner->known_count = 0;
		check_at_rest(backup, examination);
	}
}

static int64
bytes_of(const BkBackup *backup)
{
	return Max(backup->stored_size, 0);
}

/* What reading in full costs, and whether all keys for it can be had. */
static bool
prepare(BkExaminer *examiner, const BkBackup *backup, const BkBackup *bases, int count, int64 *bytes)
{
	bool		has_keys = has_key(examiner, backup);

	*bytes = bytes_of(backup);
	for (int i = 0; i < count && has_keys; i++)
	{
		*bytes += Min(bytes_of(&bases[i]), PG_INT64_MAX - *bytes);
		has_keys = has_key(examiner, &bases[i]);
	}
	if (!has_keys)
		*bytes = bytes_of(backup);
	return has_keys;
}

/* In a view, with a walk that the backup goes on or begins; bases are none where it goes on. */
static void
examine(BkExaminer *examiner, const BkCall *call, const BkBackup *backup, const BkBackup *bases, int count,
		int64 max_bytes, BkExamination *examination)
{
	bool		in_full = prepare(examiner, backup, bases, count, &examination->bytes);

	if (max_bytes >= 0 && examination->bytes > max_bytes)
		examination->result = BK_EXAMINED_NOT;
	else if (in_full)
		check_in_full(examiner, call, backup, bases, count, examination);
	else
		check_at_rest(backup, examination);
}

void
bk_examine(BkExaminer *examiner, const BkCall *call, const BkBackup *backup, int64 max_bytes,
		   BkExamination *examination)
{
	BkMemory	memory = bk_memory_new(call->memory, "backup_service bases");
	BkBackup   *bases = NULL;
	int			count = 0;

	memset(examination, 0, sizeof(*examination));
	bk_view_open();
	if (!is_next(&examiner->walk, backup))
	{
		MemoryContext outer = MemoryContextSwitchTo(memory);

		begin_walk(examiner, call, backup->resource_id);
		if (backup->base_id != 0)
			count = bk_backup_find_bases(backup, &bases);
		MemoryContextSwitchTo(outer);
	}
	examine(examiner, call, backup, bases, count, max_bytes, examination);
	bk_view_close();
	if (examination->result != BK_EXAMINED_SOUND)
		end_walk(examiner);
	/* The culprit may be one of the bases. */
	if (examination->result != BK_EXAMINED_DAMAGED)
		bk_memory_delete(memory);
}
