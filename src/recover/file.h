/*
 * file.h
 *		Whole files, read and written.
 */
#ifndef BK_RECOVER_FILE_H
#define BK_RECOVER_FILE_H

#include "common/common.h"

/* Read a file into memory; ends the program where that cannot be. */
extern BkText bk_file_read(BkMemory memory, const char *path);

/* Read a file that only its owner can read into secret memory, at most limit bytes; ends the program (BK_EXIT_KEY). */
extern BkText bk_file_read_secret(BkMemory memory, const char *path, size_t limit);

/* Write a text and a line feed to a new file that only its owner can read, or (NULL) to standard output. */
extern void bk_file_write(const char *path, BkText text);

/* The paths of a directory's files whose names end with a suffix, in order; -1 where path is no directory. */
extern int	bk_file_list(BkMemory memory, const char *path, const char *suffix, char ***paths);

#endif							/* BK_RECOVER_FILE_H */
