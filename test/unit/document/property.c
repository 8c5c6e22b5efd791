/*
 * property.c
 *		Property test of documents and deltas: property [seed [count]].
 *
 * cc -std=gnu11 -DFRONTEND -Isrc test/unit/document/property.c test/unit/document/model.c
 *    test/unit/document/model_text.c
 *    src/common/error.c src/common/memory.c src/document/{beside,buffer,key,outline,parse,settle,sort,tree}.c src/delta/[a-z]*.c -lcrypto
 *
 * Every case has its own seed (seed + its number), printed when it fails.
 */
#include "delta/delta.h"
#include "delta/path.h"
#include "document/tree.h"

#include <stdlib.h>

#include "model.h"
#include "tap.h"

#define CHAIN	4

typedef struct Case
{
	BkMemory	memory;
	Model	   *models[CHAIN];	/* each an edit of the one before, or another one */
	BkText		texts[CHAIN];
	const char *problem;
} Case;

static const char empty_delta[] = "{\"changes\": [], \"additions\": [], \"deletions\": []}";

static void
expect(Case *test, bool holds, const char *property)
{
	if (!holds && test->problem == NULL)
		test->problem = property;
}

/* Run a check that must not raise. */
static void
run_check(Case *test, void (*check) (Case *), const char *name)
{
	BK_TRY
	{
		check(test);
	}
	BK_CATCH
	{
		expect(test, false, name);
		printf("# %s: %s: %s: %s\n", name, bk_last_error.sqlstate, bk_last_error.check, bk_last_error.message);
	}
	BK_END_TRY;
}

static void
check_round_trip(Case *test)
{
	BkTree	   *tree = bk_tree_new(test->memory);
	BkText		shuffled = model_text(test->memory, test->models[0], true);
	BkNodeRef	root = bk_tree_parse(tree, test->texts[0], BK_ARGUMENT);

	expect(test, bk_text_equal(bk_tree_text(tree, root), test->texts[0]), "parse and write");
	expect(test, bk_tree_equals(tree, root, test->texts[0]), "equals itself");
	expect(test, bk_text_equal(bk_text_sort_keys(test->memory, shuffled), test->texts[0]), "sort keys");
}

/* With a limit a delta may be another one, a change of the root, but no longer one. */
static void
check_limit(Case *test)
{
	BkText		delta = bk_delta_between(test->memory, test->texts[0], test->texts[1], BK_DELTA_STORED, SIZE_MAX);
	BkText		same = bk_delta_between(test->memory, test->texts[0], test->texts[1], BK_DELTA_STORED, delta.len);
	BkText		none = bk_delta_between(test->memory, test->texts[0], test->texts[1], BK_DELTA_STORED, delta.len - 1);
	BkText		nothing = bk_delta_between(test->memory, test->texts[0], test->texts[0], BK_DELTA_COMPLETE, SIZE_MAX);

	expect(test, bk_text_equal(delta, same), "limit as long as the delta");
	expect(test, none.data == NULL || none.len < delta.len, "limit shorter than the delta");
	expect(test, bk_text_equal(nothing, (BkText) {empty_delta, sizeof(empty_delta) - 1}), "no difference");
}

/* Apply the deltas of a chain to one tree. */
static void
apply_chain(Case *test, BkDeltaForm form)
{
	BkTree	   *tree = bk_tree_new(test->memory);
	BkNodeRef	root = bk_tree_parse(tree, test->texts[0], BK_ARGUMENT);

	for (int i = 1; i < CHAIN; i++)
	{
		BkText		delta = bk_delta_between(test->memory, test->texts[i - 1], test->texts[i], form, SIZE_MAX);
		const Model *model;
		BkText		path = model_path(test->memory, test->models[i], &model);
		BkNodeRef	found;

		bk_delta_apply(tree, &root, delta, BK_ARGUMENT);
		if (i == 1 || i == CHAIN - 1)
			expect(test, bk_text_equal(bk_tree_text(tree, root), test->texts[i]), "apply");
		expect(test, bk_tree_equals(tree, root, test->texts[i]), "apply, compared in place");
		expect(test, bk_path_find(tree, root, path, BK_ARGUMENT, &found) &&
			   bk_tree_equals(tree, found, model_text(test->memory, model, false)), "find a path");
	}
}

static void
check_complete_chain(Case *test)
{
	apply_chain(test, BK_DELTA_COMPLETE);
}

static void
check_stored_chain(Case *test)
{
	apply_chain(test, BK_DELTA_STORED);
}

/* From a tree that deltas were applied to comes the same delta as from its text. */
static void
check_from_tree(Case *test)
{
	for (int last = 0; last < CHAIN - 1; last++)
	{
		BkTree	   *tree = bk_tree_new(test->memory);
		BkDocument	old = {{NULL, test->texts[last].len}, tree, bk_tree_parse(tree, test->texts[0], BK_ARGUMENT)};
		BkText		between = bk_delta_between(test->memory, test->texts[last], test->texts[last + 1], BK_DELTA_STORED, SIZE_MAX);

		for (int i = 1; i <= last; i++)
			bk_delta_apply(tree, &old.root,
						   bk_delta_between(test->memory, test->texts[i - 1], test->texts[i], BK_DELTA_STORED, SIZE_MAX),
						   BK_ARGUMENT);
		expect(test, bk_text_equal(bk_delta_from_tree(test->memory, &old, test->texts[last + 1], SIZE_MAX), between),
			   "delta from a tree");
	}
}

static void
check_path(Case *test)
{
	BkTree	   *tree = bk_tree_new(test->memory);
	BkNodeRef	root = bk_tree_parse(tree, test->texts[0], BK_ARGUMENT);
	const Model *model;
	BkText		path = model_path(test->memory, test->models[0], &model);
	BkNodeRef	found;

	expect(test, bk_path_find(tree, root, path, BK_ARGUMENT, &found) &&
		   bk_text_equal(bk_tree_text(tree, found), model_text(test->memory, model, false)), "find a path");
	path = model_path(test->memory, test->models[1], &model);
	bk_path_find(tree, root, path, BK_ARGUMENT, &found);
}

/* A text with a few bytes changed, cut or doubled. */
static BkText
damage(BkMemory memory, BkText text)
{
	static const char bytes[] = "\"\\{}[],: 0123.-eutfn\x01\n/";
	char	   *copy = bk_alloc(memory, text.len + 1);
	size_t		len = text.len;

	memcpy(copy, text.data, len);
	for (uint32 i = model_random(3) + 1; i > 0 && len > 0; i--)
	{
		uint32		at = model_random((uint32) len);

		if (model_random(3) == 0)
			memmove(copy + at, copy + at + 1, --len - at);
		else if (model_random(8) == 0)
			len = at;
		else
			copy[at] = bytes[model_random(sizeof(bytes) - 1)];
	}
	return (BkText) {copy, len};
}

/* What is accepted must be canonical, whatever it was before. */
static void
try_document(Case *test, BkText text)
{
	BK_TRY
	{
		BkTree	   *tree = bk_tree_new(test->memory);
		BkNodeRef	root = bk_tree_parse(tree, text, BK_ARGUMENT);

		expect(test, bk_text_equal(bk_tree_text(tree, root), text), "accepted text comes out again");
	}
	BK_CATCH
	{
		expect(test, strcmp(bk_last_error.check, "document") == 0, "refused as document");
	}
	BK_END_TRY;
}

static void
try_delta(Case *test, BkText delta)
{
	BK_TRY
	{
		BkTree	   *tree = bk_tree_new(test->memory);
		BkNodeRef	root = bk_tree_parse(tree, test->texts[0], BK_ARGUMENT);
		BkText		text;

		bk_delta_apply(tree, &root, delta, BK_ARGUMENT);
		text = bk_tree_text(tree, root);
		expect(test, bk_tree_equals(tree, root, text), "result equals itself");
		bk_tree_parse(bk_tree_new(test->memory), text, (BkOrigin) {1});
	}
	BK_CATCH
	{
		expect(test, strcmp(bk_last_error.check, "delta") == 0 && strcmp(bk_last_error.sqlstate, "22023") == 0,
			   "refused as delta");
	}
	BK_END_TRY;
}

static void
try_path(Case *test, BkText path)
{
	BK_TRY
	{
		BkTree	   *tree = bk_tree_new(test->memory);
		BkNodeRef	found;

		bk_path_find(tree, bk_tree_parse(tree, test->texts[0], BK_ARGUMENT), path, BK_ARGUMENT, &found);
	}
	BK_CATCH
	{
		expect(test, strcmp(bk_last_error.check, "path") == 0, "refused as path");
	}
	BK_END_TRY;
}

static void
check_hostile(Case *test)
{
	const Model *model;
	BkText		delta = bk_delta_between(test->memory, test->texts[0], test->texts[1], BK_DELTA_COMPLETE, SIZE_MAX);

	try_document(test, damage(test->memory, test->texts[0]));
	try_delta(test, damage(test->memory, delta));
	try_delta(test, model_bad_delta(test->memory, test->models[0]));
	try_delta(test, bk_delta_between(test->memory, test->texts[1], test->texts[2], BK_DELTA_COMPLETE, SIZE_MAX));
	try_path(test, damage(test->memory, model_path(test->memory, test->models[0], &model)));
}

/* Run one case; is all well? */
static bool
run_case(uint64 seed)
{
	Case		test = {.memory = bk_memory_new(NULL, "case")};

	model_seed(seed);
	test.models[0] = model_new(test.memory);
	for (int i = 1; i < CHAIN; i++)
		test.models[i] = model_random(12) == 0 ? model_new(test.memory)
			: model_edit(test.memory, model_copy(test.memory, test.models[i - 1]));
	for (int i = 0; i < CHAIN; i++)
		test.texts[i] = model_text(test.memory, test.models[i], false);
	run_check(&test, check_round_trip, "round trip");
	run_check(&test, check_limit, "limit");
	run_check(&test, check_complete_chain, "complete deltas");
	run_check(&test, check_stored_chain, "stored deltas");
	run_check(&test, check_from_tree, "delta from a tree");
	run_check(&test, check_path, "paths");
	run_check(&test, check_hostile, "hostile input");
	if (test.problem)
	{
		printf("# seed %llu: %s\n", (unsigned long long) seed, test.problem);
		for (int i = 0; i < CHAIN; i++)
			printf("# %d: %.*s\n", i, (int) Min(test.texts[i].len, 1000), test.texts[i].data);
	}
	bk_memory_delete(test.memory);
	return test.problem == NULL;
}

int
main(int argc, char **argv)
{
	uint64		seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	uint64		count = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000;
	uint64		failures = 0;
	char		name[80];

	for (uint64 i = 0; i < count && failures < 10; i++)
		failures += !run_case(seed + i);
	snprintf(name, sizeof(name), "%llu random cases from seed %llu", (unsigned long long) count, (unsigned long long) seed);
	tap_ok(failures == 0, name);
	return tap_done();
}
