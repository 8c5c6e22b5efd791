/*
 * filter.c
 *		The pipeline: drives a list of filters over fixed buffers.
 */
#include "payload/filter.h"

#define MAX_FILTERS		8

struct BkPipeline
{
	int			count;
	size_t		buffer_bytes;
	BkFilter	filters[MAX_FILTERS];
	uint8	   *buffers[MAX_FILTERS];	/* NULL behind a tap */
};

/* The legal combinations: one callback each, layers in one direction, a tap last. */
static void
assert_legal(const BkFilter *filters pg_attribute_unused(), int count)
{
	bool		upward = true;
	bool		downward = true;

	Assert(count > 0 && count <= MAX_FILTERS);
	Assert(filters[count - 1].observe != NULL);
	for (int i = 0; i < count; i++)
	{
		Assert((filters[i].process == NULL) != (filters[i].observe == NULL));
		if (i > 0)
		{
			upward = upward && filters[i].layer >= filters[i - 1].layer;
			downward = downward && filters[i].layer <= filters[i - 1].layer;
		}
	}
	Assert(upward || downward);
	(void) upward;
	(void) downward;
}

BkPipeline *
bk_pipeline_new(BkMemory memory, const BkFilter *filters, int count, size_t buffer_bytes)
{
	BkPipeline *pipeline = bk_alloc_zero(memory, sizeof(*pipeline));

	assert_legal(filters, count);
	Assert(buffer_bytes > 0 && buffer_bytes <= INT32_MAX / 2);
	pipeline->count = count;
	pipeline->buffer_bytes = buffer_bytes;
	memcpy(pipeline->filters, filters, sizeof(*filters) * count);
	for (int i = 0; i < count; i++)
		if (filters[i].process)
			pipeline->buffers[i] = bk_alloc_secret(memory, buffer_bytes);
	return pipeline;
}

static void feed(BkPipeline *pipeline, int index, BkText bytes, bool last);

/* Run one transforming filter until it has taken all of in and given all it can. */
static void
transform(BkPipeline *pipeline, int index, BkText in, bool last)
{
	const BkFilter *filter = &pipeline->filters[index];
	uint8	   *buffer = pipeline->buffers[index];
	bool		done = false;
	bool		filled;

	do
	{
		BkSpace		out = {buffer, pipeline->buffer_bytes};
		BkText		given = {(const char *) buffer, 0};
		size_t		before = in.len;

		BK_CHECK_INTERRUPTS();
		done = filter->process(filter->state, &in, &out, last);
		given.len = pipeline->buffer_bytes - out.len;
		filled = out.len == 0;
		if (given.len == 0 && in.len == before && !done && (last || in.len > 0))
			bk_fail_library("backup_service", "filter", "a filter does not move on");
		if (given.len > 0 || done)
			feed(pipeline, index + 1, given, done);
	} while (last ? !done : in.len > 0 || filled);
}

/* Hand bytes to the filter at index, and so to all after it; no deeper than there are filters. */
static void
feed(BkPipeline *pipeline, int index, BkText bytes, bool last)
{
	const BkFilter *filter = &pipeline->filters[index];

	if (index == pipeline->count)
		return;
	if (filter->process)
	{
		transform(pipeline, index, bytes, last);
		return;
	}
	if (bytes.len > 0)
		filter->observe(filter->state, bytes);
	feed(pipeline, index + 1, bytes, last);
}

void
bk_pipeline_push(BkPipeline *pipeline, BkText bytes, bool last)
{
	/* a filter may do better with all of it; what is only seen is seen while it is in the processor's cache */
	size_t		most = pipeline->filters[0].process ? SIZE_MAX : pipeline->buffer_bytes;

	do
	{
		BkText		slice = {bytes.data, Min(bytes.len, most)};

		BK_CHECK_INTERRUPTS();
		bytes.data += slice.len;
		bytes.len -= slice.len;
		feed(pipeline, 0, slice, last && bytes.len == 0);
	} while (bytes.len > 0);
}

void
bk_filter_copy(BkText *in, BkSpace *out)
{
	size_t		count = Min(in->len, out->len);

	if (count == 0)
		return;
	memcpy(out->data, in->data, count);
	in->data += count;
	in->len -= count;
	out->data += count;
	out->len -= count;
}
