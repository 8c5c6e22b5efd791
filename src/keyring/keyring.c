/*
 * keyring.c
 *		Master keys by version: chooses the source that the settings name.
 */
#include "keyring/source.h"

/* The one place that knows which setting means which source. */
static const BkKeySource *
choose_source(const BkKeyringSettings *settings)
{
	if (settings->key_file != NULL && settings->key_file[0] != '\0')
		return &bk_key_source_file;
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("no source of master keys is configured"),
			 errhint("Set backup_service.key_file to the path of a key file.")));
}

void
bk_keyring_get(const BkKeyringSettings *settings, int32 version, uint8 kek[BK_KEK_BYTES])
{
	choose_source(settings)->get(settings, version, kek);
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
