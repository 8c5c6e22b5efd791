/*
 * parse.c
 *		From canonical text to a tree, accepting nothing else.
 */
#include "document/beside.h"
#include "document/scan.h"

/* What numeric can hold: more digits are never printed by numeric_out. */
#define MAX_INTEGER_DIGITS		131072
#define MAX_FRACTION_DIGITS		16383

#define INTERRUPT_EVERY			0x1000
#define MAX_NODES				UINT32_MAX
#define TEXT_PER_NODE			16	/* bytes; few documents have less */
#define LONG_TEXT				((size_t) (4 * 1024 * 1024))

/*
 * While a container is open its node's next is its parent, its len its last
 * child: so the nodes are their own stack.
 */
typedef struct Parser
{
	BkTree	   *tree;
	const char *start;
	const char *end;
	BkNodeRef	open;			/* innermost open container */
	bool		any_order;		/* of keys */
	BkBeside   *beside;			/* NULL: no old tree */
	BkOrigin	origin;
	const char *check;
} Parser;

BK_NORETURN static void fail_at(const Parser *parser, const char *at, const char *expected);

/* Raise that the text is wrong here. */
static void
fail_at(const Parser *parser, const char *at, const char *expected)
{
	bk_fail(parser->origin, parser->check, "%s at byte %zu of %zu", expected,
			(size_t) (at - parser->start), (size_t) (parser->end - parser->start));
}

/* Move past a literal, which must be there. */
static inline const char *
expect(const Parser *parser, const char *at, const char *literal, size_t len)
{
	if ((size_t) (parser->end - at) < len || memcmp(at, literal, len) != 0)
		fail_at(parser, at, "not canonical JSON");
	return at + len;
}

#define EXPECT(parser, at, literal)	expect(parser, at, literal, sizeof(literal) - 1)

/* Move past an escape, which must be the one that jsonb prints. */
static const char *
skip_escape(const Parser *parser, const char *at)
{
	ptrdiff_t	left = parser->end - at;

	if (left >= 2 && at[1] != '\0' && strchr("bfnrt\"\\", at[1]))
		return at + 2;
	if (left >= 6 && memcmp(at, "\\u00", 4) == 0)
	{
		char		c = at[5];

		if (at[4] == '1' && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return at + 6;
		if (at[4] == '0' && ((c >= '1' && c <= '7') || c == 'b' || c == 'e' || c == 'f'))
			return at + 6;
	}
	fail_at(parser, at, "not a canonical escape");
}

/* Move from within a string past its closing quote. */
static const char *
skip_rest_of_string(const Parser *parser, const char *at, bool *escaped)
{
	for (;;)
	{
		at = bk_find_special(at, parser->end);
		if (at == parser->end)
			fail_at(parser, at, "unterminated string");
		if (likely(*at == '"'))
			return at + 1;
		if (*at != '\\')
			fail_at(parser, at, "control character in a string");
		*escaped = true;
		at = skip_escape(parser, at);
	}
}

/* Move from the opening quote past the closing one, which mostly is not far. */
static inline const char *
skip_string(const Parser *parser, const char *at, bool *escaped)
{
	at++;
	if (likely(parser->end - at >= 16))
	{
		BkBlock		block;
		unsigned int first;

		memcpy(&block, at, 16);
		first = bk_block_find_special(block);
		at += first;
		if (likely(first < 16 && *at == '"'))
			return at + 1;
	}
	return skip_rest_of_string(parser, at, escaped);
}

/* Move past decimal digits, if any. */
static const char *
skip_digits(const char *at, const char *end)
{
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at;
}

/* Move past a number as numeric_out prints it. */
static const char *
skip_number(const Parser *parser, const char *at)
{
	bool		negative = *at == '-';
	const char *digits = at + negative;
	const char *point = skip_digits(digits, parser->end);
	const char *end = point;

	if (point == digits || (*digits == '0' && point - digits > 1))
		fail_at(parser, at, "not a canonical number");
	if (point < parser->end && *point == '.')
	{
		end = skip_digits(point + 1, parser->end);
		if (end == point + 1)
			fail_at(parser, at, "not a canonical number");
	}
	if (point - digits > MAX_INTEGER_DIGITS || end - point - 1 > MAX_FRACTION_DIGITS)
		fail_at(parser, at, "number out of range");
	if (negative)
	{
		while (digits < end && (*digits == '0' || *digits == '.'))
			digits++;
		if (digits == end)
			fail_at(parser, at, "not a canonical number");
	}
	return end;
}

/* Move past whatever scalar begins here. */
static const char *
skip_scalar(const Parser *parser, const char *at)
{
	bool		escaped;

	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what lies before the end is a byte of a text, which is never NULL. */
	switch (at < parser->end ? *at : '\0')
	{
		case '"':
			return skip_string(parser, at, &escaped);
		case 't':
			return EXPECT(parser, at, "true");
		case 'f':
			return EXPECT(parser, at, "false");
		case 'n':
			return EXPECT(parser, at, "null");
		case '-':
		case '0':
		case '1':
		case '2':
		case '3':
		case '4':
		case '5':
		case '6':
		case '7':
		case '8':
		case '9':
			return skip_number(parser, at);
		default:
			fail_at(parser, at, "no value");
	}
}

/* A new node, not initialised. */
static inline BkNodeRef
new_node(BkTree *tree)
{
	if (unlikely(tree->count == tree->capacity))
		tree->nodes = bk_array_enlarge(tree->memory, tree->nodes, &tree->capacity,
									   tree->count + 1, sizeof(BkNode));
	if (unlikely(tree->count % INTERRUPT_EVERY == 0))
	{
		BK_CHECK_INTERRUPTS();
		if (tree->count > MAX_NODES - INTERRUPT_EVERY)
			bk_fail_limit("documents of more than %u values cannot be handled", MAX_NODES);
	}
	return (BkNodeRef) tree->count++;
}

/* Append a new node to the children of the open container. */
static inline void
link_child(Parser *parser, BkNodeRef ref)
{
	BkNode	   *nodes = parser->tree->nodes;
	BkNode	   *open = &nodes[parser->open];

	if (open->len != BK_NO_NODE)
		nodes[open->len].next = ref;
	open->len = ref;
	if (unlikely((open->bits & BK_MAX_CHILDREN) == BK_MAX_CHILDREN))
		bk_fail_limit("arrays and objects of more than %u elements cannot be handled", BK_MAX_CHILDREN);
	open->bits++;
}

/* Parse the key of the next member, and check that it comes after the last one. */
static const char *
parse_key(Parser *parser, const char *at, uint32 *key_len, uint32 *key_bits)
{
	BkNodeRef	last = parser->tree->nodes[parser->open].len;
	const char *key = at;
	bool		escaped = false;

	if (at == parser->end || *at != '"')
		fail_at(parser, at, "no key");
	at = skip_string(parser, at, &escaped);
	*key_len = (uint32) (at - key);
	*key_bits = escaped ? BK_KEY_ESCAPED : 0;
	if (last != BK_NO_NODE && !parser->any_order)
	{
		BkKey		this_key = {{key + 1, *key_len - 2}, escaped};

		if (bk_key_compare(bk_node_key(parser->tree, last), this_key) >= 0)
			fail_at(parser, key, "key out of order");
	}
	return EXPECT(parser, at, ": ");
}

/*
 * Where the old tree has the same value in this place, make the new node its twin,
 * and return what comes after it; else NULL.
 */
static const char *
take_twin(Parser *parser, const char *at, BkNodeRef ref, BkNodeRef *old)
{
	BkTree	   *tree = parser->tree;
	BkNode	   *node = &tree->nodes[ref];
	BkKey		key;

	if (node->key_len > 0)
	{
		key = bk_node_key(tree, ref);
		*old = bk_beside_next(parser->beside, parser->open, &key);
	}
	else
		*old = bk_beside_next(parser->beside, parser->open, NULL);
	if (*old == BK_NO_NODE)
		return NULL;
	if (bk_beside_same(parser->beside, at, parser->end, *old))
	{
		node->len = tree->nodes[*old].len;
		bk_beside_twin(parser->beside, ref);
		return at + node->len;
	}
	if (node->key_len == 0 && parser->open != BK_NO_NODE)
	{
		bk_beside_part(parser->beside, parser->open);
		*old = BK_NO_NODE;
	}
	return NULL;
}

/*
 * Parse a scalar, an empty container, or the opening of another one, which is
 * then the open one.
 */
static inline const char *
parse_value(Parser *parser, const char *at, uint32 key_len, uint32 key_bits)
{
	BkTree	   *tree = parser->tree;
	BkNodeRef	ref = new_node(tree);
	BkNode	   *node = &tree->nodes[ref];
	BkNodeRef	old = BK_NO_NODE;
	char		first = at < parser->end ? *at : '\0';

	if (parser->open != BK_NO_NODE)
		link_child(parser, ref);
	*node = (BkNode) {.text = at, .key_len = key_len, .bits = key_bits};
	if (unlikely(parser->beside != NULL))
	{
		const char *after = take_twin(parser, at, ref, &old);

		if (after)
			return after;
	}
	if (first != '[' && first != '{')
	{
		at = skip_scalar(parser, at);
		node->len = (uint32) (at - node->text);
		return at;
	}
	node->bits |= first == '[' ? BK_KIND_ARRAY : BK_KIND_OBJECT;
	at++;
	if (at < parser->end && *at == (first == '[' ? ']' : '}'))
	{
		node->len = 2;
		return at + 1;
	}
	node->next = parser->open;
	parser->open = ref;
	if (unlikely(old != BK_NO_NODE) && bk_node_kind(tree, old) == bk_node_kind(tree, ref))
		bk_beside_open(parser->beside, ref, old);
	return at;
}

/*
 * Close the containers that end here, up to the comma before the next value or
 * the end of the text.
 */
static inline const char *
close_containers(Parser *parser, const char *at)
{
	BkNode	   *nodes = parser->tree->nodes;

	while (parser->open != BK_NO_NODE)
	{
		BkNode	   *open = &nodes[parser->open];
		BkNodeRef	parent = open->next;

		if (at < parser->end && *at == ',')
			return EXPECT(parser, at, ", ");
		if (at == parser->end || *at != ((open->bits & BK_KIND_MASK) == BK_KIND_ARRAY ? ']' : '}'))
			fail_at(parser, at, "neither a comma nor the end of an array or object");
		at++;
		if (unlikely(parser->beside != NULL))
			bk_beside_close(parser->beside, parser->open);
		open->len = (uint32) (at - open->text);
		open->next = BK_NO_NODE;
		parser->open = parent;
	}
	return at;
}

/* Parse the whole text. */
static BkNodeRef
parse_text(Parser *parser)
{
	BkNodeRef	root = (BkNodeRef) parser->tree->count;
	const char *at = parser->start;

	do
	{
		BkNodeRef	open;

		do
		{
			uint32		key_len = 0;
			uint32		key_bits = 0;

			open = parser->open;
			if (open != BK_NO_NODE && bk_node_kind(parser->tree, open) == BK_KIND_OBJECT)
				at = parse_key(parser, at, &key_len, &key_bits);
			at = parse_value(parser, at, key_len, key_bits);
		} while (parser->open != open);
		at = close_containers(parser, at);
	} while (parser->open != BK_NO_NODE);
	if (at != parser->end)
		fail_at(parser, at, "something after the end of the value");
	return root;
}

/*
 * Make room for the nodes of a first, long text at once: growing a large array
 * moves its pages, and what is too much of it is never touched.  A small one would
 * take up what was freed before, however much of it is needed.
 */
static void
expect_nodes(BkTree *tree, size_t text_len)
{
	if (tree->count == 1 && text_len >= LONG_TEXT)
		tree->nodes = bk_array_enlarge(tree->memory, tree->nodes, &tree->capacity,
									   text_len / TEXT_PER_NODE + 1, sizeof(BkNode));
}

/* Set up a parser, and run it. */
static BkNodeRef
parse(Parser parser, BkText text)
{
	if (text.len > BK_MAX_TEXT)
		bk_fail_limit("a text of %zu bytes is longer than the %zu that can be handled", text.len, BK_MAX_TEXT);
	expect_nodes(parser.tree, text.len);
	parser.start = text.data;
	parser.end = text.data + text.len;
	return parse_text(&parser);
}

BkNodeRef
bk_tree_parse_as(BkTree *tree, BkText text, BkOrigin origin, const char *check)
{
	return parse((Parser) {.tree = tree, .origin = origin, .check = check}, text);
}

BkNodeRef
bk_tree_parse(BkTree *tree, BkText text, BkOrigin origin)
{
	return bk_tree_parse_as(tree, text, origin, "document");
}

BkNodeRef
bk_tree_parse_any_order(BkTree *tree, BkText text)
{
	return parse((Parser) {.tree = tree, .any_order = true, .origin = BK_ARGUMENT, .check = "document"}, text);
}

BkNodeRef
bk_tree_parse_beside(BkTree *tree, BkText text, BkNodeRef old, BkOrigin origin)
{
	BkBeside	beside = {.tree = tree};
	BkNodeRef	root;

	bk_beside_begin(&beside, old);
	root = parse((Parser) {.tree = tree, .beside = &beside, .origin = origin, .check = "document"}, text);
	bk_free(tree->memory, beside.pairs);
	return root;
}
