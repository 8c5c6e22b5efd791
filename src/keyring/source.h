/*
 * source.h
 *		What a source of master keys can do.
 */
#ifndef BK_SOURCE_H
#define BK_SOURCE_H

#include "keyring/remember.h"

/*
 * Callbacks have the contracts of the functions of keyring.h that are named alike.
 * look says where a version's key comes from and what that is like now, its text
 * allocated in the current context; unknown where the place cannot be seen.
 */
typedef struct BkKeySource
{
	void		(*look) (const BkKeyringSettings *settings, BkKeyPlace *place);
	void		(*get) (const BkKeyringSettings *settings, int32 version, uint8 *kek);
	int32		(*newest) (const BkKeyringSettings *settings);
	bool		(*create) (const BkKeyringSettings *settings);
	void		(*add) (const BkKeyringSettings *settings, int32 version);
	bool		(*find) (const BkKeyringSettings *settings, int32 version, const uint8 *fingerprint, uint8 *kek);
} BkKeySource;

extern const BkKeySource bk_key_source_command;
extern const BkKeySource bk_key_source_file;

#endif							/* BK_SOURCE_H */
