/*
 * keys.h
 *		Master keys for bk_recover: from a key file, or a command.
 */
#ifndef BK_RECOVER_KEYS_H
#define BK_RECOVER_KEYS_H

#include "archive/archive.h"

typedef struct BkRecoverKeys BkRecoverKeys;

/* Whether a key was asked for that cannot be had. */
extern bool bk_recover_lacks_keys(const BkRecoverKeys *keys);

/* One of the two is given, or neither: then there are none.  What is malformed ends the program. */
extern BkRecoverKeys *bk_recover_keys_open(BkMemory memory, const char *file, const char *command);

extern bool bk_recover_has_keys(const BkRecoverKeys *keys);

/*
 * The master key of a fingerprint; NULL, reported once, where it cannot be had: a file that asks for another
 * key must not be in the way of the others.
 */
extern const uint8 *bk_recover_key(BkRecoverKeys *keys, const BkArchiveKey *key, const char *path);

#endif							/* BK_RECOVER_KEYS_H */
