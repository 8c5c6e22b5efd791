/*
 * source.h
 *		What a source of master keys can do.
 */
#ifndef BK_SOURCE_H
#define BK_SOURCE_H

#include "keyring/keyring.h"

/* The callbacks have the contracts of the functions of keyring.h that are named alike. */
typedef struct BkKeySource
{
	void		(*get) (const BkKeyringSettings *settings, int32 version, uint8 *kek);
	int32		(*newest) (const BkKeyringSettings *settings);
	bool		(*create) (const BkKeyringSettings *settings);
} BkKeySource;

extern const BkKeySource bk_key_source_file;

#endif							/* BK_SOURCE_H */
