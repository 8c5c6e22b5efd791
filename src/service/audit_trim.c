/*
 * audit_trim.c
 *		Removing the beginnings of chains.
 */
#include "service/audit_verify.h"

#include "catalog/key.h"
#include "catalog/resource.h"
#include "service/audit.h"
#include "service/audit_digest.h"
#include "service/audit_walk.h"
#include "service/json_text.h"
#include "utils/builtins.h"

typedef struct Trimming
{
	const BkCall *call;
	TimestampTz before;
	int64		trimmed;		/* events, of all chains */
} Trimming;

/* Is the chain's end where the resource's row has it?  The keys' chain (NULL) has no such row. */
static bool
ends_as_known(const BkChain *chain, const BkResource *resource)
{
	return resource == NULL ||
		(resource->audit_number == bk_chain_number(chain) &&
		 memcmp(resource->audit_hash, bk_chain_hash(chain), BK_DIGEST_BYTES) == 0);
}

/* What does not verify must not lose its evidence. */
static void
check_whole(const char *resource_id, const BkResource *resource)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service audit check");
	BkChain    *chain;
	BkBrokenLink broken;

	bk_view_open();
	chain = bk_chain_open(memory, resource_id);
	if (!bk_chain_walk(chain, &broken) || !ends_as_known(chain, resource))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 resource ? errmsg("the audit trail of resource \"%s\" does not verify", resource_id)
				 : errmsg("the audit trail of keys does not verify"),
				 errhint("SELECT * FROM bk_audit_verify() says how; nothing is trimmed before that is understood.")));
	bk_view_close();
	bk_memory_delete(memory);
}

/* What a chain goes on from once its events before the time are gone; false where it has none such. */
static bool
find_checkpoint(const char *resource_id, TimestampTz before, BkCheckpoint *checkpoint)
{
	BkChain    *chain;
	int64		start;
	int64		number;

	bk_view_open();
	chain = bk_chain_open(CurrentMemoryContext, resource_id);
	start = bk_chain_number(chain);
	while (bk_chain_next(chain, before, &number) != BK_LINK_NONE)
		;
	bk_chain_make_checkpoint(chain, checkpoint);
	bk_view_close();
	return checkpoint->number > start;
}

/* The event that vouches for the checkpoint. */
static Jsonb *
describe_checkpoint(const BkCheckpoint *checkpoint)
{
	uint8		digest[BK_DIGEST_BYTES];
	char		hex[BK_DIGEST_BYTES * 2 + 1];
	StringInfoData json;

	bk_checkpoint_digest(checkpoint, digest);
	hex[hex_encode((char *) digest, BK_DIGEST_BYTES, hex)] = '\0';
	bk_json_begin(&json);
	bk_json_add_int64(&json, "until", checkpoint->number);
	bk_json_add_text(&json, "checkpoint", hex);
	bk_json_end(&json);
	return bk_json_value(&json);
}

/* Add it to the chain, which nobody else changes now. */
static void
append(Trimming *trimming, BkResource *resource, Jsonb *detail)
{
	if (resource == NULL)
	{
		bk_audit_catalog(trimming->call, "trim", detail);
		return;
	}
	bk_audit_resource(trimming->call, resource, "trim", 0, detail);
	bk_resource_touch(resource, 0);
}

/* Trim a chain that is locked; resource is NULL for that of the keys. */
static void
trim_locked(Trimming *trimming, const char *resource_id, BkResource *resource)
{
	BkCheckpoint checkpoint;

	check_whole(resource_id, resource);
	if (!find_checkpoint(resource_id, trimming->before, &checkpoint))
		return;
	/* Before anything goes, so that it follows the chain's last event even where that is trimmed too. */
	append(trimming, resource, describe_checkpoint(&checkpoint));
	bk_checkpoint_set(&checkpoint);
	trimming->trimmed += bk_event_delete_until(resource_id, checkpoint.number);
}

/* A chain that has nothing to trim is not locked, so that its writers do not wait for all the others. */
static bool
begins_before(const char *resource_id, TimestampTz before)
{
	BkEvent    *first;
	int			count;

	bk_view_open();
	count = bk_event_find_from(resource_id, PG_INT64_MIN, 1, &first);
	bk_view_close();
	return count == 1 && (before == DT_NOEND || first->at < before);
}

static void
lock_and_trim(Trimming *trimming, const char *resource_id)
{
	BkResource	resource;

	if (strcmp(resource_id, BK_KEY_CHAIN) == 0)
	{
		bk_key_lock();
		trim_locked(trimming, resource_id, NULL);
	}
	else if (bk_resource_lock(resource_id, &resource))
		trim_locked(trimming, resource_id, &resource);
}

/* Trim one chain, in memory of its own. */
static void
trim_chain(const char *resource_id, void *argument)
{
	Trimming   *trimming = argument;
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service audit chain");
	MemoryContext outer = MemoryContextSwitchTo(memory);

	if (begins_before(resource_id, trimming->before))
		lock_and_trim(trimming, resource_id);
	MemoryContextSwitchTo(outer);
	bk_memory_delete(memory);
}

int64
bk_audit_trim_events(const BkCall *call, TimestampTz before)
{
	Trimming	trimming = {.call = call, .before = before};

	bk_view_open();
	bk_chain_for_each(call, trim_chain, &trimming);
	/* The keys' chain comes last: who re-wraps data keys has resources locked when he adds his event. */
	trim_chain(BK_KEY_CHAIN, &trimming);
	bk_view_close();
	return trimming.trimmed;
}
