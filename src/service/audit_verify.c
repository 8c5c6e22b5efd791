/*
 * audit_verify.c
 *		Does the trail hold, and is the catalog what it says?
 */
#include "service/audit_verify.h"

#include "catalog/resource.h"
#include "service/audit_chain.h"
#include "service/audit_walk.h"

/* How many backups are compared at a time. */
#define COMPARE_BATCH	1000

/* One chain's verification. */
typedef struct Verification
{
	const BkAuditReport *report;
	const char *resource_id;
	BkChain    *chain;
} Verification;

static void
tell(const Verification *verification, int64 number, int64 backup_id, const char *problem)
{
	BkAuditProblem found = {
		.resource_id = verification->resource_id,
		.number = number,
		.backup_id = backup_id,
		.problem = problem,
	};

	verification->report->tell(verification->report->context, &found);
}

/* Does the resource's row end the chain where its events end? */
static void
compare_end(const Verification *verification, const BkResource *resource)
{
	int64		number = bk_chain_number(verification->chain);

	if (resource->audit_number > number)
		tell(verification, number + 1, 0,
			 psprintf("events are missing: the resource's row ends the chain at event " INT64_FORMAT,
					  resource->audit_number));
	else if (resource->audit_number < number)
		tell(verification, resource->audit_number + 1, 0, "the resource's row was put back from an older copy, or events were added");
	else if (memcmp(resource->audit_hash, bk_chain_hash(verification->chain), BK_DIGEST_BYTES) != 0)
		tell(verification, number, 0, "the resource's row ends the chain with another hash");
}

static void
compare_owner(const Verification *verification, const BkResource *resource)
{
	const char *owner = bk_chain_owner(verification->chain);

	if (owner == NULL || strcmp(owner, resource->owner) != 0)
		tell(verification, 0, 0, psprintf("the resource's owner was changed from \"%s\" to \"%s\"",
										  owner ? owner : "", resource->owner));
}

static void
compare_drop(const Verification *verification, const BkResource *resource)
{
	if (!bk_chain_says_dropped(verification->chain, resource->dropped))
		tell(verification, 0, 0, resource->dropped ? "the resource was marked as dropped, and is not"
			 : "the resource was dropped, and its row says that it is not");
}

static void
compare_backup(const Verification *verification, const BkBackup *backup)
{
	switch (bk_chain_compare(verification->chain, backup))
	{
		case BK_TRAIL_AGREES:
			return;
		case BK_TRAIL_OLDER:
			tell(verification, 0, backup->backup_id, "the backup was put back from an older copy");
			return;
		case BK_TRAIL_DELETED:
			tell(verification, 0, backup->backup_id, "the backup was put back after it was deleted");
			return;
		case BK_TRAIL_DIFFERS:
			tell(verification, 0, backup->backup_id, "the backup's row was changed");
			return;
		case BK_TRAIL_UNKNOWN:
			tell(verification, 0, backup->backup_id, "the backup was added or moved here");
			return;
	}
}

static void
compare_present(const Verification *verification, BkMemory memory)
{
	int64		next = PG_INT64_MIN;
	bool		more;

	do
	{
		BkMemory	batch_memory = bk_memory_new(memory, "backup_service audit batch");
		MemoryContext outer = MemoryContextSwitchTo(batch_memory);
		BkBackup   *backups;
		int			count = bk_backup_find_from(verification->resource_id, next, COMPARE_BATCH, &backups);

		for (int i = 0; i < count; i++)
			compare_backup(verification, &backups[i]);
		more = count == COMPARE_BATCH && backups[count - 1].backup_id < PG_INT64_MAX;
		if (more)
			next = backups[count - 1].backup_id + 1;
		MemoryContextSwitchTo(outer);
		bk_memory_delete(batch_memory);
		CHECK_FOR_INTERRUPTS();
	} while (more);
}

static void
tell_missing(const Verification *verification, int64 backup_id)
{
	char	   *elsewhere = bk_backup_elsewhere(backup_id, verification->resource_id);

	tell(verification, 0, backup_id,
		 elsewhere ? psprintf("the backup was moved to resource \"%s\"", elsewhere) : "the backup was removed");
}

static void
compare_catalog(const Verification *verification, BkMemory memory)
{
	BkResource	resource;
	int64	   *missing;
	int			count;

	if (strcmp(verification->resource_id, BK_KEY_CHAIN) == 0)
		return;
	if (!bk_resource_find(verification->resource_id, &resource))
	{
		tell(verification, 0, 0, "the resource's row was removed");
		return;
	}
	compare_end(verification, &resource);
	compare_owner(verification, &resource);
	compare_drop(verification, &resource);
	compare_present(verification, memory);
	count = bk_chain_unseen(verification->chain, &missing);
	for (int i = 0; i < count; i++)
		tell_missing(verification, missing[i]);
}

static void
tell_key(void *context, const char *problem)
{
	tell(context, 0, 0, problem);
}

/* What is said of keys by a chain that was tampered with means nothing. */
static void
compare_keys(Verification *verification, bool sound)
{
	if (sound && bk_chain_keys(verification->chain))
		bk_key_trail_compare(bk_chain_keys(verification->chain), bk_chain_is_whole(verification->chain), tell_key, verification);
}

static void
tell_broken(const Verification *verification, const BkBrokenLink *broken)
{
	switch (broken->link)
	{
		case BK_LINK_GOOD:
			if (!broken->checkpoint_holds)
				tell(verification, broken->number, 0, "the checkpoint was removed or changed");
			return;
		case BK_LINK_MISSING:
			tell(verification, broken->number, 0, "the event is missing");
			return;
		case BK_LINK_CHANGED:
			tell(verification, broken->number, 0, "the event was changed");
			return;
		case BK_LINK_ADDED:
			tell(verification, broken->number, 0,
				 psprintf("event " INT64_FORMAT " was added before the beginning of the chain", broken->number));
			return;
		case BK_LINK_NONE:
			return;
	}
}

/* Verify one chain, in memory of its own. */
static void
verify_chain(const char *resource_id, void *argument)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service audit chain");
	MemoryContext outer = MemoryContextSwitchTo(memory);
	Verification verification = {.report = argument, .resource_id = resource_id};
	BkBrokenLink broken;
	bool		sound;

	verification.chain = bk_chain_open(memory, resource_id);
	sound = bk_chain_walk(verification.chain, &broken);
	tell_broken(&verification, &broken);
	compare_keys(&verification, sound);
	compare_catalog(&verification, memory);
	MemoryContextSwitchTo(outer);
	bk_memory_delete(memory);
}

static void
check_chain(const char *resource_id)
{
	if (strcmp(resource_id, BK_KEY_CHAIN) == 0 || bk_event_has_chain(resource_id))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("there is no audit trail of resource \"%s\"", resource_id),
			 errhint("SELECT DISTINCT resource_id FROM bk_audit shows the resources that have one.")));
}

void
bk_audit_verify_chains(const BkCall *call, const char *resource_id, const BkAuditReport *report)
{
	/* One view for all, so that what commits meanwhile looks like nothing. */
	bk_view_open();
	if (resource_id)
	{
		check_chain(resource_id);
		verify_chain(resource_id, (void *) report);
	}
	else
	{
		verify_chain(BK_KEY_CHAIN, (void *) report);
		bk_chain_for_each(call, verify_chain, (void *) report);
	}
	bk_view_close();
}
