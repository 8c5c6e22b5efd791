/*
 * keys.h
 *		Master keys for bk_recover: from a key file, or a command.
 */
#ifndef BK_RECOVER_KEYS_H
#define BK_RECOVER_KEYS_H

#include "archive/archive.h"

typedef struct BkRecoverKeys BkRecoverKeys;

/* One of the two is given, or neither: then there are none.  What is malformed ends the program. */
extern BkRecoverKeys *bk_recover_keys_open(BkMemory memory, const char *file, const char *command);

extern bool bk_recover_has_keys(const BkRecoverKeys *keys);

/* The master key of a fingerprint; ends the program, naming it, where it cannot be had. */
extern const uint8 *bk_recover_key(BkRecoverKeys *keys, const BkArchiveKey *key, const char *path);

#endif							/* BK_RECOVER_KEYS_H */
