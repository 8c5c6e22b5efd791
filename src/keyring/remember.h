/*
 * remember.h
 *		The few keys that a session used last, for a while.
 *
 * Running a command for each backup takes seconds, and opening and parsing a file
 * costs more than a small backup's own cryptography; looking at the file's inode
 * costs next to nothing.  Keys are wiped when they are too old, at the next use, and
 * when the session ends.
 */
#ifndef BK_REMEMBER_H
#define BK_REMEMBER_H

#include "keyring/keyring.h"

#include <sys/stat.h>

/* Where a key comes from. */
typedef struct BkKeyPlace
{
	bool		known;			/* false: nothing from there is remembered */
	bool		file;			/* else a command */
	char	   *text;			/* the file's path, or the command */
	struct stat status;			/* of the file; zeros for a command */
} BkKeyPlace;

/*
 * The key of that version from that place, where it was remembered less than ttl
 * seconds ago and the file is as it was then.
 */
extern bool bk_remembered_key(const BkKeyPlace *place, int32 version, int ttl, uint8 *kek, uint8 *fingerprint);

/*
 * Remember a key, in place of the oldest if need be.  place was looked at before the
 * key was read.  Does nothing where ttl is 0, and for a file that changed within the last
 * second: another change might leave the same times.
 */
extern void bk_remember_key(const BkKeyPlace *place, int32 version, int ttl, const uint8 *kek,
							const uint8 *fingerprint);

#endif							/* BK_REMEMBER_H */
