/*
 * path.c
 *		Reading paths, and following them in a tree.
 */
#include "delta/path.h"
#include "delta/step.h"

/* Note what is wrong; returns false for the caller to pass on. */
static bool
malformed(BkPathReader *reader, const char *fault)
{
	reader->fault = fault;
	return false;
}

/* The next character, or NUL at the end. */
static char
peek(const BkPathReader *reader)
{
	return reader->at < reader->path.len ? reader->path.data[reader->at] : '\0';
}

/* Is it a decimal digit? */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* May a bare key have this character? */
static bool
is_bare(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
		(!first && (is_digit(c) || c == '-'));
}

/* Read a bare key. */
static bool
read_bare(BkPathReader *reader, BkStep *step)
{
	size_t		start = reader->at;

	while (is_bare(peek(reader), reader->at == start))
		reader->at++;
	if (reader->at == start)
		return malformed(reader, "a key is missing, or needs to be written [\"...\"]");
	step->key = (BkKey) {{reader->path.data + start, reader->at - start}, false};
	return true;
}

/* Read an index up to its closing bracket. */
static bool
read_index(BkPathReader *reader, BkStep *step)
{
	size_t		start = reader->at;
	uint64		index = 0;

	for (; is_digit(peek(reader)); reader->at++)
		index = Min(index * 10 + (uint64) (peek(reader) - '0'), UINT32_MAX);
	if (reader->at == start)
		return malformed(reader, "neither an index nor a quoted key after [");
	if (reader->path.data[start] == '0' && reader->at - start > 1)
		return malformed(reader, "an index has a leading zero");
	step->is_index = true;
	step->index = (uint32) index;
	return true;
}

/* Read four hexadecimal digits of either case; negative where they are not. */
static int32
read_hex(BkText text, size_t at)
{
	int32		value = 0;

	if (text.len - at < 4)
		return -1;
	for (int i = 0; i < 4; i++)
	{
		char		c = text.data[at + i];

		if (is_digit(c))
			value = value * 16 + (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value * 16 + ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return value;
}

/* Append one character. */
static void
append_utf8(BkBuffer *buffer, uint32 c)
{
	if (c < 0x80)
		bk_buffer_append_char(buffer, (char) c);
	else
	{
		if (c < 0x800)
			bk_buffer_append_char(buffer, (char) (0xC0 | (c >> 6)));
		else
		{
			if (c < 0x10000)
				bk_buffer_append_char(buffer, (char) (0xE0 | (c >> 12)));
			else
			{
				bk_buffer_append_char(buffer, (char) (0xF0 | (c >> 18)));
				bk_buffer_append_char(buffer, (char) (0x80 | ((c >> 12) & 0x3F)));
			}
			bk_buffer_append_char(buffer, (char) (0x80 | ((c >> 6) & 0x3F)));
		}
		bk_buffer_append_char(buffer, (char) (0x80 | (c & 0x3F)));
	}
}

/* Append what \uXXXX, or a pair of them, stands for; *at is behind the u. */
static bool
append_unicode_escape(BkBuffer *buffer, BkText text, size_t *at)
{
	int32		c = read_hex(text, *at);

	*at += 4;
	if (c >= 0xD800 && c <= 0xDBFF)
	{
		int32		low = -1;

		if (text.len - *at >= 6 && text.data[*at] == '\\' && text.data[*at + 1] == 'u')
			low = read_hex(text, *at + 2);
		if (low < 0xDC00 || low > 0xDFFF)
			return false;
		c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
		*at += 6;
	}
	else if (c <= 0 || (c >= 0xDC00 && c <= 0xDFFF))
		return false;
	append_utf8(buffer, (uint32) c);
	return true;
}

/* Append what any JSON escape stands for; *at is at the backslash. */
static bool
append_escape(BkBuffer *buffer, BkText text, size_t *at)
{
	static const char letters[] = "b\bf\fn\nr\rt\t\"\"\\\\//";
	char		c = *at + 1 < text.len ? text.data[*at + 1] : '\0';

	*at += 2;
	if (c == 'u')
		return append_unicode_escape(buffer, text, at);
	for (size_t i = 0; c != '\0' && i < sizeof(letters) - 1; i += 2)
	{
		if (letters[i] == c)
		{
			bk_buffer_append_char(buffer, letters[i + 1]);
			return true;
		}
	}
	return false;
}

/* Give a key with escapes of any spelling its canonical one. */
static bool
respell_key(BkPathReader *reader, BkText raw, BkKey *key)
{
	BkBuffer	plain;
	BkBuffer	canonical;

	bk_buffer_init(&plain, reader->memory, raw.len, SIZE_MAX);
	for (size_t at = 0; at < raw.len;)
	{
		if (raw.data[at] != '\\')
			bk_buffer_append_char(&plain, raw.data[at++]);
		else if (!append_escape(&plain, raw, &at))
			return malformed(reader, "a quoted key has a bad escape");
	}
	bk_buffer_init(&canonical, reader->memory, raw.len, SIZE_MAX);
	bk_buffer_append_escaped(&canonical, bk_buffer_text(&plain));
	bk_free(reader->memory, plain.data);
	key->text = bk_buffer_text(&canonical);
	key->escaped = memchr(key->text.data, '\\', key->text.len) != NULL;
	return true;
}

/* Read a quoted key up to its closing bracket. */
static bool
read_quoted(BkPathReader *reader, BkStep *step)
{
	size_t		start = ++reader->at;
	bool		escaped = false;

	for (; peek(reader) != '"'; reader->at++)
	{
		if (reader->at >= reader->path.len)
			return malformed(reader, "a quoted key does not end");
		if ((unsigned char) peek(reader) < 0x20)
			return malformed(reader, "a quoted key has a control character");
		if (peek(reader) == '\\')
		{
			escaped = true;
			reader->at++;
		}
	}
	step->key = (BkKey) {{reader->path.data + start, reader->at - start}, false};
	reader->at++;
	return !escaped || respell_key(reader, step->key.text, &step->key);
}

bool
bk_path_step(BkPathReader *reader, BkStep *step)
{
	*step = (BkStep) {.is_index = false};
	if (reader->at >= reader->path.len)
		return false;
	if (peek(reader) == '[')
	{
		reader->at++;
		if (!(peek(reader) == '"' ? read_quoted(reader, step) : read_index(reader, step)))
			return false;
		if (peek(reader) != ']')
			return malformed(reader, "a ] is missing");
		reader->at++;
		return true;
	}
	if (reader->at > 0)
	{
		if (peek(reader) != '.')
			return malformed(reader, "neither . nor [ after a key or an index");
		reader->at++;
	}
	return read_bare(reader, step);
}

/* How many bytes the character at text[at] has, 0 where it cannot be shown: it is not whole, or a control character. */
static size_t
shown_length(BkText text, size_t at)
{
	unsigned char c = (unsigned char) text.data[at];
	size_t		len = c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;

	if (c < 0x80)
		return c >= 0x20 && c < 0x7F;
	if (text.len - at < len || (c == 0xC2 && (unsigned char) text.data[at + 1] < 0xA0))
		return 0;
	for (size_t i = 1; i < len; i++)
	{
		if ((text.data[at + i] & 0xC0) != 0x80)
			return 0;
	}
	return len;
}

const char *
bk_path_show(char shown[BK_PATH_SHOWN], BkText path)
{
	size_t		to = 0;
	size_t		at = 0;

	while (at < path.len && to + 4 <= BK_PATH_SHOWN - 4)
	{
		size_t		len = shown_length(path, at);

		if (len == 0)
			shown[to++] = '?';
		memcpy(shown + to, path.data + at, len);
		to += len;
		at += Max(len, 1);
	}
	strcpy(shown + to, at < path.len ? "..." : "");
	return shown;
}

/* Follow one step from a node. */
static BkNodeRef
follow(BkTree *tree, BkNodeRef node, const BkStep *step)
{
	uint32		kind = bk_node_kind(tree, node);

	if (step->is_index)
		return kind == BK_KIND_ARRAY ? bk_tree_child(tree, node, step->index) : BK_NO_NODE;
	return kind == BK_KIND_OBJECT ? bk_tree_member(tree, node, step->key, NULL) : BK_NO_NODE;
}

/* The whole path is read even where the value is missing, for its syntax. */
bool
bk_path_find(BkTree *tree, BkNodeRef root, BkText path, BkOrigin origin, BkNodeRef *found)
{
	BkPathReader reader = {.memory = tree->memory, .path = path};
	BkStep		step;
	char		shown[BK_PATH_SHOWN];

	*found = root;
	while (bk_path_step(&reader, &step))
	{
		if (*found != BK_NO_NODE)
			*found = follow(tree, *found, &step);
	}
	if (reader.fault)
		bk_fail(origin, "path", "in \"%s\", %s", bk_path_show(shown, path), reader.fault);
	return *found != BK_NO_NODE;
}
