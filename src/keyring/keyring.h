/*
 * keyring.h
 *		Master keys (KEKs) by version, from the configured source.
 *
 * KEKs never enter SQL, a table, the log or WAL.  Nothing here takes a lock in
 * the database or reads a table; the catalog of key versions is above
 * (service/keys).
 */
#ifndef BK_KEYRING_H
#define BK_KEYRING_H

#include "keyring/wrap.h"

/* Where keys come from; handed in by the layers above, which know the settings. */
typedef struct BkKeyringSettings
{
	const char *key_command;	/* gives a key; NULL or empty for none, else it is the source */
	int			key_command_timeout;	/* milliseconds; 0 for no limit */
	const char *key_file;		/* path, relative to the data directory; NULL or empty for none */
	int			key_cache_ttl;	/* how many seconds a session remembers a key; 0 for not at all */
} BkKeyringSettings;

/*
 * Copy the KEK of a version into kek (bk_alloc_secret() memory) and say what it is
 * recognised by, which may wait for a command.  Errors: 58000 the source cannot be had or does not hold the version, 22023
 * it is malformed, 57014 it took too long, each naming version and source, never a
 * key byte.
 */
extern void bk_keyring_get(const BkKeyringSettings *settings, int32 version,
						   uint8 kek[BK_KEK_BYTES], uint8 fingerprint[BK_FINGERPRINT_BYTES]);

/*
 * The version that a catalog which knows none begins with: the newest that a key
 * file holds, 0 where the file was never made; 1 for a command, which is asked
 * for what the catalog wants.
 */
extern int32 bk_keyring_newest(const BkKeyringSettings *settings);

/*
 * Make the key source with a first, random version 1: temporary name (mode
 * 0600), fsync, link without overwriting, fsync of the directory.  Where
 * another process was faster, its file is left as it is.  True if this call made it;
 * it then gives a WARNING with the path that says to copy the file now.
 */
extern bool bk_keyring_create(const BkKeyringSettings *settings);

/*
 * Make sure that the source holds a version, for a rotation: a file that lacks it
 * gets a line with a new random key (a new file, fsynced, renamed over the old
 * one) and a WARNING that says to copy it; a command must give it.
 */
extern void bk_keyring_add(const BkKeyringSettings *settings, int32 version);

/*
 * Copy the KEK of a fingerprint into kek, whatever version it has here; false where the
 * source does not hold it.  A file is looked through; a command is asked for that version.
 */
extern bool bk_keyring_find(const BkKeyringSettings *settings, int32 version,
							const uint8 fingerprint[BK_FINGERPRINT_BYTES], uint8 kek[BK_KEK_BYTES]);

/* Wipe every key that the session remembers, so that the next ones are read anew. */
extern void bk_keyring_forget(void);

#endif							/* BK_KEYRING_H */
