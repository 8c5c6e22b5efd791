/*
 * seal.c
 *		Giving the events of reads their places in the chains.
 */
#include "service/audit.h"

/* How many events are sealed under one hold of a resource's row. */
#define SEAL_BATCH	1000

/* Seal a batch of a locked resource; returns how many. */
static int
seal_batch(BkResource *resource, int64 max)
{
	BkEvent    *events;
	int64	   *ids;
	int			count;

	bk_view_open();
	count = bk_event_find_unsealed(resource->resource_id, Min(max, SEAL_BATCH), &events, &ids);
	bk_view_close();
	/* Nobody else seals while the resource is ours, so all of them are still there. */
	for (int i = 0; i < count; i++)
	{
		bk_audit_append(resource, &events[i]);
		CHECK_FOR_INTERRUPTS();
	}
	bk_event_delete_unsealed(resource->resource_id, ids, count);
	bk_resource_touch(resource, 0);
	return count;
}

/* Seal events of one resource, in memory of its own. */
static int64
seal_resource(const BkCall *call, const char *resource_id, int64 max)
{
	BkMemory	memory = bk_memory_new(call->memory, "backup_service sealing");
	MemoryContext outer = MemoryContextSwitchTo(memory);
	BkResource	resource;
	int			count = 0;

	if (bk_resource_try_lock(resource_id, &resource))
		count = seal_batch(&resource, max);
	MemoryContextSwitchTo(outer);
	bk_memory_delete(memory);
	return count;
}

/* The next resource that has unsealed events, in the memory of the call. */
static char *
next_resource(const char *after)
{
	char	   *resource_id;

	bk_view_open();
	resource_id = bk_event_find_unsealed_resource(after);
	bk_view_close();
	return resource_id;
}

int64
bk_audit_seal_events(const BkCall *call, int64 max_events)
{
	char	   *resource_id = next_resource("");
	int64		sealed = 0;

	while (resource_id != NULL && sealed < max_events)
	{
		int64		count = seal_resource(call, resource_id, max_events - sealed);
		char	   *after = resource_id;

		sealed += count;
		/* A full batch may have left some of the same resource. */
		if (count < SEAL_BATCH)
		{
			resource_id = next_resource(after);
			pfree(after);
		}
	}
	return sealed;
}
