/*
 * jsonb_build.c
 *		From canonical text, or its tree, to jsonb, built in one pass without
 *		sorting.  Needs the server.
 */
#include "document/document.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "document/jsonb_number.h"
#include "document/scan.h"
#include "document/tree.h"

#define VERIFY_AT_ONCE		0x10000000

/* A container that is being built; offsets are from the start of the buffer. */
typedef struct Frame
{
	BkChildren	children;		/* that are still to come */
	uint32		start;			/* with the padding before it */
	uint32		entries;		/* where its JEntries are */
	uint32		index;			/* of the JEntry to fill next */
	uint32		length;			/* of the children so far */
} Frame;

typedef struct Builder
{
	BkTree	   *tree;
	char	   *data;
	size_t		len;
	size_t		capacity;
	Frame	   *frames;
	size_t		depth;
	size_t		frame_capacity;
	char	   *number;			/* a number as a string */
	size_t		number_capacity;
} Builder;

/* Make room for extra bytes. */
static void
enlarge(Builder *builder, size_t extra)
{
	if (extra > MaxAllocSize - builder->len)
		bk_fail_limit("the document as jsonb is larger than the %zu bytes that a value can have", (size_t) MaxAllocSize);
	builder->capacity = Min(Max(builder->capacity * 2, builder->len + extra), MaxAllocSize);
	builder->data = bk_realloc(CurrentMemoryContext, builder->data, builder->capacity);
}

/* Claim extra bytes, after making room for them. */
static inline char *
claim(Builder *builder, size_t extra)
{
	char	   *start;

	if (unlikely(extra > builder->capacity - builder->len))
		enlarge(builder, extra);
	start = builder->data + builder->len;
	builder->len += extra;
	return start;
}

/* Pad to where an integer may stand. */
static inline void
align(Builder *builder)
{
	size_t		padding = INTALIGN(builder->len) - builder->len;
	char	   *to = claim(builder, padding);

	while (padding-- > 0)
		*to++ = '\0';
}

/* Write into bytes that were claimed before. */
static inline void
put_uint32(Builder *builder, size_t offset, uint32 value)
{
	memcpy(builder->data + offset, &value, sizeof(value));
}

/* Fill the next JEntry of the innermost container; the child's bytes are there. */
static inline void
add_child(Builder *builder, JEntry type, size_t len)
{
	Frame	   *frame = &builder->frames[builder->depth - 1];
	JEntry		entry = type | (JEntry) len;

	if (unlikely(len > JENTRY_OFFLENMASK - frame->length))
		bk_fail_limit("an array or object in the document is larger than the %u bytes that jsonb can hold", JENTRY_OFFLENMASK);
	frame->length += (uint32) len;
	if (frame->index % JB_OFFSET_STRIDE == 0)
		entry = type | frame->length | JENTRY_HAS_OFF;
	put_uint32(builder, frame->entries + frame->index++ * sizeof(JEntry), entry);
}

/* Add a string from its text between the quotes; nothing but an escape stops the plain copy. */
static inline void
add_string(Builder *builder, BkText text)
{
	size_t		start = builder->len;
	char	   *to = claim(builder, text.len);

	if (unlikely(!bk_copy_plain(to, text.data, text.len)))
		builder->len = start + bk_unescape(to, text);
	if (unlikely(builder->len - start > JENTRY_OFFLENMASK))
		bk_fail_limit("a string in the document is longer than the %u bytes that jsonb can hold", JENTRY_OFFLENMASK);
	add_child(builder, JENTRY_ISSTRING, builder->len - start);
}

/* A number by way of numeric_in. */
static Numeric
parse_numeric(Builder *builder, BkText text)
{
	builder->number = bk_array_enlarge(CurrentMemoryContext, builder->number,
									   &builder->number_capacity, text.len + 1, 1);
	memcpy(builder->number, text.data, text.len);
	builder->number[text.len] = '\0';
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(builder->number),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* Add a number, aligned. */
static void
add_number(Builder *builder, BkText text)
{
	size_t		start = builder->len;
	Numeric		number;

	align(builder);
	if (likely(text.len <= BK_NUMBER_CHARS))
	{
		char	   *to = claim(builder, BK_NUMBER_BYTES);

		builder->len -= BK_NUMBER_BYTES - bk_number_write(to, text);
	}
	else
	{
		number = parse_numeric(builder, text);
		memcpy(claim(builder, VARSIZE_ANY(number)), number, VARSIZE_ANY(number));
		pfree(number);
	}
	add_child(builder, JENTRY_ISNUMERIC, builder->len - start);
}

/* Add a scalar from its text. */
static void
add_scalar(Builder *builder, BkText text)
{
	switch (text.data[0])
	{
		case '"':
			add_string(builder, (BkText) {text.data + 1, text.len - 2});
			break;
		case 't':
			add_child(builder, JENTRY_ISBOOL_TRUE, 0);
			break;
		case 'f':
			add_child(builder, JENTRY_ISBOOL_FALSE, 0);
			break;
		case 'n':
			add_child(builder, JENTRY_ISNULL, 0);
			break;
		default:
			add_number(builder, text);
	}
}

/* Begin a container: its header, room for its JEntries, and an object's keys. */
static void
open_container(Builder *builder, uint32 header, uint32 entry_count, BkChildren children)
{
	Frame	   *frame;

	builder->frames = bk_array_enlarge(CurrentMemoryContext, builder->frames, &builder->frame_capacity,
									   builder->depth + 1, sizeof(Frame));
	frame = &builder->frames[builder->depth++];
	*frame = (Frame) {.children = children, .start = (uint32) builder->len};
	align(builder);
	claim(builder, sizeof(uint32));
	put_uint32(builder, builder->len - sizeof(uint32), header);
	frame->entries = (uint32) builder->len;
	claim(builder, (size_t) entry_count * sizeof(JEntry));
	if ((header & JB_FOBJECT) == 0)
		return;
	for (; children.node; bk_children_move(builder->tree, &children))
		add_string(builder, bk_node_key(builder->tree, children.node).text);
}

/* End the innermost container, which is then a child of the one around it. */
static void
close_container(Builder *builder)
{
	size_t		len = builder->len - builder->frames[--builder->depth].start;

	if (len > JENTRY_OFFLENMASK)
		bk_fail_limit("an array or object in the document is larger than the %u bytes that jsonb can hold", JENTRY_OFFLENMASK);
	if (builder->depth > 0)
		add_child(builder, JENTRY_ISCONTAINER, len);
}

/* Add a value, or begin it where it is a container. */
static void
add_value(Builder *builder, BkNodeRef node)
{
	uint32		count = bk_node_count(builder->tree, node);

	switch (bk_node_kind(builder->tree, node))
	{
		case BK_KIND_ARRAY:
			open_container(builder, JB_FARRAY | count, count, bk_children(builder->tree, node));
			break;
		case BK_KIND_OBJECT:
			open_container(builder, JB_FOBJECT | count, count * 2, bk_children(builder->tree, node));
			break;
		default:
			add_scalar(builder, bk_node_slice(builder->tree, node));
	}
}

/* A scalar at the root is the only element of a pseudo-array. */
static void
add_root(Builder *builder, BkNodeRef root)
{
	if (bk_node_kind(builder->tree, root) == BK_KIND_SCALAR)
		open_container(builder, JB_FARRAY | JB_FSCALAR | 1, 1, (BkChildren) {.node = BK_NO_NODE});
	add_value(builder, root);
}

/* Build the jsonb of a parsed text, whose length is a first guess. */
static Jsonb *
build(BkTree *tree, BkNodeRef root, size_t text_len)
{
	Builder		builder = {.tree = tree, .len = VARHDRSZ};

	builder.capacity = Min(text_len + text_len / 4 + 64, MaxAllocSize);
	builder.data = bk_alloc(CurrentMemoryContext, builder.capacity);
	add_root(&builder, root);
	for (uint32 steps = 1; builder.depth > 0; steps++)
	{
		BkChildren *children = &builder.frames[builder.depth - 1].children;
		BkNodeRef	child = children->node;

		if (child == BK_NO_NODE)
			close_container(&builder);
		else
		{
			bk_children_move(tree, children);
			add_value(&builder, child);
		}
		if (steps % 0x400 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	bk_free(CurrentMemoryContext, builder.frames);
	bk_free(CurrentMemoryContext, builder.number);
	SET_VARSIZE(builder.data, builder.len);
	return (Jsonb *) builder.data;
}

/* Verify in pieces, since a piece's length is an int. */
static void
verify_utf8(BkText text, BkOrigin origin)
{
	size_t		done = 0;

	while (done < text.len)
	{
		int			piece = (int) Min(text.len - done, VERIFY_AT_ONCE);
		int			valid = pg_encoding_verifymbstr(PG_UTF8, text.data + done, piece);

		/* a piece, unlike the text, may end within a character */
		done += valid;
		if (valid < piece && (valid < piece - 3 || done + (piece - valid) == text.len))
			bk_fail(origin, "document", "not UTF-8 at byte %zu of %zu", done, text.len);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Build by way of jsonb_in, in a database of another encoding. */
static Jsonb *
convert_to_server(BkText text)
{
	char	   *copy;
	char	   *converted;
	Jsonb	   *result;

	if (text.len >= MaxAllocSize)
		bk_fail_limit("a document of %zu bytes cannot be converted to the encoding of the database", text.len);
	copy = pnstrdup(text.data, text.len);
	converted = pg_any_to_server(copy, (int) text.len, PG_UTF8);
	result = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(converted)));
	if (converted != copy)
		pfree(converted);
	pfree(copy);
	return result;
}

Jsonb *
bk_document_build(const BkDocument *document, BkOrigin origin)
{
	BkText		text = document->text;
	int			encoding = GetDatabaseEncoding();
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service document");
	BkTree	   *tree = document->tree;
	BkNodeRef	root = document->root;
	Jsonb	   *result;

	verify_utf8(text, origin);
	if (tree == NULL)
	{
		tree = bk_tree_new(memory);
		root = bk_tree_parse(tree, text, origin);
	}
	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		result = build(tree, root, text.len);
	else
		result = convert_to_server(text);
	bk_memory_delete(memory);
	return result;
}

Jsonb *
bk_document_to_jsonb(BkText text, BkOrigin origin)
{
	return bk_document_build(&(BkDocument) {.text = text}, origin);
}
