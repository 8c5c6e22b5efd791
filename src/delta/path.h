/*
 * path.h
 *		Paths into a document: settings.theme, users[1], ["odd key"].x; the
 *		root is the empty string.
 *
 * A bare key is [A-Za-z_][A-Za-z0-9_-]*; any key may be written ["..."] with
 * JSON's escapes; an index has no leading zero.
 */
#ifndef BK_PATH_H
#define BK_PATH_H

#include "document/document.h"

/*
 * Find the value at a path (UTF-8, not JSON-escaped) below root.  Returns
 * false where the document has no such value; a malformed path fails with
 * check "path".
 */
extern bool bk_path_find(BkTree *tree, BkNodeRef root, BkText path, BkOrigin origin,
						 BkNodeRef *found);

#endif							/* BK_PATH_H */
