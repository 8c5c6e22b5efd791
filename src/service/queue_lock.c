/*
 * queue_lock.c
 *		Session locks on operations.
 */
#include "service/queue_lock.h"

#include "storage/lock.h"

/* The fourth field of an advisory lock's tag; users' locks have 1 and 2. */
#define BK_LOCK_CLASS	0x424b

static int64 held;				/* 0: none */

static LOCKTAG
tag_of(int64 operation_id)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (operation_id >> 32), (uint32) operation_id, BK_LOCK_CLASS);
	return tag;
}

bool
bk_queue_lock_take(int64 operation_id)
{
	LOCKTAG		tag = tag_of(operation_id);

	if (held == operation_id)
		return true;
	bk_queue_lock_release();
	if (LockAcquire(&tag, ExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	held = operation_id;
	return true;
}

void
bk_queue_lock_release(void)
{
	LOCKTAG		tag = tag_of(held);

	if (held == 0)
		return;
	(void) LockRelease(&tag, ExclusiveLock, true);
	held = 0;
}
