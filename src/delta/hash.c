/*
 * hash.c
 *		Hashes of values, which find candidates for equality; bytes decide.
 */
#include "delta/diff.h"

/* A test makes it 0, so that all hashes are equal. */
#ifndef BK_HASH_MULTIPLIER
#define BK_HASH_MULTIPLIER	UINT64_C(0x9E3779B97F4A7C15)
#endif

/* Fold a word into a hash. */
static inline uint64
mix(uint64 hash, uint64 word)
{
	hash = (hash ^ word) * BK_HASH_MULTIPLIER;
	return hash ^ (hash >> 32);
}

uint64
bk_hash_bytes(uint64 seed, const char *data, size_t len)
{
	uint64		hash = mix(seed, len);
	uint64		word;

	for (; len >= 8; len -= 8, data += 8)
	{
		memcpy(&word, data, 8);
		hash = mix(hash, word);
	}
	word = 0;
	memcpy(&word, data, len);
	return mix(hash, word);
}

/* Values up to this length are hashed byte by byte when they are asked for, longer ones are prepared. */
#define SHORT_VALUE		256

static inline bool
is_short(const BkDiff *diff, BkNodeRef node)
{
	return diff->tree->nodes[node].len <= SHORT_VALUE;
}

static inline uint64
hash_slice(const BkDiff *diff, BkNodeRef node)
{
	BkText		text = bk_node_slice(diff->tree, node);

	return bk_hash_bytes(0, text.data, text.len);
}

uint64
bk_hash_value(const BkDiff *diff, BkNodeRef node)
{
	return is_short(diff, node) ? hash_slice(diff, node) : diff->hashes[node];
}

/* The hash of a container from those of its children. */
static uint64
hash_container(const BkDiff *diff, BkNodeRef node)
{
	const BkTree *tree = diff->tree;
	uint32		kind = bk_node_kind(tree, node);
	uint64		hash = mix(kind, bk_node_count(tree, node));

	for (BkNodeRef child = bk_node_first(tree, node); child; child = bk_node_next(tree, child))
	{
		if (kind == BK_KIND_OBJECT)
		{
			BkText		key = bk_node_quoted_key(tree, child);

			hash = bk_hash_bytes(hash, key.data, key.len);
		}
		hash = mix(hash, bk_hash_value(diff, child));
	}
	return hash;
}

/* The node after the last one of a value, which is that of its next sibling where it has one. */
static BkNodeRef
end_of_value(const BkTree *tree, BkNodeRef node)
{
	while (bk_node_next(tree, node) == BK_NO_NODE && bk_node_count(tree, node) > 0)
	{
		node = bk_node_first(tree, node);
		while (bk_node_next(tree, node))
			node = bk_node_next(tree, node);
	}
	return bk_node_next(tree, node) ? bk_node_next(tree, node) : node + 1;
}

/*
 * Children come after their container, so going backwards they are done first.
 * What is below a short value is not looked at, and every byte is hashed twice at
 * most, however deep it lies: as a short value, or as a key.
 */
static void
hash_below(BkDiff *diff, BkNodeRef value)
{
	for (BkNodeRef node = end_of_value(diff->tree, value); node-- > value;)
	{
		if (node % 0x1000 == 0)
			BK_CHECK_INTERRUPTS();
		if (is_short(diff, node))
			continue;
		if (bk_node_kind(diff->tree, node) == BK_KIND_SCALAR)
			diff->hashes[node] = hash_slice(diff, node);
		else
			diff->hashes[node] = hash_container(diff, node);
	}
}

void
bk_hash_values(BkDiff *diff, const BkNodeRef *nodes, uint32 count)
{
	if (diff->hashes == NULL)
		diff->hashes = bk_alloc(diff->memory, diff->tree->count * sizeof(uint64));
	for (uint32 i = 0; i < count; i++)
		hash_below(diff, nodes[i]);
}

/*
 * Bytes that are found equal are not looked at again, so only those compared in
 * vain need a budget: of short values, and of long ones made so that their
 * hashes collide.
 */
bool
bk_diff_equal(BkDiff *diff, BkNodeRef a, BkNodeRef b)
{
	BkText		a_text = bk_node_slice(diff->tree, a);

	if (a_text.len != diff->tree->nodes[b].len || a_text.len > diff->vain_budget)
		return false;
	if (!is_short(diff, a) && diff->hashes[a] != diff->hashes[b])
		return false;
	if (bk_text_equal(a_text, bk_node_slice(diff->tree, b)))
		return true;
	diff->vain_budget -= a_text.len;
	return false;
}
