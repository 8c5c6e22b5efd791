/*
 * keys.h
 *		Key versions of the catalog and master keys of the keyring, together:
 *		data keys for new backups and of stored ones.
 */
#ifndef BK_KEYS_H
#define BK_KEYS_H

#include "catalog/backup.h"
#include "service/call.h"

/* The master keys that one call has needed so far. */
typedef struct BkKeys BkKeys;

extern BkKeys *bk_keys_open(const BkCall *call);

/* Do not wait longer for a key command, whatever the settings say. */
extern void bk_keys_limit_time(BkKeys *keys, int milliseconds);

/*
 * Find the key version that new backups use, and its master key.  On the very
 * first use of a catalog that makes the key source and registers its version.
 * May run a command or wait for a file: called before any lock is taken.
 */
extern void bk_keys_activate(BkKeys *keys);

/* Have a version's master key at hand, proven by the fingerprint that the catalog has. */
extern void bk_keys_load(BkKeys *keys, int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES]);

/* The same; false where it cannot be had, and *error (in the current memory context) says why. */
extern bool bk_keys_try(BkKeys *keys, int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES], ErrorData **error);

/*
 * Copy a master key of another catalog into kek (bk_alloc_secret() memory): version is what it is called there,
 * here it may have another one.  58000 where the key source does not hold it.
 */
extern void bk_keys_foreign(BkKeys *keys, int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES],
							uint8 kek[BK_KEK_BYTES]);

/* The master key of the active version, and its fingerprint. */
extern const uint8 *bk_keys_active_kek(BkKeys *keys, uint8 fingerprint[BK_FINGERPRINT_BYTES]);

/* Which version bk_keys_activate() found. */
extern int32 bk_keys_active(const BkKeys *keys);

/*
 * Make a version that the catalog does not know, in the key source where that can,
 * and give its fingerprint.
 */
extern void bk_keys_add(BkKeys *keys, int32 version, uint8 fingerprint[BK_FINGERPRINT_BYTES]);

/* Wrap a backup's data key by the active version instead. */
extern void bk_keys_wrap(BkKeys *keys, const BkDek *dek, uint8 wrapped_key[BK_WRAPPED_DEK_BYTES]);

/* A new data key for a backup, wrapped into its row by the active version. */
extern void bk_keys_new_dek(BkKeys *keys, BkBackup *backup, BkDek *dek);

/* A data key that was wrapped by a version; errors are those of bk_keys_dek(). */
extern void bk_keys_unwrap(BkKeys *keys, int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES],
						   const uint8 wrapped_key[BK_WRAPPED_DEK_BYTES], BkDek *dek, BkOrigin origin);

/*
 * The data key of a stored backup.  58000 where the master key cannot be had or
 * is not the one that the catalog knows; XX001 where the wrapped key is damaged.
 */
extern void bk_keys_dek(BkKeys *keys, const BkBackup *backup, BkDek *dek);

#endif							/* BK_KEYS_H */
