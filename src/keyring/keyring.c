/*
 * keyring.c
 *		Master keys by version: chooses the source that the settings name, and asks
 *		it for what the session does not remember.
 */
#include "keyring/source.h"

static bool
is_set(const char *setting)
{
	return setting != NULL && setting[0] != '\0';
}

/* The one place that knows which setting means which source. */
static const BkKeySource *
choose_source(const BkKeyringSettings *settings)
{
	if (is_set(settings->key_command))
		return &bk_key_source_command;
	if (is_set(settings->key_file))
		return &bk_key_source_file;
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("no source of master keys is configured"),
			 errhint("Set backup_service.key_command to a command that prints a key, or backup_service.key_file to the path of a key file.")));
}

void
bk_keyring_get(const BkKeyringSettings *settings, int32 version, uint8 kek[BK_KEK_BYTES],
			   uint8 fingerprint[BK_FINGERPRINT_BYTES])
{
	const BkKeySource *source = choose_source(settings);
	int			ttl = settings->key_cache_ttl;
	BkKeyPlace	place;

	/* Looked at before reading: a file that changes in between is remembered as it was, and so not found. */
	source->look(settings, &place);
	if (!bk_remembered_key(&place, version, ttl, kek, fingerprint))
	{
		source->get(settings, version, kek);
		bk_kek_fingerprint(kek, fingerprint);
		bk_remember_key(&place, version, ttl, kek, fingerprint);
	}
	pfree(place.text);
}

int32
bk_keyring_newest(const BkKeyringSettings *settings)
{
	return choose_source(settings)->newest(settings);
}

bool
bk_keyring_create(const BkKeyringSettings *settings)
{
	return choose_source(settings)->create(settings);
}

void
bk_keyring_add(const BkKeyringSettings *settings, int32 version)
{
	choose_source(settings)->add(settings, version);
}

bool
bk_keyring_find(const BkKeyringSettings *settings, int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES],
				uint8 kek[BK_KEK_BYTES])
{
	return choose_source(settings)->find(settings, version, fingerprint, kek);
}
