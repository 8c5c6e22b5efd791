/*
 * apply.c
 *		Applying a delta to a tree.
 */
#include "delta/delta.h"
#include "delta/step.h"

typedef struct Apply
{
	BkTree	   *tree;
	BkNodeRef  *root;
	BkOrigin	origin;
	BkMemory	scratch;		/* paths; freed at the end */

	/* the entry at hand */
	const char *list;			/* changes, additions or deletions */
	uint32		number;
	BkText		path;
	BkNodeRef	value;			/* what it puts there */
	BkNodeRef	old_value;		/* what it expects there, or BK_NO_NODE */
} Apply;

/* Where in the document an entry's last step leads. */
typedef struct Place
{
	BkNodeRef	parent;			/* BK_NO_NODE: the root's place */
	uint32		position;		/* of the child, or where it would go */
	BkNodeRef	node;			/* BK_NO_NODE: there is none */
	BkKey		key;			/* where parent is an object */
} Place;

/* The three lists of a delta; BK_NO_NODE where one is missing. */
typedef struct Lists
{
	BkNodeRef	changes;
	BkNodeRef	additions;
	BkNodeRef	deletions;
} Lists;

BK_NORETURN static void fail_entry(const Apply *apply, const char *problem);

/* Raise that the entry at hand is wrong. */
static void
fail_entry(const Apply *apply, const char *problem)
{
	char		shown[BK_PATH_SHOWN];

	if (apply->path.data == NULL)
		bk_fail(apply->origin, "delta", "%s[%u]: %s", apply->list, apply->number, problem);
	bk_fail(apply->origin, "delta", "%s[%u], path \"%s\": %s", apply->list, apply->number,
			bk_path_show(shown, apply->path), problem);
}

/* Has a member this key?  name needs no escapes. */
static bool
key_is(const BkTree *tree, BkNodeRef member, const char *name)
{
	BkText		key = bk_node_key(tree, member).text;

	return key.len == strlen(name) && memcmp(key.data, name, key.len) == 0;
}

/* The path in an entry's "key": a JSON string, which has escapes if the path has. */
static BkText
read_path(const Apply *apply, BkNodeRef node)
{
	BkText		text = bk_node_slice(apply->tree, node);
	char	   *plain;

	if (text.data[0] != '"')
		fail_entry(apply, "\"key\" is not a string");
	text = (BkText) {text.data + 1, text.len - 2};
	if (memchr(text.data, '\\', text.len) == NULL)
		return text;
	plain = bk_alloc(apply->scratch, text.len);
	return (BkText) {plain, bk_unescape(plain, text)};
}

/*
 * Take an entry apart.  value_name is the field that it puts into the document,
 * old_name the one that it expects there; either may be NULL.
 */
static void
read_entry(Apply *apply, BkNodeRef entry, const char *value_name, const char *old_name)
{
	BkTree	   *tree = apply->tree;

	apply->path = (BkText) {NULL, 0};
	apply->value = apply->old_value = BK_NO_NODE;
	if (bk_node_kind(tree, entry) != BK_KIND_OBJECT)
		fail_entry(apply, "not an object");
	for (BkNodeRef field = bk_node_first(tree, entry); field; field = bk_node_next(tree, field))
	{
		if (key_is(tree, field, "key"))
			apply->path = read_path(apply, field);
		else if (value_name && key_is(tree, field, value_name))
			apply->value = field;
		else if (old_name && key_is(tree, field, old_name))
			apply->old_value = field;
		else
			fail_entry(apply, "it has a field that does not belong there");
	}
	if (apply->path.data == NULL)
		fail_entry(apply, "\"key\" is missing");
	if (value_name && apply->value == BK_NO_NODE)
		fail_entry(apply, "the value is missing");
}

/* Follow one step, and outline the container in which it is taken. */
static void
take_step(const Apply *apply, const BkStep *step, Place *place)
{
	BkTree	   *tree = apply->tree;
	BkNodeRef	container = place->node;

	if (container == BK_NO_NODE)
		fail_entry(apply, "there is no such array or object");
	if (bk_node_kind(tree, container) != (step->is_index ? BK_KIND_ARRAY : BK_KIND_OBJECT))
		fail_entry(apply, step->is_index ? "an index leads into what is not an array"
				   : "a key leads into what is not an object");
	bk_tree_outline(tree, container);
	*place = (Place) {.parent = container, .position = step->index, .key = step->key};
	if (step->is_index)
		place->node = bk_tree_child(tree, container, step->index);
	else
		place->node = bk_tree_member(tree, container, step->key, &place->position);
}

/* Find the place that the entry at hand is about. */
static Place
find_place(const Apply *apply)
{
	BkPathReader reader = {.memory = apply->scratch, .path = apply->path};
	Place		place = {.node = *apply->root};
	BkStep		step;

	while (bk_path_step(&reader, &step))
		take_step(apply, &step, &place);
	if (reader.fault)
		fail_entry(apply, reader.fault);
	return place;
}

/* The value that is to be changed or deleted must be there, and be the one given. */
static void
check_old(const Apply *apply, const Place *place)
{
	if (place->node == BK_NO_NODE)
		fail_entry(apply, "there is no such value");
	if (apply->old_value != BK_NO_NODE &&
		!bk_tree_equals(apply->tree, place->node, bk_node_slice(apply->tree, apply->old_value)))
		fail_entry(apply, "the value there is another one");
}

/* Make the entry's value ready to become a child of the place's parent. */
static void
adopt_value(const Apply *apply, const Place *place)
{
	if (place->parent != BK_NO_NODE && bk_node_kind(apply->tree, place->parent) == BK_KIND_OBJECT)
		bk_tree_set_key(apply->tree, apply->value, place->key);
	else
		bk_tree_clear_key(apply->tree, apply->value);
}

/* Apply one deletion. */
static void
apply_deletion(Apply *apply, BkNodeRef entry)
{
	Place		place;

	read_entry(apply, entry, NULL, "value");
	place = find_place(apply);
	if (place.parent == BK_NO_NODE)
		fail_entry(apply, "the whole document cannot be deleted");
	check_old(apply, &place);
	bk_tree_remove(apply->tree, place.parent, place.position);
}

/* Apply one addition. */
static void
apply_addition(Apply *apply, BkNodeRef entry)
{
	Place		place;

	read_entry(apply, entry, "value", NULL);
	place = find_place(apply);
	if (place.parent == BK_NO_NODE)
		fail_entry(apply, "the whole document cannot be added");
	if (bk_node_kind(apply->tree, place.parent) == BK_KIND_OBJECT)
	{
		if (place.node != BK_NO_NODE)
			fail_entry(apply, "the key is there already");
	}
	else if (place.position > bk_node_count(apply->tree, place.parent))
		fail_entry(apply, "the index is beyond the end of the array");
	adopt_value(apply, &place);
	bk_tree_insert(apply->tree, place.parent, place.position, apply->value);
}

/* Apply one change. */
static void
apply_change(Apply *apply, BkNodeRef entry)
{
	Place		place;

	read_entry(apply, entry, "newValue", "oldValue");
	place = find_place(apply);
	check_old(apply, &place);
	adopt_value(apply, &place);
	if (place.parent == BK_NO_NODE)
		*apply->root = apply->value;
	else
		bk_tree_replace(apply->tree, place.parent, place.position, apply->value);
}

/* Read the top level of a delta. */
static Lists
read_lists(BkTree *tree, BkNodeRef delta, BkOrigin origin)
{
	Lists		lists = {BK_NO_NODE, BK_NO_NODE, BK_NO_NODE};

	if (bk_node_kind(tree, delta) != BK_KIND_OBJECT)
		bk_fail(origin, "delta", "not an object");
	for (BkNodeRef field = bk_node_first(tree, delta); field; field = bk_node_next(tree, field))
	{
		if (key_is(tree, field, "changes"))
			lists.changes = field;
		else if (key_is(tree, field, "additions"))
			lists.additions = field;
		else if (key_is(tree, field, "deletions"))
			lists.deletions = field;
		else
			bk_fail(origin, "delta", "it has a field other than changes, additions and deletions");
		if (bk_node_kind(tree, field) != BK_KIND_ARRAY)
			bk_fail(origin, "delta", "changes, additions and deletions must be arrays");
	}
	return lists;
}

/* Apply the entries of a list in order. */
static void
apply_list(Apply *apply, const char *name, BkNodeRef list,
		   void (*apply_entry) (Apply *, BkNodeRef))
{
	apply->list = name;
	apply->number = 0;
	for (BkNodeRef entry = bk_node_first(apply->tree, list); entry; apply->number++)
	{
		/* the entry's value leaves the list, the entry does not */
		apply_entry(apply, entry);
		entry = bk_node_next(apply->tree, entry);
		BK_CHECK_INTERRUPTS();
	}
}

/* Apply the deletions, last one first, so that positions stay those of the old document. */
static void
apply_deletions(Apply *apply, BkNodeRef list)
{
	uint32		count = bk_node_count(apply->tree, list);
	BkNodeRef  *entries = bk_alloc(apply->scratch, (size_t) count * sizeof(BkNodeRef) + 1);
	BkNodeRef	entry = bk_node_first(apply->tree, list);

	for (uint32 i = 0; i < count; i++, entry = bk_node_next(apply->tree, entry))
		entries[i] = entry;
	apply->list = "deletions";
	for (apply->number = count; apply->number-- > 0;)
	{
		apply_deletion(apply, entries[apply->number]);
		BK_CHECK_INTERRUPTS();
	}
}

void
bk_delta_apply(BkTree *tree, BkNodeRef *root, BkText delta, BkOrigin origin)
{
	BkNodeRef	parsed = bk_tree_parse_as(tree, delta, origin, "delta");
	Lists		lists = read_lists(tree, parsed, origin);
	Apply		apply = {
		.tree = tree,
		.root = root,
		.origin = origin,
		.scratch = bk_memory_new(tree->memory, "backup_service delta paths")
	};

	apply_deletions(&apply, lists.deletions);
	apply_list(&apply, "additions", lists.additions, apply_addition);
	apply_list(&apply, "changes", lists.changes, apply_change);
	bk_memory_delete(apply.scratch);
}
