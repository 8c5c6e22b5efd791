/*
 * diff.c
 *		The walk over two documents that collects the entries of their delta.
 */
#include "delta/diff.h"

/* How many bytes may be compared for more than the walk itself, in documents' lengths. */
#define BUDGET_FACTOR		16

/* A delta longer than this many times that of one change of the root is not made. */
#define MAX_LENGTH_FACTOR	2
#define MAX_LENGTH_EXTRA	65536

/* Two containers of the same kind that are being compared. */
typedef struct Frame
{
	BkNodeRef	old_node;
	BkNodeRef	new_node;
	BkChildren	old;			/* from the next ones to look at on */
	BkChildren	new;
	uint32		step;			/* of this pair */
	bool		beside;			/* in the same place (document/beside.h); else prepared for hashing */
	bool		common;			/* was anything found equal? */
	uint32	   *match;			/* of arrays, else NULL */
	size_t		deletions;		/* how many there were before */
	size_t		additions;
	size_t		changes;
} Frame;

typedef struct Walk
{
	BkDiff		diff;
	Frame	   *frames;
	size_t		depth;
	size_t		capacity;
} Walk;

/* Append to a list of entries. */
static void
add_entry(Walk *walk, BkDiffEntries *entries, BkDiffEntry entry)
{
	entries->items = bk_array_enlarge(walk->diff.memory, entries->items, &entries->capacity,
									  entries->count + 1, sizeof(BkDiffEntry));
	entries->items[entries->count++] = entry;
}

/* Begin to compare two containers. */
static void
push_frame(Walk *walk, uint32 above, BkNodeRef old_node, BkNodeRef new_node,
		   uint32 old_index, uint32 new_index, bool beside)
{
	BkDiff	   *diff = &walk->diff;
	Frame	   *frame;

	diff->steps = bk_array_enlarge(diff->memory, diff->steps, &diff->step_capacity,
								   diff->step_count + 1, sizeof(BkDiffStep));
	diff->steps[diff->step_count++] = (BkDiffStep) {above, new_node, old_index, new_index};
	walk->frames = bk_array_enlarge(diff->memory, walk->frames, &walk->capacity,
									walk->depth + 1, sizeof(Frame));
	frame = &walk->frames[walk->depth++];
	*frame = (Frame) {
		.old_node = old_node,
		.new_node = new_node,
		.old = bk_children(diff->tree, old_node),
		.new = bk_children(diff->tree, new_node),
		.step = (uint32) diff->step_count - 1,
		.beside = beside,
		.deletions = diff->deletions.count,
		.additions = diff->additions.count,
		.changes = diff->changes.count
	};
	if (bk_node_kind(diff->tree, old_node) == BK_KIND_ARRAY)
	{
		frame->match = bk_alloc(diff->memory, bk_node_count(diff->tree, old_node) * sizeof(uint32));
		bk_align_arrays(diff, old_node, new_node, beside, frame->match);
	}
}

/* End the innermost pair: its entries stay, or become one change of the whole. */
static void
pop_frame(Walk *walk)
{
	BkDiff	   *diff = &walk->diff;
	Frame	   *frame = &walk->frames[--walk->depth];

	bk_free(diff->memory, frame->match);
	if (frame->common)
	{
		if (walk->depth > 0)
			walk->frames[walk->depth - 1].common = true;
		return;
	}
	diff->deletions.count = frame->deletions;
	diff->additions.count = frame->additions;
	diff->changes.count = frame->changes;
	add_entry(walk, &diff->changes,
			  (BkDiffEntry) {diff->steps[frame->step].above, diff->steps[frame->step].new_index,
			  frame->old_node, frame->new_node});
	diff->step_count = frame->step;
}

/* Can two values have something in common without being equal? */
static bool
comparable(const BkTree *tree, BkNodeRef old_node, BkNodeRef new_node)
{
	return bk_node_kind(tree, old_node) == bk_node_kind(tree, new_node) &&
		bk_node_count(tree, old_node) > 0 && bk_node_count(tree, new_node) > 0;
}

/* The innermost pair's next old child is gone. */
static void
take_deletion(Walk *walk, Frame *frame)
{
	add_entry(walk, &walk->diff.deletions,
			  (BkDiffEntry) {frame->step, frame->old.position, frame->old.node, BK_NO_NODE});
	bk_children_move(walk->diff.tree, &frame->old);
}

/* The innermost pair's next new child is new. */
static void
take_addition(Walk *walk, Frame *frame)
{
	add_entry(walk, &walk->diff.additions,
			  (BkDiffEntry) {frame->step, frame->new.position, BK_NO_NODE, frame->new.node});
	bk_children_move(walk->diff.tree, &frame->new);
}

/* The innermost pair's next two children belong together. */
static void
take_pair(Walk *walk, Frame *frame, bool equal)
{
	BkDiff	   *diff = &walk->diff;
	BkNodeRef	old_node = frame->old.node;
	BkNodeRef	new_node = frame->new.node;
	uint32		old_index = frame->old.position;
	uint32		new_index = frame->new.position;
	bool		beside = frame->beside && frame->match == NULL;

	bk_children_move(diff->tree, &frame->old);
	bk_children_move(diff->tree, &frame->new);
	if (equal || (beside ? bk_diff_twin(diff, new_node) : bk_diff_equal(diff, old_node, new_node)))
		frame->common = true;
	else if (comparable(diff->tree, old_node, new_node))
		push_frame(walk, frame->step, old_node, new_node, old_index, new_index, beside);
	else
		add_entry(walk, &diff->changes, (BkDiffEntry) {frame->step, new_index, old_node, new_node});
}

/* One step of merging the members of two objects. */
static void
walk_object(Walk *walk, Frame *frame)
{
	BkTree	   *tree = walk->diff.tree;
	int			order;

	if (frame->new.node == BK_NO_NODE)
		order = -1;
	else if (frame->old.node == BK_NO_NODE)
		order = 1;
	else
		order = bk_key_compare(bk_node_key(tree, frame->old.node), bk_node_key(tree, frame->new.node));
	if (order < 0)
		take_deletion(walk, frame);
	else if (order > 0)
		take_addition(walk, frame);
	else
		take_pair(walk, frame, false);
}

/* One step of merging the elements of two aligned arrays. */
static void
walk_array(Walk *walk, Frame *frame)
{
	uint32		match = frame->old.node ? frame->match[frame->old.position] : BK_NO_MATCH;

	if (frame->old.node && match == BK_NO_MATCH)
		take_deletion(walk, frame);
	else if (match == BK_NO_MATCH || frame->new.position < (match & ~BK_MATCH_EQUAL))
		take_addition(walk, frame);
	else
		take_pair(walk, frame, (match & BK_MATCH_EQUAL) != 0);
}

/* Compare two different documents. */
static void
walk_documents(Walk *walk, BkNodeRef old_root, BkNodeRef new_root)
{
	if (!comparable(walk->diff.tree, old_root, new_root))
	{
		add_entry(walk, &walk->diff.changes, (BkDiffEntry) {BK_NO_STEP, 0, old_root, new_root});
		return;
	}
	push_frame(walk, BK_NO_STEP, old_root, new_root, 0, 0, true);
	for (uint32 steps = 1; walk->depth > 0; steps++)
	{
		Frame	   *frame = &walk->frames[walk->depth - 1];

		if (frame->old.node == BK_NO_NODE && frame->new.node == BK_NO_NODE)
			pop_frame(walk);
		else if (frame->match)
			walk_array(walk, frame);
		else
			walk_object(walk, frame);
		if (steps % 0x400 == 0)
			BK_CHECK_INTERRUPTS();
	}
}

/* Replace whatever was collected by one change of the root. */
static void
change_root(Walk *walk, BkNodeRef old_root, BkNodeRef new_root)
{
	walk->diff.deletions.count = walk->diff.additions.count = walk->diff.changes.count = 0;
	add_entry(walk, &walk->diff.changes, (BkDiffEntry) {BK_NO_STEP, 0, old_root, new_root});
}

/*
 * Write the delta.  Paths are spelled out in each entry, so that many entries
 * far down could be of quadratic length: where they get too long, or do not fit
 * the limit, one change of the root is tried instead.
 */
static BkText
write_delta(Walk *walk, BkMemory memory, BkNodeRef old_root, BkNodeRef new_root,
			BkDeltaForm form, size_t documents_len, size_t limit)
{
	BkBuffer	buffer;

	bk_buffer_init(&buffer, memory, 0, Min(limit, MAX_LENGTH_FACTOR * documents_len + MAX_LENGTH_EXTRA));
	if (!bk_diff_render(&walk->diff, form, &buffer))
	{
		change_root(walk, old_root, new_root);
		buffer.len = 0;
		buffer.full = false;
		buffer.limit = limit;
		bk_diff_render(&walk->diff, form, &buffer);
	}
	if (!buffer.full)
		return bk_buffer_text(&buffer);
	bk_free(memory, buffer.data);
	return (BkText) {NULL, 0};
}

/* The delta of a settled value to a text, in its tree. */
static BkText
take_delta(BkMemory memory, BkMemory work, const BkDocument *old, BkText new_text, BkDeltaForm form, size_t limit)
{
	Walk		walk = {.diff = {.memory = work, .tree = old->tree, .scratch = {.memory = work}}};
	BkNodeRef	new_root = bk_tree_parse_beside(old->tree, new_text, old->root, BK_ARGUMENT);
	size_t		documents_len = old->text.len + new_text.len;

	if (!bk_diff_twin(&walk.diff, new_root))
	{
		walk.diff.vain_budget = walk.diff.class_budget = BUDGET_FACTOR * documents_len;
		walk_documents(&walk, old->root, new_root);
	}
	return write_delta(&walk, memory, old->root, new_root, form, documents_len, limit);
}

BkText
bk_delta_between(BkMemory memory, BkText old_text, BkText new_text, BkDeltaForm form, size_t limit)
{
	BkMemory	work = bk_memory_new(memory, "backup_service delta");
	BkDocument	old = {old_text, bk_tree_new(work), BK_NO_NODE};
	BkText		delta;

	old.root = bk_tree_parse(old.tree, old_text, BK_ARGUMENT);
	delta = take_delta(memory, work, &old, new_text, form, limit);
	bk_memory_delete(work);
	return delta;
}

BkText
bk_delta_from_tree(BkMemory memory, const BkDocument *old, BkText new_text, size_t limit)
{
	BkMemory	work = bk_memory_new(memory, "backup_service delta");
	BkText		delta;

	bk_tree_settle(old->tree);
	delta = take_delta(memory, work, old, new_text, BK_DELTA_STORED, limit);
	bk_memory_delete(work);
	return delta;
}
