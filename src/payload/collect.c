/*
 * collect.c
 *		Gathers what a pipeline gives.
 */
#include "payload/collect.h"

/* Make room for count bytes more, by doubling. */
static void
grow(BkCollector *collector, size_t count)
{
	size_t		wanted = Max(collector->capacity * 2, collector->len + count);

	wanted = Min(Max(wanted, BK_BUFFER_BYTES), collector->limit);
	collector->data = bk_realloc(collector->memory, collector->data, wanted);
	collector->capacity = wanted;
}

static void
observe(void *state, BkText bytes)
{
	BkCollector *collector = state;

	if (bytes.len > collector->limit - collector->len)
		bk_fail(collector->origin, "size", "there are more than %llu bytes",
				(unsigned long long) collector->limit);
	if (bytes.len > collector->capacity - collector->len)
		grow(collector, bytes.len);
	memcpy(collector->data + collector->len, bytes.data, bytes.len);
	collector->len += bytes.len;
}

BkFilter
bk_collector_tap(BkCollector *collector, BkLayer layer)
{
	return (BkFilter)
	{
		.layer = layer,.observe = observe,.state = collector
	};
}
