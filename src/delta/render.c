/*
 * render.c
 *		Writing the entries of a delta as canonical text.
 */
#include "delta/diff.h"

typedef struct Renderer
{
	const BkDiff *diff;
	BkBuffer   *buffer;
	uint32	   *chain;			/* the steps of a path, last one first */
	size_t		chain_capacity;
} Renderer;

/* May a key be written without brackets and quotes? */
static bool
is_bare(BkText key)
{
	for (size_t i = 0; i < key.len; i++)
	{
		char		c = key.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
			  (i > 0 && ((c >= '0' && c <= '9') || c == '-'))))
			return false;
	}
	return key.len > 0;
}

/* Append what is canonically escaped already as part of another string. */
static void
append_escaped_again(BkBuffer *buffer, BkText text)
{
	const char *at = text.data;
	const char *end = at + text.len;
	const char *backslash;

	while ((backslash = memchr(at, '\\', end - at)) != NULL)
	{
		bk_buffer_append(buffer, at, backslash - at);
		bk_buffer_append(buffer, "\\\\", 2);
		at = backslash + 1;
		if (*at == '"' || *at == '\\')
		{
			char		escape[2] = {'\\', *at++};

			bk_buffer_append(buffer, escape, 2);
		}
	}
	bk_buffer_append(buffer, at, end - at);
}

/* Append a key as one step of a path inside a JSON string. */
static void
append_key(BkBuffer *buffer, BkKey key, bool first)
{
	if (is_bare(key.text))
	{
		if (!first)
			bk_buffer_append_char(buffer, '.');
		bk_buffer_append_text(buffer, key.text);
		return;
	}
	bk_buffer_append_text(buffer, BK_TEXT("[\\\""));
	if (key.escaped)
		append_escaped_again(buffer, key.text);
	else
		bk_buffer_append_text(buffer, key.text);
	bk_buffer_append_text(buffer, BK_TEXT("\\\"]"));
}

/* Append an index as one step of a path. */
static void
append_index(BkBuffer *buffer, uint32 index)
{
	char		digits[12];
	char	   *at = digits + sizeof(digits);

	*--at = ']';
	do
		*--at = (char) ('0' + index % 10);
	while ((index /= 10) > 0);
	*--at = '[';
	bk_buffer_append(buffer, at, digits + sizeof(digits) - at);
}

/* Append one step: a key where the node has one, else an index. */
static void
append_step(const Renderer *renderer, BkNodeRef node, uint32 index, bool first)
{
	if (renderer->diff->tree->nodes[node].key_len > 0)
		append_key(renderer->buffer, bk_node_key(renderer->diff->tree, node), first);
	else
		append_index(renderer->buffer, index);
}

/* Append the path of an entry as a JSON string. */
static void
append_path(Renderer *renderer, const BkDiffEntry *entry, bool in_old)
{
	const BkDiff *diff = renderer->diff;
	size_t		depth = 0;
	bool		first = true;

	bk_buffer_append_char(renderer->buffer, '"');
	for (uint32 step = entry->step; step != BK_NO_STEP; step = diff->steps[step].above)
	{
		renderer->chain = bk_array_enlarge(diff->memory, renderer->chain, &renderer->chain_capacity,
										   depth + 1, sizeof(uint32));
		renderer->chain[depth++] = step;
	}
	/* the root pair's own step is no part of a path */
	if (depth > 0)
		depth--;
	for (; depth > 0; first = false)
	{
		const BkDiffStep *step = &diff->steps[renderer->chain[--depth]];

		append_step(renderer, step->node, in_old ? step->old_index : step->new_index, first);
	}
	if (entry->step != BK_NO_STEP)
		append_step(renderer, in_old ? entry->old_node : entry->new_node, entry->index, first);
	bk_buffer_append_char(renderer->buffer, '"');
}

/* Append a field of an entry; its name comes with the punctuation around it. */
static void
append_value(const Renderer *renderer, BkText field, BkNodeRef node)
{
	bk_buffer_append_text(renderer->buffer, field);
	bk_buffer_append_text(renderer->buffer, bk_node_slice(renderer->diff->tree, node));
}

/* Append one entry, with its fields in canonical order. */
static void
append_entry(Renderer *renderer, const BkDiffEntry *entry, BkDeltaForm form)
{
	bool		deletion = entry->new_node == BK_NO_NODE;
	bool		addition = entry->old_node == BK_NO_NODE;

	bk_buffer_append_text(renderer->buffer, BK_TEXT("{\"key\": "));
	append_path(renderer, entry, deletion);
	if (addition)
		append_value(renderer, BK_TEXT(", \"value\": "), entry->new_node);
	else if (!deletion)
		append_value(renderer, BK_TEXT(", \"newValue\": "), entry->new_node);
	if (form == BK_DELTA_COMPLETE && deletion)
		append_value(renderer, BK_TEXT(", \"value\": "), entry->old_node);
	if (form == BK_DELTA_COMPLETE && !deletion && !addition)
		append_value(renderer, BK_TEXT(", \"oldValue\": "), entry->old_node);
	bk_buffer_append_char(renderer->buffer, '}');
}

/* Append one of the three lists, up to its last entry. */
static void
append_list(Renderer *renderer, BkText name, const BkDiffEntries *entries, BkDeltaForm form)
{
	bk_buffer_append_text(renderer->buffer, name);
	for (size_t i = 0; i < entries->count && !renderer->buffer->full; i++)
	{
		if (i > 0)
			bk_buffer_append_text(renderer->buffer, BK_TEXT(", "));
		append_entry(renderer, &entries->items[i], form);
		BK_CHECK_INTERRUPTS();
	}
}

bool
bk_diff_render(const BkDiff *diff, BkDeltaForm form, BkBuffer *buffer)
{
	Renderer	renderer = {.diff = diff, .buffer = buffer};

	append_list(&renderer, BK_TEXT("{\"changes\": ["), &diff->changes, form);
	append_list(&renderer, BK_TEXT("], \"additions\": ["), &diff->additions, form);
	append_list(&renderer, BK_TEXT("], \"deletions\": ["), &diff->deletions, form);
	bk_buffer_append_text(buffer, BK_TEXT("]}"));
	bk_free(diff->memory, renderer.chain);
	return !buffer->full;
}
