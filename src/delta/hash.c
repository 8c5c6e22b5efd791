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

/* The hash of a container from those of its children. */
static uint64
hash_container(const BkTree *tree, BkNodeRef node, const uint64 *hashes)
{
	uint32		kind = bk_node_kind(tree, node);
	uint64		hash = mix(kind, bk_node_count(tree, node));

	for (BkNodeRef child = bk_node_first(tree, node); child; child = bk_node_next(tree, child))
	{
		if (kind == BK_KIND_OBJECT)
		{
			BkText		key = bk_node_quoted_key(tree, child);

			hash = bk_hash_bytes(hash, key.data, key.len);
		}
		hash = mix(hash, hashes[child]);
	}
	return hash;
}

/*
 * Children come after their container, so going backwards they are done first,
 * and every byte is hashed once however deep it lies.
 */
uint64 *
bk_hash_nodes(BkMemory memory, const BkTree *tree)
{
	uint64	   *hashes = bk_alloc(memory, tree->count * sizeof(uint64));

	for (size_t i = tree->count; i-- > 1;)
	{
		BkNodeRef	node = (BkNodeRef) i;

		if (bk_node_kind(tree, node) == BK_KIND_SCALAR)
		{
			BkText		text = bk_node_slice(tree, node);

			hashes[node] = bk_hash_bytes(0, text.data, text.len);
		}
		else
			hashes[node] = hash_container(tree, node, hashes);
		if (i % 0x1000 == 0)
			BK_CHECK_INTERRUPTS();
	}
	return hashes;
}

/*
 * Bytes that are found equal are not looked at again, so only those compared in
 * vain (values made so that their hashes collide) need a budget.
 */
bool
bk_diff_equal(BkDiff *diff, BkNodeRef a, BkNodeRef b)
{
	BkText		a_text = bk_node_slice(diff->tree, a);

	if (diff->hashes[a] != diff->hashes[b] || a_text.len > diff->vain_budget)
		return false;
	if (bk_text_equal(a_text, bk_node_slice(diff->tree, b)))
		return true;
	diff->vain_budget -= a_text.len;
	return false;
}
