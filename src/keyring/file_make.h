/*
 * file_make.h
 *		Making a key file that did not exist, all or nothing.
 */
#ifndef BK_FILE_MAKE_H
#define BK_FILE_MAKE_H

#include "common/common.h"

/*
 * Make the file at path with a random version 1, on disk when this returns.
 * False where the file is there already, which is then left as it is.
 */
extern bool bk_key_file_make(const char *path);

#endif							/* BK_FILE_MAKE_H */
