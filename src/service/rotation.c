/*
 * rotation.c
 *		Rotation of master keys, without touching a payload.
 */
#include "service/rotation.h"

#include "catalog/resource.h"
#include "keyring/keyring.h"
#include "service/audit.h"
#include "service/json_text.h"
#include "service/keys.h"
#include "service/try.h"
#include "utils/timestamp.h"

/* How many candidates are looked up at a time. */
#define REKEY_BATCH		100

static int
find_versions(BkKeyVersion **versions)
{
	int			count;

	bk_view_open();
	count = bk_key_find_all(versions);
	bk_view_close();
	return count;
}

/* The version after the newest; 1 where the catalog knows none. */
static int32
next_version(void)
{
	BkKeyVersion *versions;
	int			count = find_versions(&versions);
	int32		newest = count == 0 ? 0 : versions[count - 1].version;

	if (newest == PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there is no key version after %d", newest)));
	return newest + 1;
}

/* The active version, which must be one that cannot be had; 0 where there is none. */
static int32
check_lost(BkKeys *keys)
{
	uint8		fingerprint[BK_FINGERPRINT_BYTES];
	int32		version = bk_key_find_active(fingerprint);
	ErrorData  *error;

	/* what the session remembers says nothing about now */
	bk_keyring_forget();
	if (version != 0 && bk_keys_try(keys, version, fingerprint, &error))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("key version %d is not lost", version),
				 errdetail("The key source holds it."),
				 errhint("Run bk_key_rotate() without lost => true.")));
	return version;
}

/* Of the version that was given up, too. */
static Jsonb *
describe_rotation(int32 version, int32 lost)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_int64(&json, "version", version);
	if (lost != 0)
		bk_json_add_int64(&json, "lost", lost);
	bk_json_end(&json);
	return bk_json_value(&json);
}

int32
bk_rotate_key(const BkCall *call, bool is_lost)
{
	BkKeys	   *keys = bk_keys_open(call);
	uint8		fingerprint[BK_FINGERPRINT_BYTES];
	int32		version = next_version();
	int32		lost = is_lost ? check_lost(keys) : 0;

	/* What is added to a source that does not hold the active key would be lost with it. */
	if (lost == 0)
		bk_keys_activate(keys);
	/* Nothing to rotate from: the first use has just made the first version. */
	if (version == 1)
		return bk_keys_active(keys);
	/* The key may come from a command, so it is had before the lock. */
	bk_keys_add(keys, version, fingerprint);
	bk_key_lock();
	bk_key_supersede();
	if (!bk_key_insert(version, fingerprint, call->role_name, GetCurrentTimestamp()))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("another session has made key version %d active at the same time", version),
				 errhint("SELECT * FROM bk_keys shows it; rotate again only if you want one more.")));
	bk_audit_catalog(call, "key_rotate", describe_rotation(version, lost));
	return version;
}

/* Re-wrapping: one key set for the old version, one for the new, so that neither is fetched per backup. */
typedef struct Rekey
{
	BkKeys	   *old_keys;
	BkKeys	   *new_keys;
	BkDek	   *dek;
	const BkKeyVersion *from;
	const BkBackup *backup;		/* at hand */
	int64		done;
	int64		max;
} Rekey;

static void
unwrap(void *argument)
{
	Rekey	   *rekey = argument;

	bk_backup_check(rekey->backup);
	bk_keys_dek(rekey->old_keys, rekey->backup, rekey->dek);
}

/* What stands in the way of some backups is said; the others go on. */
static void
rewrap_one(Rekey *rekey, const BkBackup *backup)
{
	uint8		wrapped_key[BK_WRAPPED_DEK_BYTES];
	ErrorData  *damage;

	rekey->backup = backup;
	if (!bk_try(unwrap, rekey, bk_is_damage, &damage))
	{
		bk_warn(damage, NULL);
		return;
	}
	bk_keys_wrap(rekey->new_keys, rekey->dek, wrapped_key);
	if (bk_backup_rewrap(backup, wrapped_key, bk_keys_active(rekey->new_keys)))
		rekey->done++;
}

/* Re-wrap a batch that is ordered by resource; each resource is locked once, or left alone. */
static void
rewrap_batch(Rekey *rekey, const BkBackup *backups, int count)
{
	const char *resource_id = NULL;
	BkResource	resource;
	bool		locked = false;

	for (int i = 0; i < count && rekey->done < rekey->max; i++)
	{
		if (resource_id == NULL || strcmp(resource_id, backups[i].resource_id) != 0)
		{
			resource_id = backups[i].resource_id;
			locked = bk_resource_try_lock(resource_id, &resource);
		}
		if (locked)
			rewrap_one(rekey, &backups[i]);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Where a walk over the backups of a version stands; memory outlives a batch. */
typedef struct Position
{
	MemoryContext memory;
	char	   *resource_id;
	int64		backup_id;
} Position;

static void
move_to(Position *position, const BkBackup *backup)
{
	pfree(position->resource_id);
	position->resource_id = MemoryContextStrdup(position->memory, backup->resource_id);
	position->backup_id = backup->backup_id;
}

/* Re-wrap the next batch, in memory of its own; false where there is none. */
static bool
rewrap_next(Rekey *rekey, Position *position)
{
	BkMemory	memory = bk_memory_new(position->memory, "backup_service rekey batch");
	MemoryContext outer = MemoryContextSwitchTo(memory);
	BkBackup   *backups;
	int			count;

	bk_view_open();
	count = bk_backup_find_wrapped_by(rekey->from->version, position->resource_id, position->backup_id,
									  REKEY_BATCH, &backups);
	bk_view_close();
	rewrap_batch(rekey, backups, count);
	if (count > 0)
		move_to(position, &backups[count - 1]);
	MemoryContextSwitchTo(outer);
	bk_memory_delete(memory);
	return count > 0;
}

/* Re-wrap what one version wraps. */
static void
rekey_version(Rekey *rekey)
{
	Position	position = {.memory = CurrentMemoryContext, .resource_id = pstrdup("")};
	ErrorData  *problem;

	if (!bk_keys_try(rekey->old_keys, rekey->from->version, rekey->from->fingerprint, &problem))
	{
		bk_warn(problem, NULL);
		return;
	}
	while (rekey->done < rekey->max && rewrap_next(rekey, &position))
		;
}

static void
note_rekey(const BkCall *call, const Rekey *rekey)
{
	StringInfoData json;

	bk_json_begin(&json);
	bk_json_add_int64(&json, "version", bk_keys_active(rekey->new_keys));
	bk_json_add_int64(&json, "backups", rekey->done);
	bk_json_end(&json);
	bk_audit_catalog(call, "rekey", bk_json_value(&json));
}

int64
bk_rekey_backups(const BkCall *call, int64 max_backups)
{
	Rekey		rekey = {
		.old_keys = bk_keys_open(call),
		.new_keys = bk_keys_open(call),
		.dek = bk_alloc_secret(call->memory, sizeof(BkDek)),
		.max = max_backups,
	};
	BkKeyVersion *versions;
	int			count = find_versions(&versions);

	if (count == 0)
		return 0;
	bk_keys_activate(rekey.new_keys);
	for (int i = 0; i < count && rekey.done < max_backups; i++)
	{
		rekey.from = &versions[i];
		if (versions[i].version != bk_keys_active(rekey.new_keys) && bk_key_is_used(versions[i].version))
			rekey_version(&rekey);
	}
	if (rekey.done > 0)
		note_rekey(call, &rekey);
	return rekey.done;
}

BK_NORETURN static void
no_such_version(int32 version)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("key version %d does not exist", version),
			 errhint("SELECT * FROM bk_keys shows the versions.")));
	pg_unreachable();
}

/* Is it the version that new backups use? */
static bool
is_active(int32 version)
{
	BkKeyVersion *versions;
	int			count = find_versions(&versions);

	for (int i = 0; i < count; i++)
		if (versions[i].version == version)
			return strcmp(versions[i].state, "active") == 0;
	no_such_version(version);
}

void
bk_retire_key(const BkCall *call, int32 version)
{
	int64		backups;

	bk_key_lock();
	if (is_active(version))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("key version %d is the active one", version),
				 errhint("Run bk_key_rotate() and bk_rekey() first.")));
	backups = bk_key_count_backups(version);
	if (backups > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("key version %d is still needed", version),
				 errdetail("The data keys of " INT64_FORMAT " backups are wrapped by it.", backups),
				 errhint("Run bk_rekey() until it gives 0.")));
	(void) bk_key_set_retired(version);
	bk_audit_catalog(call, "key_retire", bk_json_of_int64("version", version));
}

void
bk_note_key_copied(const BkCall *call, int32 version)
{
	if (!bk_key_set_copied(version, GetCurrentTimestamp()))
		no_such_version(version);
	bk_audit_catalog(call, "key_copied", bk_json_of_int64("version", version));
}

bool
bk_key_is_available(const BkCall *call, const BkKeyVersion *version, char **problem)
{
	ErrorData  *error;

	*problem = NULL;
	/* What the session remembers says nothing about now. */
	bk_keyring_forget();
	if (bk_keys_try(bk_keys_open(call), version->version, version->fingerprint, &error))
		return true;
	*problem = bk_error_text(error);
	return false;
}
