/*
 * keys.c
 *		Data keys of backups, through the catalog's key versions and the keyring.
 */
#include "service/keys.h"

#include "catalog/key.h"
#include "keyring/keyring.h"
#include "payload/payload.h"
#include "service/audit.h"
#include "service/json_text.h"
#include "service/try.h"
#include "settings.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

struct BkKeys
{
	const BkCall *call;
	int			time_limit;		/* of a key command, in milliseconds, where that is shorter than the setting; 0: none */
	int32		active;			/* version for new backups; 0 before bk_keys_activate() */
	int32		version;		/* that kek is; 0 for none */
	uint8	   *kek;
	uint8		fingerprint[BK_FINGERPRINT_BYTES];	/* of kek */
};

BkKeys *
bk_keys_open(const BkCall *call)
{
	BkKeys	   *keys = bk_alloc_zero(call->memory, sizeof(BkKeys));

	keys->call = call;
	keys->kek = bk_alloc_secret(call->memory, BK_KEK_BYTES);
	return keys;
}

/* As they are now: a queued restore lives longer than what a reload replaces. */
static const BkKeyringSettings *
settings(const BkKeys *keys)
{
	static BkKeyringSettings now;

	now = (BkKeyringSettings) {
		.key_command = bk_setting_key_command,
		.key_command_timeout = bk_setting_key_command_timeout,
		.key_file = bk_setting_key_file,
		.key_cache_ttl = bk_setting_key_cache_ttl,
	};
	if (keys->time_limit != 0 && (now.key_command_timeout == 0 || now.key_command_timeout > keys->time_limit))
		now.key_command_timeout = keys->time_limit;
	return &now;
}

void
bk_keys_limit_time(BkKeys *keys, int milliseconds)
{
	keys->time_limit = milliseconds;
}

/* Have a version's master key at hand, and know its fingerprint. */
static void
load(BkKeys *keys, int32 version)
{
	if (keys->version == version)
		return;
	keys->version = 0;
	bk_keyring_get(settings(keys), version, keys->kek, keys->fingerprint);
	keys->version = version;
}

void
bk_keys_load(BkKeys *keys, int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES])
{
	load(keys, version);
	if (memcmp(keys->fingerprint, fingerprint, BK_FINGERPRINT_BYTES) == 0)
		return;
	/* Once it is put right, it shall be fetched anew. */
	bk_keyring_forget();
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("key version %d is not the key that this catalog was written with", version),
			 errdetail("Its fingerprint differs from the one in the catalog."),
			 errhint("Put the right key back where backup_service.key_command or backup_service.key_file takes it from; no restart is needed.")));
}

/* One loading of a key, for bk_try(). */
typedef struct KeyTrial
{
	BkKeys	   *keys;
	int32		version;
	const uint8 *fingerprint;
} KeyTrial;

static void
load_tried(void *argument)
{
	KeyTrial   *trial = argument;

	bk_keys_load(trial->keys, trial->version, trial->fingerprint);
}

bool
bk_keys_try(BkKeys *keys, int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES], ErrorData **error)
{
	KeyTrial	trial = {.keys = keys, .version = version, .fingerprint = fingerprint};

	return bk_try(load_tried, &trial, bk_is_key_problem, error);
}

/* The newest version of the key source, which is made where it does not exist. */
static int32
newest_version(BkKeys *keys)
{
	int32		version = bk_keyring_newest(settings(keys));

	if (version != 0)
		return version;
	if (!bk_setting_key_file_create)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("there is no master key yet"),
				 errdetail("The file that backup_service.key_file names does not exist, and backup_service.key_file_create is off."),
				 errhint("Make the file with mode 0600 and one line: 1: and 64 hexadecimal digits, such as openssl rand -hex 32 gives.")));
	bk_keyring_create(settings(keys));
	return bk_keyring_newest(settings(keys));
}

void
bk_keys_activate(BkKeys *keys)
{
	uint8		known[BK_FINGERPRINT_BYTES];
	int32		version;

	if (keys->active != 0)
		return;
	version = bk_key_find_active(known);
	if (version == 0)
	{
		version = newest_version(keys);
		load(keys, version);
		if (bk_key_insert(version, keys->fingerprint, keys->call->role_name, GetCurrentTimestamp()))
			bk_audit_catalog(keys->call, "key_create", bk_json_of_int64("version", version));
		/* Another session may have been faster: what counts is what is there now. */
		version = bk_key_find_active(known);
		if (version == 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("no key version is active"),
					 errdetail("Every version in backup_service.key is retired.")));
	}
	bk_keys_load(keys, version, known);
	keys->active = version;
}

static char *
hex(const uint8 *bytes, int count)
{
	char	   *text = palloc(2 * count + 1);

	text[hex_encode((const char *) bytes, count, text)] = '\0';
	return text;
}

void
bk_keys_foreign(BkKeys *keys, int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES], uint8 kek[BK_KEK_BYTES])
{
	if (bk_keyring_find(settings(keys), version, fingerprint, kek))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("this server does not have the master key of the archive"),
			 errdetail("It was version %d where the archive was made, and its fingerprint is %s.", version,
					   hex(fingerprint, BK_FINGERPRINT_BYTES)),
			 bk_setting_key_command[0] != '\0'
			 ? errhint("Let backup_service.key_command print that key for version %d.", version)
			 : errhint("Add the line of that key to the key file, with any version that is not in it yet.")));
}

const uint8 *
bk_keys_active_kek(BkKeys *keys, uint8 fingerprint[BK_FINGERPRINT_BYTES])
{
	Assert(keys->active != 0);
	load(keys, keys->active);
	memcpy(fingerprint, keys->fingerprint, BK_FINGERPRINT_BYTES);
	return keys->kek;
}

int32
bk_keys_active(const BkKeys *keys)
{
	return keys->active;
}

void
bk_keys_add(BkKeys *keys, int32 version, uint8 fingerprint[BK_FINGERPRINT_BYTES])
{
	bk_keyring_add(settings(keys), version);
	load(keys, version);
	memcpy(fingerprint, keys->fingerprint, BK_FINGERPRINT_BYTES);
}

void
bk_keys_wrap(BkKeys *keys, const BkDek *dek, uint8 wrapped_key[BK_WRAPPED_DEK_BYTES])
{
	Assert(keys->active != 0);
	load(keys, keys->active);
	bk_dek_wrap(keys->kek, dek, wrapped_key);
}

void
bk_keys_new_dek(BkKeys *keys, BkBackup *backup, BkDek *dek)
{
	bk_dek_generate(dek);
	bk_keys_wrap(keys, dek, backup->wrapped_key);
	backup->key_version = keys->active;
}

void
bk_keys_unwrap(BkKeys *keys, int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES],
			   const uint8 wrapped_key[BK_WRAPPED_DEK_BYTES], BkDek *dek, BkOrigin origin)
{
	bk_keys_load(keys, version, fingerprint);
	bk_dek_unwrap(keys->kek, wrapped_key, dek, origin);
}

void
bk_keys_dek(BkKeys *keys, const BkBackup *backup, BkDek *dek)
{
	BkOrigin	origin = {backup->backup_id};

	if (!backup->key_known)
		bk_fail(origin, "header", "the catalog has no key version %d", backup->key_version);
	bk_keys_unwrap(keys, backup->key_version, backup->fingerprint, backup->wrapped_key, dek, origin);
}
