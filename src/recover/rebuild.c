/*
 * rebuild.c
 *		Follows a chain to its full backup, and applies its deltas on the way back.
 */
#include "recover/rebuild.h"

#include "delta/delta.h"
#include "document/buffer.h"
#include "payload/digest.h"

/* A chain's link: its payload, and the copy that it is from. */
typedef struct Link
{
	const BkRecoverPoint *point;
	const BkCopy *copy;
	BkText		payload;
} Link;

struct BkRebuild
{
	BkMemory	parent;
	BkStore    *store;
	BkDek	   *dek;			/* of the point that is asked for, and of what it builds on */
	BkDek	   *base_dek;

	/* where it is */
	const BkRecoverPoint *at;	/* NULL: nowhere */
	BkMemory	memory;			/* of all below; payloads outlive the tree, which has slices of them */
	BkTree	   *tree;
	BkNodeRef	root;

	/* the chain that is being followed, from its end */
	Link	   *links;
	size_t		room;
	int			count;
};

BkRebuild *
bk_rebuild_open(BkMemory memory, BkStore *store)
{
	BkRebuild  *rebuild = bk_alloc_zero(memory, sizeof(*rebuild));

	rebuild->parent = memory;
	rebuild->store = store;
	rebuild->dek = bk_alloc_secret(memory, sizeof(BkDek));
	rebuild->base_dek = bk_alloc_secret(memory, sizeof(BkDek));
	return rebuild;
}

static void
leave(BkRebuild *rebuild)
{
	if (rebuild->memory)
		bk_memory_delete(rebuild->memory);
	rebuild->memory = NULL;
	rebuild->at = NULL;
}

/* Take a copy's payload; false, with *error, where it is damaged. */
static bool
take_copy(BkRebuild *rebuild, Link *link, const BkCopy *copy, BkDek *dek, BkError *error)
{
	volatile bool sound = false;

	link->copy = copy;
	BK_TRY
	{
		link->payload = bk_store_payload(rebuild->store, rebuild->memory, copy, dek);
		sound = true;
	}
	BK_CATCH
	{
		*error = bk_last_error;
	}
	BK_END_TRY;
	return sound;
}

/* The first copy that is sound; the last one's error where none is. */
static void
load(BkRebuild *rebuild, Link *link, BkDek *dek)
{
	BkError		error;

	for (int i = 0; i < link->point->count && link->point->copies[i].entry.is_backup; i++)
		if (take_copy(rebuild, link, &link->point->copies[i], dek, &error))
			return;
	bk_fail((BkOrigin) {link->point->backup_id}, error.check, "%s", error.message);
}

static BkOrigin
origin_of(const Link *link)
{
	return (BkOrigin) {link->point->backup_id};
}

static void
add_link(BkRebuild *rebuild, const BkRecoverPoint *point)
{
	rebuild->links = bk_array_enlarge(rebuild->parent, rebuild->links, &rebuild->room, rebuild->count + 1, sizeof(Link));
	rebuild->links[rebuild->count] = (Link) {.point = point};
	load(rebuild, &rebuild->links[rebuild->count], rebuild->count == 0 ? rebuild->dek : rebuild->base_dek);
	rebuild->count++;
}

/* What a link builds on.  Bases are older, so that following them ends. */
static const BkRecoverPoint *
base_of(const BkRebuild *rebuild, const Link *link)
{
	const BkArchiveEntry *entry = &link->copy->entry;
	const BkRecoverPoint *base = bk_store_find(rebuild->store, entry->header.resource_id, entry->header.base_id,
											   entry->base_created_at);

	if (base == NULL || base->created_at >= link->point->created_at)
		bk_fail(origin_of(link), "chain", "its base, backup %lld, is in none of the archives", (long long) entry->header.base_id);
	return base;
}

/* Go down the chain to where the document stands already, or to a full backup. */
static void
follow(BkRebuild *rebuild, const BkRecoverPoint *point, bool stands)
{
	const BkRecoverPoint *here = stands ? rebuild->at : NULL;

	rebuild->count = 0;
	for (;;)
	{
		const Link *link;

		add_link(rebuild, point);
		link = &rebuild->links[rebuild->count - 1];
		if (link->copy->entry.header.base_id == 0)
			return;
		point = base_of(rebuild, link);
		if (point == here)
			return;
	}
}

/* Go up again. */
static void
apply(BkRebuild *rebuild)
{
	for (int i = rebuild->count - 1; i >= 0; i--)
	{
		const Link *link = &rebuild->links[i];

		if (link->copy->entry.header.base_id == 0)
		{
			rebuild->tree = bk_tree_new(rebuild->memory);
			rebuild->root = bk_tree_parse(rebuild->tree, link->payload, origin_of(link));
		}
		else
			bk_delta_apply(rebuild->tree, &rebuild->root, link->payload, origin_of(link));
	}
}

/* Does the point build on where we are?  Any of its copies may say so; the one that is used decides. */
static bool
may_go_on(const BkRebuild *rebuild, const BkRecoverPoint *point)
{
	const BkPayloadHeader *header = &point->copies[0].entry.header;

	return rebuild->at != NULL && header->base_id == rebuild->at->backup_id
		&& point->copies[0].entry.base_created_at == rebuild->at->created_at
		&& bk_text_equal(point->resource_id, rebuild->at->resource_id);
}

/* The whole document's digest is under the data key of the point itself. */
static void
check_document(BkRebuild *rebuild, BkText text)
{
	const Link *link = &rebuild->links[0];
	const BkPayloadHeader *header = &link->copy->entry.header;
	uint8		digest[BK_DIGEST_BYTES];

	if ((int64) text.len != header->document_size)
		bk_fail(origin_of(link), "document", "the rebuilt document has %zu bytes instead of %lld", text.len,
				(long long) header->document_size);
	bk_document_digest(rebuild->dek, text, digest);
	if (!bk_digest_equal(digest, header->document_digest))
		bk_fail(origin_of(link), "document", "the rebuilt document's digest is not the one of the document that was backed up");
}

BkText
bk_rebuild_document(BkRebuild *rebuild, const BkRecoverPoint *point)
{
	bool		stands = may_go_on(rebuild, point);
	BkText		text;

	if (!stands)
	{
		leave(rebuild);
		rebuild->memory = bk_memory_new(rebuild->parent, "document");
	}
	follow(rebuild, point, stands);
	/* an error half-way leaves a tree that is nobody's */
	rebuild->at = NULL;
	apply(rebuild);
	text = bk_tree_text(rebuild->tree, rebuild->root);
	check_document(rebuild, text);
	rebuild->at = point;
	return text;
}
