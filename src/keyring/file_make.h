/*
 * file_make.h
 *		Making a key file that did not exist, or its next edition, all or nothing.
 */
#ifndef BK_FILE_MAKE_H
#define BK_FILE_MAKE_H

#include "common/common.h"

#include <errno.h>
#include <sys/stat.h>

/* The SQLSTATE of a call on the key file that has failed: 58000, but for what has nothing to do with keys. */
static inline int
bk_key_file_code(void)
{
	if (errno == ENOSPC)
		return ERRCODE_DISK_FULL;
	return errno == ENOMEM ? ERRCODE_OUT_OF_MEMORY : ERRCODE_SYSTEM_ERROR;
}

/*
 * Make the file at path with a random version 1, on disk when this returns.
 * False where the file is there already, which is then left as it is.
 */
extern bool bk_key_file_make(const char *path);

/*
 * Put a file with the text (in secret memory) and a random key of a new version in the
 * place of the one at path, on disk when this returns.  It keeps the old one's owner,
 * where this process may give files away.  Where path is a symbolic link, that stays,
 * and what it leads to is replaced.
 */
extern void bk_key_file_add(const char *path, BkText text, const struct stat *old, int32 version);

#endif							/* BK_FILE_MAKE_H */
