/*
 * remember.h
 *		The key that a session used last, as long as its file has not changed.
 *
 * Opening and parsing the file for each small backup costs more than the backup's
 * own cryptography; looking at its inode costs next to nothing.
 */
#ifndef BK_REMEMBER_H
#define BK_REMEMBER_H

#include "keyring/keyring.h"

#include <sys/stat.h>

/* The key of that version from that file, if the file is as it was then. */
extern bool bk_remembered_key(const char *path, const struct stat *status, int32 version, uint8 *kek);

/*
 * Remember a key in place of the one before, wiping that.  Does nothing for a file that
 * changed within the last second: another change might leave the same times.
 */
extern void bk_remember_key(const char *path, const struct stat *status, int32 version, const uint8 *kek);

#endif							/* BK_REMEMBER_H */
