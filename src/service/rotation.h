/*
 * rotation.h
 *		Changing master keys: a new version, the data keys moved to it, the old
 *		one retired.
 */
#ifndef BK_ROTATION_H
#define BK_ROTATION_H

#include "catalog/key.h"
#include "service/call.h"

/*
 * Make the next version active; returns it.  That the active one is lost must be said, since the new one is then added
 * to a source which may be the wrong one; 55000 where it is not lost.
 */
extern int32 bk_rotate_key(const BkCall *call, bool is_lost);

/*
 * Re-wrap the data keys of at most max_backups backups to the active version.
 * Resources that another session is writing are left for the next time, as is
 * what cannot be unwrapped, with a WARNING.  Returns how many were re-wrapped.
 */
extern int64 bk_rekey_backups(const BkCall *call, int64 max_backups);

/* 42704 for an unknown version, 55006 for one that is needed. */
extern void bk_retire_key(const BkCall *call, int32 version);
extern void bk_note_key_copied(const BkCall *call, int32 version);

/* Whether a version can be had now; *problem says why not. */
extern bool bk_key_is_available(const BkCall *call, const BkKeyVersion *version, char **problem);

#endif							/* BK_ROTATION_H */
