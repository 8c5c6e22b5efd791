/*
 * test_delta.c
 *		Deltas: what is found between two documents, and what is refused.
 *
 * cc -std=gnu11 -DFRONTEND -Isrc test/unit/document/test_delta.c src/common/error.c
 *    src/common/memory.c src/document/{buffer,key,outline,parse,tree}.c src/delta/[a-z]*.c -lcrypto
 */
#include "delta/delta.h"
#include "document/tree.h"

#include <stdlib.h>

#include "tap.h"

typedef struct DeltaCase
{
	const char *name;
	const char *old_text;
	const char *new_text;
	const char *changes;		/* of the complete delta */
	const char *additions;
	const char *deletions;
} DeltaCase;

static const DeltaCase deltas[] = {
	{"the example of the specification",
		"{\"users\": [{\"id\": 1, \"name\": \"Alice\"}], \"settings\": {\"theme\": \"dark\"}}",
		"{\"users\": [{\"id\": 1, \"name\": \"Alice\"}, {\"id\": 2, \"name\": \"Bob\"}], \"settings\": {\"theme\": \"light\"}}",
		"{\"key\": \"settings\", \"newValue\": {\"theme\": \"light\"}, \"oldValue\": {\"theme\": \"dark\"}}",
	"{\"key\": \"users[1]\", \"value\": {\"id\": 2, \"name\": \"Bob\"}}", ""},
	{"no difference", "[1]", "[1]", "", "", ""},
	{"two scalars", "1", "1.0", "{\"key\": \"\", \"newValue\": 1.0, \"oldValue\": 1}", "", ""},
	{"an array and an object", "[]", "{}", "{\"key\": \"\", \"newValue\": {}, \"oldValue\": []}", "", ""},
	{"nothing in common", "{\"a\": 1}", "{\"b\": 1}", "{\"key\": \"\", \"newValue\": {\"b\": 1}, \"oldValue\": {\"a\": 1}}", "", ""},
	{"something in common far down", "{\"a\": {\"b\": [[1, 2]]}}", "{\"a\": {\"b\": [[1, 3]]}}",
	"{\"key\": \"a.b[0][1]\", \"newValue\": 3, \"oldValue\": 2}", "", ""},
	{"members", "{\"a\": 1, \"b\": 2, \"c\": 3}", "{\"a\": 1, \"b\": 4, \"d\": 3}",
		"{\"key\": \"b\", \"newValue\": 4, \"oldValue\": 2}", "{\"key\": \"d\", \"value\": 3}",
	"{\"key\": \"c\", \"value\": 3}"},
	{"a row in front", "[2, 3, 4]", "[1, 2, 3, 4]", "", "{\"key\": \"[0]\", \"value\": 1}", ""},
	{"rows left out", "[1, 2, 3, 4, 5]", "[1, 3, 5]", "",
	"", "{\"key\": \"[1]\", \"value\": 2}, {\"key\": \"[3]\", \"value\": 4}"},
	{"identity decides, not position",
		"[{\"n\": 1, \"id\": 1}, {\"n\": 1, \"id\": 2}]", "[{\"n\": 1, \"id\": 0}, {\"n\": 2, \"id\": 1}, {\"n\": 2, \"id\": 2}]",
		"{\"key\": \"[1].n\", \"newValue\": 2, \"oldValue\": 1}, {\"key\": \"[2].n\", \"newValue\": 2, \"oldValue\": 1}",
	"{\"key\": \"[0]\", \"value\": {\"n\": 1, \"id\": 0}}", ""},
	{"odd keys", "{\"\": 1, \"a b\": 1, \"a.b\": {\"x\": 1, \"\\\"\\\\\\n\\u0001\": 1}}", "{\"\": 2, \"a b\": 1, \"a.b\": {\"x\": 1, \"\\\"\\\\\\n\\u0001\": 2}}",
		"{\"key\": \"[\\\"\\\"]\", \"newValue\": 2, \"oldValue\": 1}, "
		"{\"key\": \"[\\\"a.b\\\"][\\\"\\\\\\\"\\\\\\\\\\\\n\\\\u0001\\\"]\", \"newValue\": 2, \"oldValue\": 1}",
	"", ""}
};

/* A document, a delta, and what comes out, or a part of the message. */
typedef struct ApplyCase
{
	const char *document;
	const char *delta;
	const char *result;			/* NULL: an error */
	const char *message;
} ApplyCase;

#define ROWS	"{\"rows\": [1, 2, 3]}"

static const ApplyCase applies[] = {
	{ROWS, "{}", ROWS, NULL},
	{ROWS, "{\"changes\": []}", ROWS, NULL},
	{ROWS, "{\"deletions\": [{\"key\": \"rows[0]\"}, {\"key\": \"rows[2]\"}]}", "{\"rows\": [2]}", NULL},
	{ROWS, "{\"deletions\": [{\"key\": \"rows[0]\", \"value\": 1}]}", "{\"rows\": [2, 3]}", NULL},
	{ROWS, "{\"additions\": [{\"key\": \"rows[3]\", \"value\": 4}, {\"key\": \"rows[0]\", \"value\": 0}]}", "{\"rows\": [0, 1, 2, 3, 4]}", NULL},
	{ROWS, "{\"additions\": [{\"key\": \"a\", \"value\": {}}, {\"key\": \"a.b\", \"value\": 1}]}", "{\"a\": {\"b\": 1}, \"rows\": [1, 2, 3]}", NULL},
	{ROWS, "{\"additions\": [{\"key\": \"[\\\"\\\\u0061\\\"]\", \"value\": 1}]}", "{\"a\": 1, \"rows\": [1, 2, 3]}", NULL},
	{ROWS, "{\"additions\": [{\"key\": \"[\\\"\\\\/\\\\u000A\\\"]\", \"value\": 1}]}", "{\"/\\n\": 1, \"rows\": [1, 2, 3]}", NULL},
	{ROWS, "{\"changes\": [{\"key\": \"\", \"newValue\": {\"a\": 1}}, {\"key\": \"a\", \"newValue\": 2}]}", "{\"a\": 2}", NULL},
	{ROWS, "{\"changes\": [{\"key\": \"rows\", \"newValue\": [7, 8]}, {\"key\": \"rows[1]\", \"newValue\": 9, \"oldValue\": 8}]}", "{\"rows\": [7, 9]}", NULL},
	{ROWS, "{\"changes\": [{\"key\": \"rows[1]\", \"newValue\": 9}, {\"key\": \"rows\", \"newValue\": 1, \"oldValue\": [1, 9, 3]}]}", "{\"rows\": 1}", NULL},
	{"[1]", "{\"deletions\": [{\"key\": \"[0]\"}]}", "[]", NULL},
	{"{\"a\": 1}", "{\"deletions\": [{\"key\": \"a\"}]}", "{}", NULL},

	{ROWS, "1", NULL, "not an object"},
	{ROWS, "{\"changes\": 1}", NULL, "must be arrays"},
	{ROWS, "{\"change\": []}", NULL, "a field other than"},
	{ROWS, "{\"changes\": [], \"other\": []}", NULL, "key out of order"},
	{ROWS, "{\"changes\": [1]}", NULL, "changes[0]: not an object"},
	{ROWS, "{\"changes\": [{}]}", NULL, "\"key\" is missing"},
	{ROWS, "{\"changes\": [{\"key\": 1, \"newValue\": 1}]}", NULL, "\"key\" is not a string"},
	{ROWS, "{\"changes\": [{\"key\": \"rows\"}]}", NULL, "changes[0], path \"rows\": the value is missing"},
	{ROWS, "{\"changes\": [{\"key\": \"rows\", \"value\": 1}]}", NULL, "does not belong"},
	{ROWS, "{\"changes\": [{\"key\": \"rows\", \"newValue\": 1, \"oldValue\": [1, 2]}]}", NULL, "another one"},
	{ROWS, "{\"changes\": [{\"key\": \"x\", \"newValue\": 1}]}", NULL, "no such value"},
	{ROWS, "{\"changes\": [{\"key\": \"x.y\", \"newValue\": 1}]}", NULL, "no such array or object"},
	{ROWS, "{\"changes\": [{\"key\": \"rows.y\", \"newValue\": 1}]}", NULL, "not an object"},
	{ROWS, "{\"changes\": [{\"key\": \"[0]\", \"newValue\": 1}]}", NULL, "not an array"},
	{ROWS, "{\"changes\": [{\"key\": \"rows[0].x\", \"newValue\": 1}]}", NULL, "not an object"},
	{ROWS, "{\"changes\": [{\"key\": \"rows[3]\", \"newValue\": 1}]}", NULL, "no such value"},
	{ROWS, "{\"changes\": [{\"key\": \"rows[\", \"newValue\": 1}]}", NULL, "neither an index"},
	{ROWS, "{\"changes\": [{\"key\": \"rows[1]\", \"newValue\": 9}, {\"key\": \"rows\", \"newValue\": 1, \"oldValue\": [1, 2, 3]}]}", NULL, "changes[1]"},
	{ROWS, "{\"additions\": [{\"key\": \"\", \"value\": 1}]}", NULL, "cannot be added"},
	{ROWS, "{\"additions\": [{\"key\": \"rows\", \"value\": 1}]}", NULL, "there already"},
	{ROWS, "{\"additions\": [{\"key\": \"rows[4]\", \"value\": 1}]}", NULL, "beyond the end"},
	{ROWS, "{\"additions\": [{\"key\": \"rows[4294967295]\", \"value\": 1}]}", NULL, "beyond the end"},
	{ROWS, "{\"additions\": [{\"key\": \"rows[0]\"}]}", NULL, "the value is missing"},
	{ROWS, "{\"deletions\": [{\"key\": \"\"}]}", NULL, "cannot be deleted"},
	{ROWS, "{\"deletions\": [{\"key\": \"rows[3]\"}]}", NULL, "deletions[0], path \"rows[3]\": there is no such value"},
	{ROWS, "{\"deletions\": [{\"key\": \"rows[0]\", \"value\": 2}]}", NULL, "another one"},
	{ROWS, "{\"deletions\": [{\"key\": \"rows[0]\", \"newValue\": 2}]}", NULL, "does not belong"},
	{ROWS, "{\"deletions\": [", NULL, "no value"}
};

static BkText
text_of(const char *literal)
{
	return (BkText) {literal, strlen(literal)};
}

static void
test_between(const DeltaCase *test)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	char		expected[2000];
	BkText		delta = bk_delta_between(memory, text_of(test->old_text), text_of(test->new_text), BK_DELTA_COMPLETE, SIZE_MAX);

	snprintf(expected, sizeof(expected), "{\"changes\": [%s], \"additions\": [%s], \"deletions\": [%s]}",
			 test->changes, test->additions, test->deletions);
	if (!tap_ok(bk_text_equal(delta, text_of(expected)), test->name))
		printf("# %.*s\n# %s\n", (int) delta.len, delta.data, expected);
	bk_memory_delete(memory);
}

static void
test_apply(const ApplyCase *test)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	volatile bool passed = false;
	char		name[300];

	BK_TRY
	{
		BkTree	   *tree = bk_tree_new(memory);
		BkNodeRef	root = bk_tree_parse(tree, text_of(test->document), BK_ARGUMENT);

		bk_delta_apply(tree, &root, text_of(test->delta), BK_ARGUMENT);
		passed = test->result && bk_text_equal(bk_tree_text(tree, root), text_of(test->result));
	}
	BK_CATCH
	{
		passed = test->result == NULL && strcmp(bk_last_error.check, "delta") == 0 &&
			strstr(bk_last_error.message, test->message) != NULL;
		tap_raised();
	}
	BK_END_TRY;
	snprintf(name, sizeof(name), "apply %s", test->delta);
	tap_ok(passed, name);
	bk_memory_delete(memory);
}

/* An array of count numbers from first on, which wrap around at the end to 1. */
static BkText
numbers(BkMemory memory, int first, int last, int count)
{
	char	   *text = bk_alloc(memory, (size_t) (count + 1) * 12);
	size_t		len = 1;

	text[0] = '[';
	for (int i = 0; i < count; i++)
		len += (size_t) sprintf(text + len, "%s%d", i > 0 ? ", " : "", first + i <= last ? first + i : first + i - last);
	text[len++] = ']';
	return (BkText) {text, len};
}

/* How often a text occurs in another. */
static size_t
occurrences(BkText text, const char *part)
{
	size_t		count = 0;

	for (size_t i = 0; i + strlen(part) <= text.len; i++)
		count += memcmp(text.data + i, part, strlen(part)) == 0;
	return count;
}

/* Far more differences than the exact algorithm takes: anchors must do. */
static void
test_swapped_halves(void)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	BkText		old_text = numbers(memory, 1, 10000, 10000);
	BkText		new_text = numbers(memory, 4001, 10000, 10000);
	BkText		delta = bk_delta_between(memory, old_text, new_text, BK_DELTA_STORED, SIZE_MAX);
	BkTree	   *tree = bk_tree_new(memory);
	BkNodeRef	root = bk_tree_parse(tree, old_text, BK_ARGUMENT);

	bk_delta_apply(tree, &root, delta, BK_ARGUMENT);
	tap_ok(bk_text_equal(bk_tree_text(tree, root), new_text), "swapped halves come out right");
	tap_ok(occurrences(delta, "\"key\"") == 8000, "only the smaller half moves");
	bk_memory_delete(memory);
}

static void
test_large(void)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	BkText		delta = bk_delta_between(memory, numbers(memory, 1, 100000, 100000), numbers(memory, 0, 100000, 100001), BK_DELTA_STORED, SIZE_MAX);

	tap_ok(bk_text_equal(delta, text_of("{\"changes\": [], \"additions\": [{\"key\": \"[0]\", \"value\": 0}], \"deletions\": []}")),
		   "one row in front of 100,000 is one addition");
	bk_memory_delete(memory);
}

/* "[1, [1, [1, ...]]]", with these numbers, and another innermost one. */
static BkText
nested(BkMemory memory, size_t depth, const char *level, char innermost)
{
	char	   *text = bk_alloc(memory, 5 * depth + 1);

	for (size_t i = 0; i < depth; i++)
		memcpy(text + 4 * i, level, 4);
	text[4 * depth] = innermost;
	memset(text + 4 * depth + 1, ']', depth);
	return (BkText) {text, 5 * depth + 1};
}

/* Documents that differ at every level: their paths together are quadratic. */
static void
test_deep(void)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	size_t		depth = 100000;
	BkText		delta = bk_delta_between(memory, nested(memory, depth, "[2, ", '1'), nested(memory, depth, "[1, ", '1'),
										 BK_DELTA_STORED, SIZE_MAX);

	tap_ok(delta.len < 6 * depth, "a change of the root where the paths would be quadratic");
	bk_memory_delete(memory);
}

/* What comes from a tree that a delta was applied to, which no delta of ours would leave like that. */
static void
test_from_emptied(void)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	BkText		old_text = text_of("{\"a\": {\"x\": 1}, \"b\": [{\"x\": 1}, [[1], 2]], \"c\": [1]}");
	BkTree	   *tree = bk_tree_new(memory);
	BkDocument	old = {.tree = tree, .root = bk_tree_parse(tree, old_text, BK_ARGUMENT)};
	BkText		delta;

	bk_delta_apply(tree, &old.root, text_of("{\"deletions\": [{\"key\": \"a.x\"}, {\"key\": \"b[0].x\"}, {\"key\": \"b[1][0][0]\"}, {\"key\": \"c[0]\"}]}"),
				   BK_ARGUMENT);
	old.text = bk_tree_text(tree, old.root);
	tap_ok(bk_text_equal(old.text, text_of("{\"a\": {}, \"b\": [{}, [[], 2]], \"c\": []}")), "containers are emptied");
	delta = bk_delta_from_tree(memory, &old, text_of("{\"a\": {}, \"b\": [0, {}, [[], 2]], \"c\": []}"), SIZE_MAX);
	tap_ok(bk_text_equal(delta, text_of("{\"changes\": [], \"additions\": [{\"key\": \"b[0]\", \"value\": 0}], \"deletions\": []}")),
		   "an emptied container equals an empty one");
	bk_memory_delete(memory);
}

/* An array that was changed at every level is written and parsed again once, not once a level. */
static void
test_from_deep(void)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	size_t		depth = 100000;
	BkText		texts[3] = {nested(memory, depth, "[1, ", '1'), nested(memory, depth, "[1, ", '2'), nested(memory, depth, "[1, ", '3')};
	BkTree	   *tree = bk_tree_new(memory);
	BkDocument	old = {texts[1], tree, bk_tree_parse(tree, texts[0], BK_ARGUMENT)};
	BkText		between = bk_delta_between(memory, texts[1], texts[2], BK_DELTA_STORED, SIZE_MAX);

	bk_delta_apply(tree, &old.root, bk_delta_between(memory, texts[0], texts[1], BK_DELTA_STORED, SIZE_MAX), BK_ARGUMENT);
	tap_ok(bk_text_equal(bk_delta_from_tree(memory, &old, texts[2], SIZE_MAX), between), "a delta from an array changed far down");
	tap_ok(tree->count < 10 * depth, "its values are parsed a few times at most");
	bk_memory_delete(memory);
}

int
main(void)
{
	for (size_t i = 0; i < lengthof(deltas); i++)
		test_between(&deltas[i]);
	for (size_t i = 0; i < lengthof(applies); i++)
		test_apply(&applies[i]);
	test_large();
	test_swapped_halves();
	test_deep();
	test_from_emptied();
	test_from_deep();
	return tap_done();
}
