/*
 * test_document.c
 *		What is canonical text and what is not, and the order of keys.
 *
 * cc -std=gnu11 -DFRONTEND -Isrc test/unit/document/test_document.c src/common/error.c
 *    src/common/memory.c src/document/{beside,buffer,key,outline,parse,sort,tree}.c -lcrypto
 */
#include "document/beside.h"

#include <stdlib.h>

#include "tap.h"

static const char *const canonical[] = {
	"null", "true", "false", "0", "-1", "10", "1.0", "1.00", "0.0", "-0.5", "-10.01", "0.10",
	"123456789012345678901234567890.000000000000000000001",
	"\"\"", "\"a\"", "\"\\b\\f\\n\\r\\t\\\"\\\\\"", "\"\\u0001\\u0007\\u000b\\u000e\\u001f\"",
	"\"/\x7f\xc3\xa9\xf0\x9f\x98\x80\"", "\"12345678\"", "\"1234567\\n12345678\\n1\"",
	"[]", "{}", "[[]]", "[{}]", "[1]", "[1, 2]", "[[], {}, [[]]]", "{\"\": 1}", "{\"a\": {}}",
	"{\"a\": 1, \"b\": 2}", "{\"b\": 1, \"aa\": 2}", "{\"\\n\": 1, \"a\": 2}", "{\"z\": 1, \"\xc3\xa9\": 2}",
	"{\"\\u0001\": 1, \"\\\"\": 2, \"aa\": 3}", "{\"a\\n\": 1, \"ab\": 2, \"b\\\\\": 3}",
	"{\"\\u001f\\u001f\": 1, \"zzz\": 2}"
};

static const char *const not_canonical[] = {
	"", " ", " 1", "1 ", "1\n", "nul", "nulll", "True", "tru", "fals", "+1", "-", "01", "00", "1.", ".5", "-.5",
	"1e5", "1E5", "1.5e1", "-0", "-0.0", "-0.00", "--1", "0x1", "NaN", "Infinity",
	"\"", "\"a", "\"a\\", "\"\\\"", "\"\\u\"", "\"\\u00\"", "\"\\u0000\"", "\"\\u0008\"", "\"\\u000a\"", "\"\\u0009\"",
	"\"\\u000c\"", "\"\\u000d\"", "\"\\u001F\"", "\"\\u0020\"", "\"\\u0061\"", "\"\\u00e9\"", "\"\\/\"", "\"\\x\"",
	"\"\n\"", "\"\x01\"", "\"12345678\x1f\"", "\"a\"b", "'a'", "a",
	"[", "]", "[1", "[1,", "[1, ", "[1,2]", "[1 , 2]", "[1,  2]", "[1, ]", "[, 1]", "[ 1]", "[1 ]", "[ ]", "[1]]", "[1}",
	"{", "}", "{1: 2}", "{\"a\"}", "{\"a\":1}", "{\"a\" : 1}", "{\"a\":  1}", "{\"a\": }", "{\"a\": 1", "{\"a\": 1,",
	"{\"a\": 1, ", "{\"a\": 1, }", "{\"a\": 1,\"b\": 2}", "{\"a\": 1 }", "{ }", "{ \"a\": 1}", "{\"a\": 1]", "{a: 1}",
	"{\"a\": 1, \"a\": 1}", "{\"b\": 1, \"a\": 1}", "{\"aa\": 1, \"b\": 1}", "{\"a\": 1, \"\": 1}",
	"{\"a\": 1, \"\\n\": 1}", "{\"\\n\": 1, \"\\n\": 1}", "{\"\xc3\xa9\": 1, \"z\": 2}", "{\"ab\": 1, \"a\\n\": 1}",
	"{\"zzz\": 1, \"\\u001f\\u001f\": 2}", "[1]1", "{}{}", "1 2", "\xef\xbb\xbf" "1", "[1, 2", "{\"a", "{\"a\"", "{\"a\":", "{\"a\": "
};

static bool
accepts(BkText text)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	volatile bool accepted = false;

	BK_TRY
	{
		BkTree	   *tree = bk_tree_new(memory);
		BkNodeRef	root = bk_tree_parse(tree, text, (BkOrigin) {7});

		accepted = bk_text_equal(bk_tree_text(tree, root), text);
	}
	BK_CATCH
	{
		tap_raised();
		if (strcmp(bk_last_error.check, "document") != 0 || strcmp(bk_last_error.sqlstate, "XX001") != 0)
			abort();
	}
	BK_END_TRY;
	bk_memory_delete(memory);
	return accepted;
}

static void
test_tables(void)
{
	char		name[300];

	for (size_t i = 0; i < lengthof(canonical); i++)
	{
		snprintf(name, sizeof(name), "canonical number %zu: %zu bytes", i, strlen(canonical[i]));
		tap_ok(accepts((BkText) {canonical[i], strlen(canonical[i])}), name);
	}
	for (size_t i = 0; i < lengthof(not_canonical); i++)
	{
		snprintf(name, sizeof(name), "not canonical number %zu: %zu bytes", i, strlen(not_canonical[i]));
		tap_ok(!accepts((BkText) {not_canonical[i], strlen(not_canonical[i])}), name);
	}
	tap_ok(!accepts((BkText) {"\"a\0b\"", 5}), "NUL in a string");
	tap_ok(!accepts((BkText) {"\0", 1}), "NUL alone");
}

/* count times the same text; freed with the memory. */
static char *
repeat(BkMemory memory, const char *text, size_t count, char *to)
{
	size_t		len = strlen(text);

	if (to == NULL)
		to = bk_alloc(memory, count * len * 2 + 64);
	for (size_t i = 0; i < count; i++)
		memcpy(to + i * len, text, len);
	return to;
}

static bool
accepts_digits(size_t whole, size_t fraction)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	char	   *text = repeat(memory, "9", whole + fraction, NULL);
	size_t		len = whole;
	bool		accepted;

	if (fraction > 0)
	{
		text[whole] = '.';
		repeat(memory, "9", fraction, text + whole + 1);
		len += fraction + 1;
	}
	accepted = accepts((BkText) {text, len});
	bk_memory_delete(memory);
	return accepted;
}

static void
test_limits(void)
{
	tap_ok(accepts_digits(131072, 0), "as many digits as numeric has");
	tap_ok(!accepts_digits(131073, 0), "more digits than numeric has");
	tap_ok(accepts_digits(1, 16383), "as many decimals as numeric has");
	tap_ok(!accepts_digits(1, 16384), "more decimals than numeric has");
}

static void
test_depth(void)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	size_t		depth = 1000000;
	char	   *text = repeat(memory, "[", depth, NULL);

	tap_ok(!accepts((BkText) {text, depth}), "a million open arrays");
	repeat(memory, "]", depth, text + depth);
	tap_ok(accepts((BkText) {text, depth * 2}), "an array a million deep");
	bk_memory_delete(memory);
}

/* Several texts in one tree. */
static void
test_two_texts(void)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	BkTree	   *tree = bk_tree_new(memory);
	BkText		a = BK_TEXT("{\"a\": [1, 2]}");
	BkText		b = BK_TEXT("[true]");
	BkNodeRef	a_root = bk_tree_parse(tree, a, BK_ARGUMENT);
	BkNodeRef	b_root = bk_tree_parse(tree, b, BK_ARGUMENT);

	tap_ok(bk_text_equal(bk_tree_text(tree, a_root), a), "the first text");
	tap_ok(bk_text_equal(bk_tree_text(tree, b_root), b), "the second text");
	bk_memory_delete(memory);
}

/* A short key is found among ones that are huge and escaped. */
static void
test_huge_keys(void)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	char	   *huge = repeat(memory, "\\u0001", 1000, NULL);
	BkKey		a = {{huge, 6000}, true};
	BkKey		b = {{"k", 1}, false};
	BkKey		c = {{huge, 5994}, true};

	tap_ok(bk_key_compare(a, b) > 0, "a huge key after a short one");
	tap_ok(bk_key_compare(b, a) < 0, "a short key before a huge one");
	tap_ok(bk_key_compare(c, a) < 0, "one escape less comes first");
	tap_ok(bk_key_compare(a, a) == 0, "equal keys");
	bk_memory_delete(memory);
}

/* Strings and keys cut anywhere, in memory of exactly their size. */
static void
test_cut_strings(void)
{
	static const char text[] = "{\"0123456789012345678901234567890123456789\": \"0123456789012345678901234567890123456789\"}";
	size_t		wrong = 0;

	for (size_t start = 0; start < sizeof(text) - 1; start++)
		for (size_t len = 1; start + len < sizeof(text) - 1; len++)
		{
			char	   *exact = malloc(len);
			bool		whole;

			memcpy(exact, text + start, len);
			whole = exact[0] == '"' && memchr(exact + 1, '"', len - 1) == exact + len - 1;
			if (exact[0] == '"' || exact[0] == '{')
				wrong += accepts((BkText) {exact, len}) != whole;
			free(exact);
		}
	tap_ok(wrong == 0, "strings that are cut are refused, and nothing beyond is read");
}

/* A text as the member "k" of an object, or an element between others, or as it is. */
static BkText
wrapped(BkMemory memory, const char *format, const char *text)
{
	size_t		size = strlen(format) + strlen(text) + 1;
	char	   *result = bk_alloc(memory, size);

	return (BkText) {result, (size_t) snprintf(result, size, format, text)};
}

/* Parse a text beside another one; is it accepted, and written again as it was? */
static bool
accepts_beside(BkText old, BkText text)
{
	BkMemory	memory = bk_memory_new(NULL, "test");
	volatile bool accepted = false;

	BK_TRY
	{
		BkTree	   *tree = bk_tree_new(memory);
		BkNodeRef	old_root = bk_tree_parse(tree, old, BK_ARGUMENT);
		BkNodeRef	root = bk_tree_parse_beside(tree, text, old_root, BK_ARGUMENT);

		accepted = bk_text_equal(bk_tree_text(tree, root), text);
	}
	BK_CATCH
	{
		tap_raised();
		if (strcmp(bk_last_error.check, "document") != 0)
			abort();
	}
	BK_END_TRY;
	bk_memory_delete(memory);
	return accepted;
}

/* Whatever the old document is, the same texts are accepted. */
static void
test_beside_tables(void)
{
	static const char *const formats[] = {"%s", "{\"k\": %s}", "[0, %s, 2]", "{\"a\": [[1], %s], \"k\": {\"l\": {}}}"};
	BkMemory	memory = bk_memory_new(NULL, "texts");
	size_t		wrong = 0;

	for (size_t f = 0; f < lengthof(formats); f++)
		for (size_t old = 0; old < lengthof(canonical); old++)
		{
			BkText		old_text = wrapped(memory, formats[f], canonical[old]);

			for (size_t i = 0; i < lengthof(canonical); i++)
				wrong += !accepts_beside(old_text, wrapped(memory, formats[f], canonical[i]));
			for (size_t i = 0; i < lengthof(not_canonical); i++)
			{
				BkText		text = wrapped(memory, formats[f], not_canonical[i]);

				wrong += accepts_beside(old_text, text) != accepts(text);
			}
		}
	tap_ok(wrong == 0, "beside any other document the same texts are accepted");
	bk_memory_delete(memory);
}

/* Are these, one after another, the texts of the root's children that are twins of an old root's? */
static bool
twins_are(BkTree *tree, BkNodeRef old, const char *text, const char *expected)
{
	BkNodeRef	root = bk_tree_parse_beside(tree, wrapped(tree->memory, "%s", text), old, BK_ARGUMENT);
	char		twins[100] = "";

	for (BkNodeRef child = bk_node_first(tree, root); child; child = bk_node_next(tree, child))
	{
		BkText		slice = bk_node_slice(tree, child);

		if (bk_node_kind(tree, child) == BK_KIND_TWIN)
			strncat(twins, slice.data, slice.len);
	}
	return strcmp(twins, expected) == 0;
}

/* Which values of a text that is parsed beside another one are that one's own. */
static void
test_twins(void)
{
	static const char *const cases[][4] = {
		/* name, old, new, the texts of the new root's children that are twins */
		{"members with the same key", "{\"a\": [1], \"b\": 2, \"d\": {}}", "{\"a\": [1], \"b\": 3, \"c\": 2, \"d\": {}}", "[1]{}"},
		{"a number that goes on", "{\"a\": 1, \"b\": 2.5}", "{\"a\": 12, \"b\": 2.50}", ""},
		{"elements up to the first that differs", "[[1], 2, [3], 4]", "[[1], 2, [5], 4]", "[1]2"},
		{"an element less", "[[1], 2, [3]]", "[[1], 2]", "[1]2"},
		{"an element more", "[[1], 2]", "[[1], 2, 2]", "[1]2"},
		{"an object where an array was", "[1, 2]", "{\"a\": 1}", ""},
		{"a member that moved", "{\"b\": {\"x\": 1}}", "{\"a\": {\"x\": 1}, \"b\": {\"x\": 1}}", "{\"x\": 1}"},
		{"a key with escapes", "{\"\\n\": [1], \"aa\": 2}", "{\"\\n\": [1], \"aa\": 3}", "[1]"}
	};

	for (size_t i = 0; i < lengthof(cases); i++)
	{
		BkMemory	memory = bk_memory_new(NULL, "twins");
		BkTree	   *tree = bk_tree_new(memory);
		BkText		old = wrapped(memory, "%s", cases[i][1]);

		tap_ok(twins_are(tree, bk_tree_parse(tree, old, BK_ARGUMENT), cases[i][2], cases[i][3]), cases[i][0]);
		bk_memory_delete(memory);
	}
}

/* Of an old object that was changed, and has no text any more, the children tell whether it is the same. */
static void
test_twins_of_changed(void)
{
	static const char *const cases[][3] = {
		/* name, new, the texts of the new root's children that are twins */
		{"a changed object that is the same", "{\"a\": {\"x\": {}, \"y\": [2]}, \"b\": 2}", "{\"x\": {}, \"y\": [2]}"},
		{"a changed object with a member less", "{\"a\": {\"x\": {}}, \"b\": 1}", "1"},
		{"a changed object with a member more", "{\"a\": {\"x\": {}, \"y\": [2], \"z\": 3}, \"b\": 1}", "1"},
		{"a changed object with another member", "{\"a\": {\"x\": {}, \"y\": [3]}, \"b\": 1}", "1"},
		{"an empty object where a changed one was", "{\"a\": {}, \"b\": 1}", "1"}
	};

	for (size_t i = 0; i < lengthof(cases); i++)
	{
		BkMemory	memory = bk_memory_new(NULL, "twins");
		BkTree	   *tree = bk_tree_new(memory);
		BkNodeRef	root = bk_tree_parse(tree, BK_TEXT("{\"a\": {\"x\": {}, \"y\": [2]}, \"b\": 1}"), BK_ARGUMENT);

		bk_tree_outline(tree, root);
		bk_tree_outline(tree, bk_tree_child(tree, root, 0));
		tap_ok(twins_are(tree, root, cases[i][1], cases[i][2]), cases[i][0]);
		bk_memory_delete(memory);
	}
}

int
main(void)
{
	test_tables();
	test_limits();
	test_depth();
	test_two_texts();
	test_huge_keys();
	test_cut_strings();
	test_beside_tables();
	test_twins();
	test_twins_of_changed();
	return tap_done();
}
