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
	BkNodeRef	old_child;		/* the next ones to look at */
	BkNodeRef	new_child;
	uint32		old_index;
	uint32		new_index;
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
		.old_child = bk_node_first(diff->tree, old_node),
		.new_child = bk_node_first(diff->tree, new_node),
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
			  (BkDiffEntry) {frame->step, frame->old_index++, frame->old_child, BK_NO_NODE});
	frame->old_child = bk_node_next(walk->diff.tree, frame->old_child);
}

/* The innermost pair's next new child is new. */
static void
take_addition(Walk *walk, Frame *frame)
{
	add_entry(walk, &walk->diff.additions,
			  (BkDiffEntry) {frame->step, frame->new_index++, BK_NO_NODE, frame->new_child});
	frame->new_child = bk_node_next(walk->diff.tree, frame->new_child);
}

/* The innermost pair's next two children belong together. */
static void
take_pair(Walk *walk, Frame *frame, bool equal)
{
	BkDiff	   *diff = &walk->diff;
	BkNodeRef	old_node = frame->old_child;
	BkNodeRef	new_node = frame->new_child;
	uint32		old_index = frame->old_index++;
	uint32		new_index = frame->new_index++;
	bool		beside = frame->beside && frame->match == NULL;

	frame->old_child = bk_node_next(diff->tree, old_node);
	frame->new_child = bk_node_next(diff->tree, new_node);
	if (equal || (beside ? bk_diff_twins(diff, old_node, new_node) : bk_diff_equal(diff, old_node, new_node)))
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

	if (frame->new_child == BK_NO_NODE)
		order = -1;
	else if (frame->old_child == BK_NO_NODE)
		order = 1;
	else
		order = bk_key_compare(bk_node_key(tree, frame->old_child), bk_node_key(tree, frame->new_child));
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
	uint32		match = frame->old_child ? frame->match[frame->old_index] : BK_NO_MATCH;

	if (frame->old_child && match == BK_NO_MATCH)
		take_deletion(walk, frame);
	else if (match == BK_NO_MATCH || frame->new_index < (match & ~BK_MATCH_EQUAL))
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

		if (frame->old_child == BK_NO_NODE && frame->new_child == BK_NO_NODE)
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
			BkDeltaForm form, size_t limit)
{
	size_t		total = (size_t) walk->diff.tree->nodes[old_root].len + walk->diff.tree->nodes[new_root].len;
	BkBuffer	buffer;

	bk_buffer_init(&buffer, memory, 0, Min(limit, MAX_LENGTH_FACTOR * total + MAX_LENGTH_EXTRA));
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

BkText
bk_delta_between(BkMemory memory, BkText old_text, BkText new_text, BkDeltaForm form, size_t limit)
{
	BkMemory	work = bk_memory_new(memory, "backup_service delta");
	BkTree	   *tree = bk_tree_new(work);
	Walk		walk = {.diff = {.memory = work, .tree = tree, .scratch = {.memory = work}}};
	BkNodeRef	old_root = bk_tree_parse(tree, old_text, BK_ARGUMENT);
	BkNodeRef	new_root = bk_tree_parse_beside(tree, new_text, old_root, BK_ARGUMENT);
	BkText		delta;

	if (!bk_diff_twins(&walk.diff, old_root, new_root))
	{
		walk.diff.vain_budget = walk.diff.class_budget = BUDGET_FACTOR * (old_text.len + new_text.len);
		walk_documents(&walk, old_root, new_root);
	}
	delta = write_delta(&walk, memory, old_root, new_root, form, limit);
	bk_memory_delete(work);
	return delta;
}
