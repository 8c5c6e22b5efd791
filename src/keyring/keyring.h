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
	const char *key_file;		/* path, relative to the data directory; NULL or empty for none */
} BkKeyringSettings;

/*
 * Copy the KEK of a version into kek (bk_alloc_secret() memory).  Errors:
 * 58000 the source cannot be had or does not hold the version, 22023 it is
 * malformed, each naming version and source, never a key byte.
 */
extern void bk_keyring_get(const BkKeyringSettings *settings, int32 version,
						   uint8 kek[BK_KEK_BYTES]);

/*
 * The newest version that the source holds; 0 where the source does not exist
 * yet (a key file that was never made).
 */
extern int32 bk_keyring_newest(const BkKeyringSettings *settings);

/*
 * Make the key source with a first, random version 1: temporary name (mode
 * 0600), fsync, link without overwriting, fsync of the directory.  Where
 * another process was faster, its file is left as it is.  True if this call made it;
 * it then gives a WARNING with the path that says to copy the file now.
 */
extern bool bk_keyring_create(const BkKeyringSettings *settings);

#endif							/* BK_KEYRING_H */
