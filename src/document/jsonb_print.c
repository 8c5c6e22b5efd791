/*
 * jsonb_print.c
 *		From jsonb to canonical text.  Needs the server.
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

/* A container that is being printed. */
typedef struct Frame
{
	const JEntry *keys;			/* NULL for an array */
	const JEntry *values;
	const char *data;			/* of its children */
	uint32		count;
	uint32		index;			/* of the child to print next */
	uint32		key_end;		/* where the keys, and the values, so far end */
	uint32		value_end;
	char		closing;		/* bracket; none for the pseudo-array around a scalar */
} Frame;

typedef struct Printer
{
	BkBuffer	buffer;
	const char *end;			/* of the jsonb */
	Frame	   *frames;
	size_t		depth;
	size_t		capacity;
} Printer;

/* Print a string that needs escapes. */
static void
print_escaped(BkBuffer *buffer, const char *data, uint32 len)
{
	bk_buffer_append_char(buffer, '"');
	bk_buffer_append_escaped(buffer, (BkText) {data, len});
	bk_buffer_append_char(buffer, '"');
}

/*
 * Print a string or a key.  What was reserved is always a block more, so a short
 * one is copied as a whole block, where the jsonb goes on for as long.
 */
static inline void
print_string(Printer *printer, const char *data, uint32 len)
{
	BkBuffer   *buffer = &printer->buffer;
	char	   *to;
	bool		plain;

	if (unlikely(!bk_buffer_reserve(buffer, (size_t) len + 2 + sizeof(BkBlock))))
		return;
	to = buffer->data + buffer->len;
	if (likely(len <= sizeof(BkBlock) && (size_t) (printer->end - data) >= sizeof(BkBlock)))
	{
		BkBlock		block;

		memcpy(&block, data, sizeof(block));
		memcpy(to + 1, &block, sizeof(block));
		plain = bk_block_find_special(block) >= len;
	}
	else
		plain = bk_copy_plain(to + 1, data, len);
	if (unlikely(!plain))
	{
		print_escaped(buffer, data, len);
		return;
	}
	to[0] = to[len + 1] = '"';
	buffer->len += (size_t) len + 2;
}

/* Print a numeric. */
static void
print_number(BkBuffer *buffer, const char *data)
{
	char	   *text;
	size_t		len;

	if (unlikely(!bk_buffer_reserve(buffer, BK_NUMBER_CHARS)))
		return;
	len = bk_number_print(buffer->data + buffer->len, data);
	buffer->len += len;
	if (likely(len > 0))
		return;
	text = DatumGetCString(DirectFunctionCall1(numeric_out, PointerGetDatum(data)));

	bk_buffer_append(buffer, text, strlen(text));
	pfree(text);
}

/* Begin to print a container. */
static void
open_container(Printer *printer, const char *data)
{
	const JsonbContainer *container = (const JsonbContainer *) data;
	uint32		count = JsonContainerSize(container);
	bool		object = JsonContainerIsObject(container);
	const JEntry *values = container->children + (object ? count : 0);
	Frame	   *frame;

	printer->frames = bk_array_enlarge(printer->buffer.memory, printer->frames, &printer->capacity,
									   printer->depth + 1, sizeof(Frame));
	frame = &printer->frames[printer->depth++];
	*frame = (Frame) {
		.keys = object ? container->children : NULL,
		.values = values,
		.data = (const char *) (values + count),
		.count = count,
		.value_end = object && count > 0 ? getJsonbOffset(container, (int) count) : 0,
		.closing = JsonContainerIsScalar(container) ? '\0' : object ? '}' : ']'
	};
	if (frame->closing)
		bk_buffer_append_char(&printer->buffer, object ? '{' : '[');
}

/* Print a value, or begin it where it is a container. */
static inline void
print_value(Printer *printer, JEntry entry, const char *data, uint32 offset, uint32 len)
{
	BkBuffer   *buffer = &printer->buffer;

	switch (entry & JENTRY_TYPEMASK)
	{
		case JENTRY_ISSTRING:
			print_string(printer, data + offset, len);
			break;
		case JENTRY_ISNUMERIC:
			print_number(buffer, data + INTALIGN(offset));
			break;
		case JENTRY_ISBOOL_TRUE:
			bk_buffer_append(buffer, "true", 4);
			break;
		case JENTRY_ISBOOL_FALSE:
			bk_buffer_append(buffer, "false", 5);
			break;
		case JENTRY_ISNULL:
			bk_buffer_append(buffer, "null", 4);
			break;
		case JENTRY_ISCONTAINER:
			open_container(printer, data + INTALIGN(offset));
			break;
		default:
			elog(ERROR, "unknown type of jsonb value");
	}
}

/* Print the next child of the innermost container. */
static inline void
print_next(Printer *printer, Frame *frame)
{
	uint32		start = frame->value_end;
	uint32		index = frame->index++;

	if (index > 0)
		bk_buffer_append(&printer->buffer, ", ", 2);
	if (frame->keys)
	{
		uint32		key_start = frame->key_end;

		JBE_ADVANCE_OFFSET(frame->key_end, frame->keys[index]);
		print_string(printer, frame->data + key_start, frame->key_end - key_start);
		bk_buffer_append(&printer->buffer, ": ", 2);
	}
	JBE_ADVANCE_OFFSET(frame->value_end, frame->values[index]);
	print_value(printer, frame->values[index], frame->data, start, frame->value_end - start);
}

/* End the innermost container. */
static void
close_container(Printer *printer, Frame *frame)
{
	printer->depth--;
	if (frame->closing)
		bk_buffer_append_char(&printer->buffer, frame->closing);
}

/*
 * Convert a text to UTF-8.  Keys get another length by that, so their order
 * changes.
 */
static BkText
convert_from_server(BkMemory memory, BkBuffer *buffer)
{
	char	   *converted;
	BkText		text;

	if (buffer->len >= MaxAllocSize)
		bk_fail_limit("a document of %zu bytes cannot be converted to UTF-8", buffer->len);
	converted = pg_server_to_any(buffer->data, (int) buffer->len, PG_UTF8);
	if (converted == buffer->data)
		return bk_buffer_text(buffer);
	bk_free(memory, buffer->data);
	text = bk_text_sort_keys(memory, (BkText) {converted, strlen(converted)});
	pfree(converted);
	return text;
}

BkText
bk_document_from_jsonb(BkMemory memory, Jsonb *value)
{
	Printer		printer = {.end = (const char *) value + VARSIZE(value)};

	bk_buffer_init(&printer.buffer, memory, VARSIZE(value) + sizeof(BkBlock), BK_MAX_TEXT);
	open_container(&printer, (const char *) &value->root);
	for (uint32 steps = 1; printer.depth > 0; steps++)
	{
		Frame	   *frame = &printer.frames[printer.depth - 1];

		if (frame->index < frame->count)
			print_next(&printer, frame);
		else
			close_container(&printer, frame);
		if (steps % 0x400 == 0)
			CHECK_FOR_INTERRUPTS();
	}
	bk_free(memory, printer.frames);
	if (printer.buffer.full)
		bk_fail_limit("the document is longer than the %zu bytes that can be handled", BK_MAX_TEXT);
	if (GetDatabaseEncoding() == PG_UTF8)
		return bk_buffer_text(&printer.buffer);
	return convert_from_server(memory, &printer.buffer);
}
