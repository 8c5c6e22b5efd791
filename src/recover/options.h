/*
 * options.h
 *		The command line of bk_recover.
 */
#ifndef BK_RECOVER_OPTIONS_H
#define BK_RECOVER_OPTIONS_H

#include "common/common.h"

typedef enum BkRecoverCommand
{
	BK_RECOVER_LIST,
	BK_RECOVER_VERIFY,
	BK_RECOVER_RESTORE
} BkRecoverCommand;

typedef struct BkRecoverOptions
{
	BkRecoverCommand command;
	const char *key_file;		/* NULL where not given, as the others */
	const char *key_command;
	const char *resource;
	int64		backup_id;		/* 0: not given */
	bool		has_time;
	int64		at;
	bool		nearest;
	bool		json;
	const char *output;
	char	  **paths;
	int			path_count;
} BkRecoverOptions;

/* Read them; ends the program after --help and --version, and where they make no sense. */
extern void bk_recover_read_options(int argc, char **argv, BkRecoverOptions *options);

#endif							/* BK_RECOVER_OPTIONS_H */
