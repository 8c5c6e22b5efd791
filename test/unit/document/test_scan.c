/*
 * test_scan.c
 *		Does every byte count, wherever it stands, and no byte beyond the end?
 *
 * cc -std=gnu11 -DFRONTEND -Isrc test/unit/document/test_scan.c src/common/error.c src/common/memory.c -lcrypto
 */
#include "document/scan.h"

#include <stdlib.h>

#include "tap.h"

#define LONGEST		70

static bool
is_special(int c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

/* One byte c among letters, at every place of strings of every length; counts what goes wrong. */
static int
test_byte(int c, size_t len, char *from, char *to)
{
	int			wrong = 0;

	for (size_t at = 0; at < len; at++)
	{
		const char *found;
		bool		copied;

		memset(from, 'a', len);
		memset(to, 0, len);
		from[at] = (char) c;
		found = bk_find_special(from, from + len);
		copied = bk_copy_plain(to, from, len);
		wrong += found != from + (is_special(c) ? at : len);
		wrong += copied == is_special(c) || (copied && memcmp(from, to, len) != 0);
	}
	return wrong;
}

int
main(void)
{
	int			wrong = 0;

	for (size_t len = 0; len < LONGEST; len++)
	{
		/* of exactly this size, so that the sanitizer sees what goes beyond */
		char	   *from = malloc(len);
		char	   *to = malloc(len);

		for (int c = 0; c < 256; c++)
			wrong += test_byte(c, len, from, to);
		free(from);
		free(to);
	}
	tap_ok(wrong == 0, "every special byte is found, and none but those");
	return tap_done();
}
