/*
 * rebuild.h
 *		Documents out of archives.
 */
#ifndef BK_RECOVER_REBUILD_H
#define BK_RECOVER_REBUILD_H

#include "recover/store.h"

/* A document as it is being rebuilt, at one point or nowhere. */
typedef struct BkRebuild BkRebuild;

extern BkRebuild *bk_rebuild_open(BkMemory memory, BkStore *store);

/*
 * The document of a point, proven to the digest that was taken when it was backed up; good until the next call.  What is
 * damaged or missing is raised as bk_fail() does.  A point that builds on the one before costs its delta alone.
 */
extern BkText bk_rebuild_document(BkRebuild *rebuild, const BkRecoverPoint *point);

#endif							/* BK_RECOVER_REBUILD_H */
