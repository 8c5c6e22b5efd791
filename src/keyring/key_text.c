/*
 * key_text.c
 *		Parses the text of a key file, and writes its lines.
 */
#include "keyring/key_text.h"

#include <stdio.h>

#define SHORTEST_LINE	(2 + 2 * BK_KEK_BYTES)	/* one digit, colon, key */

typedef struct KeyParser
{
	const char *source;
	int			line;
	int			count;
	BkKeyEntry *entries;
} KeyParser;

BK_NORETURN
static void
malformed(KeyParser *parser, const char *detail)
{
#ifdef FRONTEND
	bk_fail(BK_ARGUMENT, "key file", "line %d of \"%s\" %s", parser->line, parser->source, detail);
#else
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("key file \"%s\" is malformed", parser->source),
			 errdetail("Line %d %s.", parser->line, detail),
			 errhint("Every line is a version, a colon and 64 hex digits; blank lines and lines that begin with # are left out.")));
#endif
}

/* Take the digits before the colon off the line. */
static int32
parse_version(KeyParser *parser, BkText *line)
{
	int64		version = 0;
	bool		leading_zero = line->len > 0 && line->data[0] == '0';

	while (line->len > 0 && line->data[0] >= '0' && line->data[0] <= '9' &&
		   version <= PG_INT32_MAX)
	{
		version = version * 10 + (line->data[0] - '0');
		line->data++;
		line->len--;
	}
	if (version < 1 || version > PG_INT32_MAX || leading_zero)
		malformed(parser, "does not begin with a version from 1 to 2147483647");
	if (line->len == 0 || line->data[0] != ':')
		malformed(parser, "has no colon after the version");
	line->data++;
	line->len--;
	return (int32) version;
}

/* The value of a hex digit, or -1. */
static int
hex_digit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

bool
bk_key_text_hex(BkText text, uint8 kek[BK_KEK_BYTES])
{
	if (text.len != 2 * BK_KEK_BYTES)
		return false;
	for (int i = 0; i < BK_KEK_BYTES; i++)
	{
		int			high = hex_digit(text.data[2 * i]);
		int			low = hex_digit(text.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		kek[i] = (uint8) (high << 4 | low);
	}
	return true;
}

static void
parse_line(KeyParser *parser, BkText line)
{
	BkKeyEntry *entry = &parser->entries[parser->count];

	if (line.len == 0 || line.data[0] == '#')
		return;
	if (line.data[line.len - 1] == '\r')
		malformed(parser, "ends with a carriage return");
	entry->version = parse_version(parser, &line);
	if (!bk_key_text_hex(line, entry->kek))
		malformed(parser, "does not have 64 hex digits after the colon");
	for (int i = 0; i < parser->count; i++)
		if (parser->entries[i].version == entry->version)
			malformed(parser, "names a version that an earlier line has");
	parser->count++;
}

int
bk_key_text_parse(BkMemory memory, BkText text, const char *source, BkKeyEntry **entries)
{
	KeyParser	parser = {.source = source};

	/* one more for a last line without an end, one for a line that turns out malformed */
	parser.entries = bk_alloc_secret(memory, (text.len / SHORTEST_LINE + 2) * sizeof(BkKeyEntry));
	while (text.len > 0)
	{
		const char *end = memchr(text.data, '\n', text.len);
		size_t		len = end ? (size_t) (end - text.data) : text.len;

		parser.line++;
		parse_line(&parser, (BkText) {text.data, len});
		len += end != NULL;
		text.data += len;
		text.len -= len;
	}
	*entries = parser.entries;
	return parser.count;
}

size_t
bk_key_text_line(const BkKeyEntry *entry, char line[BK_KEY_LINE_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	size_t		len = snprintf(line, BK_KEY_LINE_BYTES, "%d:", entry->version);

	for (int i = 0; i < BK_KEK_BYTES; i++)
	{
		line[len++] = digits[entry->kek[i] >> 4];
		line[len++] = digits[entry->kek[i] & 15];
	}
	line[len++] = '\n';
	return len;
}
