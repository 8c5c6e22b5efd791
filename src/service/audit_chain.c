/*
 * audit_chain.c
 *		Walking along a chain of audit events.
 */
#include "service/audit_chain.h"

#include "common/encode.h"
#include "service/audit_digest.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"

/* How many events are read at a time. */
#define WALK_BATCH	1000

/* A backup in a checkpoint: its id and its digest. */
#define ENTRY_BYTES	(8 + BK_DIGEST_BYTES)

/* A backup as the trail has it. */
typedef struct LiveBackup
{
	int64		backup_id;		/* key */
	bool		gone;
	bool		seen;
	uint8		digest[BK_DIGEST_BYTES];
} LiveBackup;

/* What a backup was before; all of it is the key. */
typedef struct OlderBackup
{
	int64		backup_id;
	uint8		digest[BK_DIGEST_BYTES];
} OlderBackup;

struct BkChain
{
	MemoryContext memory;
	const char *resource_id;

	/* what was taken so far */
	int64		number;
	uint8		hash[BK_DIGEST_BYTES];
	char	   *owner;
	bool		end_known;		/* whether the resource was dropped is told by an event */
	bool		dropped;
	HTAB	   *backups;
	HTAB	   *older;
	BkKeyTrail *keys;			/* NULL: it is a resource's */

	/* the checkpoint, and the digest of it that the last trimming left, in hexadecimal */
	BkCheckpoint checkpoint;
	char	   *trimmed_to;

	/* events that were read ahead; the next batch begins with read_from, unless there is none */
	int64		read_from;
	bool		read_all;
	BkMemory	batch_memory;
	BkEvent    *batch;
	int			count;
	int			next;
};

static HTAB *
make_table(MemoryContext memory, const char *name, Size key_size, Size entry_size)
{
	HASHCTL		control = {.keysize = key_size, .entrysize = entry_size, .hcxt = memory};

	return hash_create(name, 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* The backups of a checkpoint. */
static void
read_entries(BkChain *chain, BkText entries)
{
	const uint8 *from = (const uint8 *) entries.data;

	if (entries.len % ENTRY_BYTES != 0)
		chain->checkpoint.malformed = true;
	for (size_t i = 0; i + ENTRY_BYTES <= entries.len; i += ENTRY_BYTES)
	{
		int64		backup_id = bk_get_integer(from + i, 8);
		LiveBackup *live = hash_search(chain->backups, &backup_id, HASH_ENTER, NULL);

		live->gone = false;
		live->seen = false;
		memcpy(live->digest, from + i + 8, BK_DIGEST_BYTES);
	}
}

BkChain *
bk_chain_open(BkMemory memory, const char *resource_id)
{
	BkChain    *chain = bk_alloc_zero(memory, sizeof(BkChain));

	chain->memory = memory;
	chain->resource_id = resource_id;
	/* Not from the checkpoint on: what was added before it would be shown, and never be looked at. */
	chain->read_from = PG_INT64_MIN;
	chain->backups = make_table(memory, "backups of a trail", sizeof(int64), sizeof(LiveBackup));
	chain->older = make_table(memory, "older backups of a trail", sizeof(OlderBackup), sizeof(OlderBackup));
	if (strcmp(resource_id, BK_KEY_CHAIN) == 0)
		chain->keys = bk_key_trail_open(memory);
	if (bk_checkpoint_find(resource_id, &chain->checkpoint))
	{
		chain->number = chain->checkpoint.number;
		memcpy(chain->hash, chain->checkpoint.hash, BK_DIGEST_BYTES);
		chain->owner = pstrdup(chain->checkpoint.owner);
		read_entries(chain, chain->checkpoint.backups);
	}
	return chain;
}

/* A text member of an event's detail; NULL where there is none. */
static char *
detail_text(BkChain *chain, const BkEvent *event, const char *name)
{
	JsonbValue	value;

	if (event->detail == NULL || !JB_ROOT_IS_OBJECT(event->detail) ||
		getKeyJsonValueFromContainer(&event->detail->root, name, strlen(name), &value) == NULL ||
		value.type != jbvString)
		return NULL;
	return MemoryContextStrdup(chain->memory, pnstrdup(value.val.string.val, value.val.string.len));
}

static void
remember_older(BkChain *chain, const LiveBackup *live)
{
	OlderBackup older;

	memset(&older, 0, sizeof(older));
	older.backup_id = live->backup_id;
	memcpy(older.digest, live->digest, BK_DIGEST_BYTES);
	(void) hash_search(chain->older, &older, HASH_ENTER, NULL);
}

/* A backup is different, or gone, from now on. */
static void
replay_backup(BkChain *chain, const BkEvent *event)
{
	bool		found;
	LiveBackup *live = hash_search(chain->backups, &event->backup_id, HASH_ENTER, &found);

	if (found && !live->gone)
		remember_older(chain, live);
	live->gone = event->state == BK_STATE_GONE;
	live->seen = false;
	memcpy(live->digest, event->state_digest, BK_DIGEST_BYTES);
}

/* Let the chain know what an event did. */
static void
replay(BkChain *chain, const BkEvent *event)
{
	if (event->state != BK_STATE_UNTOUCHED)
		replay_backup(chain, event);
	if (chain->keys)
		bk_key_trail_replay(chain->keys, event);
	if (event->number == 1 || strcmp(event->action, "owner_set") == 0 || strcmp(event->action, "drop") == 0)
		chain->end_known = true;
	if (event->number == 1)
		chain->owner = MemoryContextStrdup(chain->memory, event->role);
	else if (strcmp(event->action, "owner_set") == 0)
	{
		chain->owner = detail_text(chain, event, "to");
		chain->dropped = false;
	}
	else if (strcmp(event->action, "drop") == 0 && event->backup_id == 0)
		chain->dropped = true;
	else if (strcmp(event->action, "trim") == 0)
		chain->trimmed_to = detail_text(chain, event, "checkpoint");
	chain->number = event->number;
	memcpy(chain->hash, event->hash, BK_DIGEST_BYTES);
}

/* Is there an event at hand, or one more? */
static bool
read_ahead(BkChain *chain)
{
	MemoryContext outer;

	if (chain->next < chain->count)
		return true;
	if (chain->read_all)
		return false;
	if (chain->batch_memory)
		bk_memory_delete(chain->batch_memory);
	chain->batch_memory = bk_memory_new(chain->memory, "backup_service audit events");
	outer = MemoryContextSwitchTo(chain->batch_memory);
	chain->count = bk_event_find_from(chain->resource_id, chain->read_from, WALK_BATCH, &chain->batch);
	chain->next = 0;
	MemoryContextSwitchTo(outer);
	chain->read_all = chain->count < WALK_BATCH || chain->batch[chain->count - 1].number == PG_INT64_MAX;
	if (!chain->read_all)
		chain->read_from = chain->batch[chain->count - 1].number + 1;
	return chain->count > 0;
}

static BkLink
check_link(const BkChain *chain, const BkEvent *event)
{
	uint8		digest[BK_DIGEST_BYTES];

	if (event->number <= chain->number)
		return BK_LINK_ADDED;
	if (event->number > chain->number + 1)
		return BK_LINK_MISSING;
	bk_event_digest(event, chain->hash, digest);
	if (event->malformed || memcmp(digest, event->hash, BK_DIGEST_BYTES) != 0)
		return BK_LINK_CHANGED;
	return BK_LINK_GOOD;
}

BkLink
bk_chain_next(BkChain *chain, TimestampTz before, int64 *number)
{
	MemoryContext outer;
	BkEvent    *event;
	BkLink		link;

	CHECK_FOR_INTERRUPTS();
	if (!read_ahead(chain) || (before != DT_NOEND && chain->batch[chain->next].at >= before))
		return BK_LINK_NONE;
	event = &chain->batch[chain->next++];
	outer = MemoryContextSwitchTo(chain->batch_memory);
	link = check_link(chain, event);
	*number = link == BK_LINK_MISSING ? chain->number + 1 : event->number;
	if (link != BK_LINK_ADDED)
		replay(chain, event);
	MemoryContextSwitchTo(outer);
	return link;
}

int64
bk_chain_number(const BkChain *chain)
{
	return chain->number;
}

const uint8 *
bk_chain_hash(const BkChain *chain)
{
	return chain->hash;
}

const char *
bk_chain_owner(const BkChain *chain)
{
	return chain->owner;
}

bool
bk_chain_says_dropped(const BkChain *chain, bool dropped)
{
	return !chain->end_known || chain->dropped == dropped;
}

bool
bk_chain_checkpoint_holds(const BkChain *chain)
{
	uint8		digest[BK_DIGEST_BYTES];
	char		hex[BK_DIGEST_BYTES * 2 + 1];

	if (chain->checkpoint.resource_id == NULL)
		return chain->trimmed_to == NULL;
	if (chain->checkpoint.malformed || chain->trimmed_to == NULL)
		return false;
	bk_checkpoint_digest(&chain->checkpoint, digest);
	hex[hex_encode((char *) digest, BK_DIGEST_BYTES, hex)] = '\0';
	return strcmp(hex, chain->trimmed_to) == 0;
}

BkKeyTrail *
bk_chain_keys(const BkChain *chain)
{
	return chain->keys;
}

bool
bk_chain_is_whole(const BkChain *chain)
{
	return chain->checkpoint.resource_id == NULL;
}

static bool
was_so(BkChain *chain, int64 backup_id, const uint8 digest[BK_DIGEST_BYTES])
{
	OlderBackup key;

	memset(&key, 0, sizeof(key));
	key.backup_id = backup_id;
	memcpy(key.digest, digest, BK_DIGEST_BYTES);
	return hash_search(chain->older, &key, HASH_FIND, NULL) != NULL;
}

BkBackupTrail
bk_chain_compare(BkChain *chain, const BkBackup *backup)
{
	LiveBackup *live = hash_search(chain->backups, &backup->backup_id, HASH_FIND, NULL);
	uint8		digest[BK_DIGEST_BYTES];

	if (live == NULL)
		return BK_TRAIL_UNKNOWN;
	live->seen = true;
	if (live->gone)
		return BK_TRAIL_DELETED;
	bk_backup_digest(backup, digest);
	if (memcmp(digest, live->digest, BK_DIGEST_BYTES) == 0)
		return BK_TRAIL_AGREES;
	return was_so(chain, backup->backup_id, digest) ? BK_TRAIL_OLDER : BK_TRAIL_DIFFERS;
}

static int
compare_ids(const void *a, const void *b)
{
	int64		left = *(const int64 *) a;
	int64		right = *(const int64 *) b;

	return (left > right) - (left < right);
}

/* The ids of backups that are not gone, in order; those that were seen left out or not. */
static int
collect_live(BkChain *chain, bool with_seen, int64 **ids)
{
	HASH_SEQ_STATUS scan;
	LiveBackup *live;
	int			count = 0;

	*ids = MemoryContextAllocHuge(chain->memory, sizeof(int64) * Max(hash_get_num_entries(chain->backups), 1));
	hash_seq_init(&scan, chain->backups);
	while ((live = hash_seq_search(&scan)) != NULL)
		if (!live->gone && (with_seen || !live->seen))
			(*ids)[count++] = live->backup_id;
	qsort(*ids, count, sizeof(int64), compare_ids);
	return count;
}

int
bk_chain_unseen(BkChain *chain, int64 **ids)
{
	return collect_live(chain, false, ids);
}

/* What read_entries() reads. */
static BkText
write_entries(BkChain *chain)
{
	int64	   *ids;
	int			count = collect_live(chain, true, &ids);
	uint8	   *entries = bk_alloc(chain->memory, (size_t) count * ENTRY_BYTES);
	uint8	   *to = entries;

	for (int i = 0; i < count; i++)
	{
		LiveBackup *live = hash_search(chain->backups, &ids[i], HASH_FIND, NULL);

		to = bk_put_integer(to, ids[i], 8);
		to = bk_put_bytes(to, live->digest, BK_DIGEST_BYTES);
	}
	return (BkText) {(char *) entries, to - entries};
}

void
bk_chain_make_checkpoint(BkChain *chain, BkCheckpoint *checkpoint)
{
	memset(checkpoint, 0, sizeof(*checkpoint));
	checkpoint->resource_id = chain->resource_id;
	checkpoint->number = chain->number;
	memcpy(checkpoint->hash, chain->hash, BK_DIGEST_BYTES);
	checkpoint->owner = chain->owner ? chain->owner : "";
	checkpoint->backups = write_entries(chain);
}
