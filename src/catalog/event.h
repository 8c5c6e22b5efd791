/*
 * event.h
 *		The tables audit_event, where each row is a link of a chain, and
 *		audit_unsealed, where events of reads wait for their place in one.
 */
#ifndef BK_CATALOG_EVENT_H
#define BK_CATALOG_EVENT_H

#include "catalog/statement.h"
#include "common/backup_types.h"
#include "datatype/timestamp.h"
#include "utils/jsonb.h"

/* The chain of what happens to keys and policies, which are no resource's. */
#define BK_KEY_CHAIN	""

/* What an event says of its backup. */
typedef enum BkEventState
{
	BK_STATE_UNTOUCHED,			/* nothing: it was read, or there is none */
	BK_STATE_IS,				/* its row is so now */
	BK_STATE_GONE				/* it is no more */
} BkEventState;

typedef struct BkEvent
{
	/* place; a number of 0 for an event that is in no chain yet */
	const char *resource_id;
	int64		number;
	uint8		hash[BK_DIGEST_BYTES];

	/* what */
	TimestampTz at;
	const char *action;
	const char *outcome;
	int64		backup_id;		/* 0: none */
	BkEventState state;
	uint8		state_digest[BK_DIGEST_BYTES];	/* where state is BK_STATE_IS */
	Jsonb	   *detail;			/* NULL: none */

	/* who */
	const char *session_role;
	const char *role;
	const char *application;
	const char *client;			/* NULL: by a local socket, or no client at all */

	/* a row that was tampered with may hold what is never written */
	bool		malformed;
} BkEvent;

/* The columns and values of an event beside its backup, for statements that insert it with something else. */
#define BK_EVENT_COLUMNS \
	"number, at, action, outcome, session_role, role, application, client, state, detail, hash"
#define BK_EVENT_NARGS		11
#define BK_EVENT_TYPES \
	INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, BYTEAOID, JSONBOID, BYTEAOID

extern void bk_event_add_values(BkValues *values, const BkEvent *event);

/*
 * Add a link.  False where the chain has one of that number already, by another
 * session that has committed meanwhile; at REPEATABLE READ and above that is 40001.
 */
extern bool bk_event_insert(const BkEvent *event);

/* Where a chain's rows end; false where it has none. */
extern bool bk_event_find_last(const char *resource_id, int64 *number, uint8 hash[BK_DIGEST_BYTES]);

/* The links from a number on, in order, in a view; at most limit. */
extern int	bk_event_find_from(const char *resource_id, int64 number, int limit, BkEvent **events);

/* Remove the links up to a number, and say how many. */
extern int64 bk_event_delete_until(const char *resource_id, int64 number);

/* Add the event of a read. */
extern void bk_event_insert_unsealed(const BkEvent *event);

/* The first resource after one ("": from the first) that has unsealed events, in a view; NULL where none has. */
extern char *bk_event_find_unsealed_resource(const char *after);

/* How many are unsealed, counted up to limit, and since when one of these is, in a view. */
extern int64 bk_event_count_unsealed(int limit, TimestampTz *oldest);

/* The oldest unsealed events of reads of a resource, and their ids, in a view; at most limit. */
extern int	bk_event_find_unsealed(const char *resource_id, int limit, BkEvent **events, int64 **ids);

/* Remove unsealed events, and say how many there were. */
extern int64 bk_event_delete_unsealed(const char *resource_id, const int64 *ids, int count);

/* Is there a chain, a checkpoint, a row or a backup of this resource_id, in a view? */
extern bool bk_event_has_chain(const char *resource_id);

/* The first such resource_id after one, in a view; NULL where there is none. */
extern char *bk_event_find_chain(const char *after);

#endif							/* BK_CATALOG_EVENT_H */
