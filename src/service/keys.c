/*
 * keys.c
 *		Data keys of backups, through the catalog's key versions and the keyring.
 */
#include "service/keys.h"

#include "catalog/key.h"
#include "keyring/keyring.h"
#include "payload/payload.h"
#include "settings.h"
#include "utils/timestamp.h"

struct BkKeys
{
	const BkCall *call;
	BkKeyringSettings settings;
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
	keys->settings.key_file = bk_setting_key_file;
	keys->kek = bk_alloc_secret(call->memory, BK_KEK_BYTES);
	return keys;
}

/* Have a version's master key at hand, and know its fingerprint. */
static void
load(BkKeys *keys, int32 version)
{
	if (keys->version == version)
		return;
	keys->version = 0;
	bk_keyring_get(&keys->settings, version, keys->kek);
	bk_kek_fingerprint(keys->kek, keys->fingerprint);
	keys->version = version;
}

/* The same, refusing a key that is not the one the catalog knows. */
static void
load_known(BkKeys *keys, int32 version, const uint8 known[BK_FINGERPRINT_BYTES])
{
	load(keys, version);
	if (memcmp(keys->fingerprint, known, BK_FINGERPRINT_BYTES) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("key version %d is not the key that this catalog was written with", version),
				 errdetail("Its fingerprint differs from the one in the catalog."),
				 errhint("Put the right key back into the file that backup_service.key_file names; no restart is needed.")));
}

/* The newest version of the key source, which is made where it does not exist. */
static int32
newest_version(BkKeys *keys)
{
	int32		version = bk_keyring_newest(&keys->settings);

	if (version != 0)
		return version;
	if (!bk_setting_key_file_create)
		ereport(ERROR,
				(errcode(ERRCODE_SYSTEM_ERROR),
				 errmsg("there is no master key yet"),
				 errdetail("The file that backup_service.key_file names does not exist, and backup_service.key_file_create is off."),
				 errhint("Make the file with mode 0600 and one line: 1: and 64 hexadecimal digits, such as openssl rand -hex 32 gives.")));
	bk_keyring_create(&keys->settings);
	return bk_keyring_newest(&keys->settings);
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
		bk_key_insert(version, keys->fingerprint, keys->call->role_name, GetCurrentTimestamp());
		/* Another session may have been faster: what counts is what is there now. */
		version = bk_key_find_active(known);
		if (version == 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("no key version is active"),
					 errdetail("Every version in backup_service.key is retired.")));
	}
	load_known(keys, version, known);
	keys->active = version;
}

void
bk_keys_new_dek(BkKeys *keys, BkBackup *backup, BkDek *dek)
{
	Assert(keys->active != 0);
	load(keys, keys->active);
	bk_dek_generate(dek);
	bk_dek_wrap(keys->kek, dek, backup->wrapped_key);
	backup->key_version = keys->active;
}

void
bk_keys_dek(BkKeys *keys, const BkBackup *backup, BkDek *dek)
{
	BkOrigin	origin = {backup->backup_id};

	if (!backup->key_known)
		bk_fail(origin, "header", "the catalog has no key version %d", backup->key_version);
	load_known(keys, backup->key_version, backup->fingerprint);
	bk_dek_unwrap(keys->kek, backup->wrapped_key, dek, origin);
}
