/*
 * key.c
 *		The order of keys, and the escapes of strings.
 */
#include "document/scan.h"
#include "document/tree.h"

/* The value of a lower-case hexadecimal digit. */
static int
hex_value(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* The byte that an escape at *at stands for; moves past it. */
static char
unescape_one(const char **at)
{
	const char *escape = *at;

	*at += 2;
	switch (escape[1])
	{
		case 'b':
			return '\b';
		case 'f':
			return '\f';
		case 'n':
			return '\n';
		case 'r':
			return '\r';
		case 't':
			return '\t';
		case 'u':
			*at += 4;
			return (char) (hex_value(escape[4]) * 16 + hex_value(escape[5]));
		default:
			return escape[1];
	}
}

size_t
bk_unescape(char *to, BkText text)
{
	const char *at = text.data;
	const char *end = at + text.len;
	char	   *start = to;

	while (at < end)
	{
		const char *plain = at;

		at = bk_find_special(at, end);
		memcpy(to, plain, at - plain);
		to += at - plain;
		if (at < end)
			*to++ = unescape_one(&at);
	}
	return to - start;
}

/* Length in bytes without escapes. */
static size_t
unescaped_length(BkKey key)
{
	const char *at = key.text.data;
	const char *end = at + key.text.len;
	size_t		len = key.text.len;

	if (!key.escaped)
		return len;
	while ((at = memchr(at, '\\', end - at)) != NULL)
	{
		size_t		escape = at[1] == 'u' ? 6 : 2;

		len -= escape - 1;
		at += escape;
	}
	return len;
}

/* The next byte of a key's value. */
static unsigned char
next_byte(const char **at)
{
	return (unsigned char) (**at == '\\' ? unescape_one(at) : *(*at)++);
}

/*
 * An escape is at most six bytes for one, so keys of very different length are
 * told apart without reading the longer one: a search for short keys beside a
 * huge one stays cheap.
 */
int
bk_key_compare_escaped(BkKey a, BkKey b)
{
	const char *a_at = a.text.data;
	const char *b_at = b.text.data;
	size_t		a_len;
	size_t		b_len;

	if (a.text.len / 6 > b.text.len)
		return 1;
	if (b.text.len / 6 > a.text.len)
		return -1;
	a_len = unescaped_length(a);
	b_len = unescaped_length(b);
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	for (; a_len > 0; a_len--)
	{
		int			difference = next_byte(&a_at) - next_byte(&b_at);

		if (difference != 0)
			return difference;
	}
	return 0;
}

/* Append the canonical escape of one byte. */
static void
append_escape(BkBuffer *buffer, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char		escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
	const char *letter = c == 0 ? NULL : strchr("\bb\ff\nn\rr\tt\"\"\\\\", c);

	if (letter == NULL)
		bk_buffer_append(buffer, escape, 6);
	else
	{
		escape[1] = c == '"' || c == '\\' ? (char) c : letter[1];
		bk_buffer_append(buffer, escape, 2);
	}
}

void
bk_buffer_append_escaped(BkBuffer *buffer, BkText text)
{
	const char *at = text.data;
	const char *end = at + text.len;

	for (;;)
	{
		const char *special = bk_find_special(at, end);

		bk_buffer_append(buffer, at, special - at);
		if (special == end)
			return;
		append_escape(buffer, (unsigned char) *special);
		at = special + 1;
	}
}
