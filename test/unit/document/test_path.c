/*
 * test_path.c
 *		Paths: what they find, and which are malformed.
 *
 * cc -std=gnu11 -DFRONTEND -Isrc test/unit/document/test_path.c src/common/error.c
 *    src/common/memory.c src/document/{buffer,key,outline,parse,tree}.c src/delta/[a-z]*.c -lcrypto
 */
#include "delta/path.h"
#include "delta/step.h"

#include <stdlib.h>

#include "tap.h"

#define DOCUMENT \
	"{\"\": \"empty\", \"a\": {\"b\": [10, [20, {\"c\": 30}]]}, \"\\n\\\"\": 40, \"\xc3\xa9\": 70, " \
	"\"[0]\": 80, \"a.b\": 50, \"_x-9\": 60, \"\xf0\x9f\x98\x80\": 90}"

/* A path and the text found, or NULL for nothing, or "!" and the fault. */
typedef struct PathCase
{
	const char *path;
	const char *found;
} PathCase;

static const PathCase cases[] = {
	{"a.b[0]", "10"}, {"a.b[1][1].c", "30"}, {"a[\"b\"][1][0]", "20"}, {"[\"a\"].b[0]", "10"},
	{"[\"\"]", "\"empty\""}, {"[\"a.b\"]", "50"}, {"_x-9", "60"}, {"[\"\xc3\xa9\"]", "70"}, {"[\"\\u00e9\"]", "70"},
	{"[\"\\u00E9\"]", "70"}, {"[\"\\n\\\"\"]", "40"}, {"[\"\\u000a\\u0022\"]", "40"}, {"[\"[0]\"]", "80"},
	{"[\"\\ud83d\\ude00\"]", "90"}, {"[\"\xf0\x9f\x98\x80\"]", "90"}, {"[\"\\u0061\"].b[0]", "10"}, {"[\"\\u005b0\\u005d\"]", "80"},
	{"a.b[2]", NULL}, {"a.c", NULL}, {"a[0]", NULL}, {"a.b.c", NULL}, {"a.b[0].x", NULL}, {"[0]", NULL}, {"zz", NULL},
	{"a.b[99999999999999999999999]", NULL}, {"a.b[4294967295]", NULL}, {"[\"\\u20ac\\/\"]", NULL}, {"[\"\\b\\f\\r\\t\\\\\"]", NULL},
	{".", "!"}, {".a", "!"}, {"a.", "!"}, {"a..b", "!"}, {"a b", "!"}, {"9", "!"}, {"-a", "!"}, {"a[", "!"}, {"a[]", "!"},
	{"a[01]", "!"}, {"a[-1]", "!"}, {"a[1", "!"}, {"a[\"b\"", "!"}, {"a[\"b", "!"}, {"a[b]", "!"}, {"a]", "!"}, {"[\"\\q\"]", "!"},
	{"[\"\\u12\"]", "!"}, {"[\"\\u12g4\"]", "!"}, {"[\"\\u0000\"]", "!"}, {"[\"\\ud83d\"]", "!"}, {"[\"\\ude00\"]", "!"},
	{"[\"\\ud83d\\u0041\"]", "!"}, {"[\"\\ud83dxxxxxx\"]", "!"}, {"[\"\\ud83d\\nxxxx\"]", "!"}, {"[\"\\", "!"}, {"[\"a\n\"]", "!"}, {"\xc3\xa9", "!"}, {"zz.zz[", "!"}
};

static void
test_case(const PathCase *test, bool outlined)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	volatile bool passed = false;
	char		name[200];

	BK_TRY
	{
		BkTree	   *tree = bk_tree_new(memory);
		BkNodeRef	root = bk_tree_parse(tree, BK_TEXT(DOCUMENT), BK_ARGUMENT);
		BkNodeRef	found;

		for (BkNodeRef node = root; outlined && node < tree->count; node++)
		{
			if (bk_node_kind(tree, node) != BK_KIND_SCALAR)
				bk_tree_outline(tree, node);
		}
		if (!bk_path_find(tree, root, (BkText) {test->path, strlen(test->path)}, BK_ARGUMENT, &found))
			passed = test->found == NULL;
		else if (test->found)
			passed = bk_text_equal(bk_tree_text(tree, found), (BkText) {test->found, strlen(test->found)});
	}
	BK_CATCH
	{
		tap_raised();
		passed = test->found && test->found[0] == '!' && strcmp(bk_last_error.check, "path") == 0;
	}
	BK_END_TRY;
	snprintf(name, sizeof(name), "path number %d%s", (int) (test - cases), outlined ? " in an outlined tree" : "");
	tap_ok(passed, name);
	bk_memory_delete(memory);
}

static void
test_root(void)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	BkTree	   *tree = bk_tree_new(memory);
	BkNodeRef	root = bk_tree_parse(tree, BK_TEXT("7"), BK_ARGUMENT);
	BkNodeRef	found;

	tap_ok(bk_path_find(tree, root, BK_TEXT(""), BK_ARGUMENT, &found) && found == root, "the empty path is the root");
	tap_ok(!bk_path_find(tree, root, BK_TEXT("a"), BK_ARGUMENT, &found), "a scalar has no members");
	bk_memory_delete(memory);
}

static void
test_show(const char *path, const char *expected)
{
	char		shown[BK_PATH_SHOWN];

	tap_ok(strcmp(bk_path_show(shown, (BkText) {path, strlen(path)}), expected) == 0, expected);
}

static void
test_shown(void)
{
	char		shown[BK_PATH_SHOWN];
	char		path[600];

	test_show("a.b[0]", "a.b[0]");
	test_show("a\n\x7f", "a??");
	test_show("\xc3\xa9\xf0\x9f\x98\x80\xe2\x82\xac", "\xc3\xa9\xf0\x9f\x98\x80\xe2\x82\xac");
	test_show("\xc3" "a\xff\x80\xc3", "?a???");
	test_show("a\xc2\x85\xc2\x9b" "b\xc2\xa0", "a????b\xc2\xa0");
	for (int i = 0; i < 300; i++)
		memcpy(path + 2 * i, "\xc3\xa9", 2);
	bk_path_show(shown, (BkText) {path, 600});
	tap_ok(strlen(shown) == 201 && memcmp(shown, path, 198) == 0 && strcmp(shown + 198, "...") == 0,
		   "a long path is cut between characters");
}

int
main(void)
{
	for (size_t i = 0; i < lengthof(cases); i++)
	{
		test_case(&cases[i], false);
		test_case(&cases[i], true);
	}
	test_root();
	test_shown();
	return tap_done();
}
