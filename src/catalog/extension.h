/*
 * extension.h
 *		The extension itself, as this database has it.
 */
#ifndef BK_EXTENSION_H
#define BK_EXTENSION_H

#include "common/common.h"

#include "storage/lockdefs.h"

typedef struct BkExtension
{
	Oid			oid;
	Oid			owner;
	char	   *version;		/* of its SQL; the library's own is BK_VERSION */
} BkExtension;

/* False where the database does not have it. */
extern bool bk_extension_find(BkExtension *extension);

/*
 * Keep the extension as it is until the end of the transaction: batches of the worker take
 * AccessShareLock, DROP EXTENSION and ALTER EXTENSION AccessExclusiveLock.  With wait false, false
 * where that cannot be had at once.
 */
extern bool bk_extension_lock(Oid extension, LOCKMODE mode, bool wait);

#endif							/* BK_EXTENSION_H */
