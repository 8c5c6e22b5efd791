/*
 * json.c
 *		Strings and times as JSON and people write them.
 */
#include "recover/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define USECS	INT64_C(1000000)

/* How many bytes the well-formed character at the front of the text has; 0 where there is none. */
static size_t
character_bytes(BkText text)
{
	const unsigned char *c = (const unsigned char *) text.data;
	size_t		len = c[0] < 0x80 ? 1 : c[0] >= 0xc2 && c[0] < 0xe0 ? 2 : c[0] >= 0xe0 && c[0] < 0xf0 ? 3
		: c[0] >= 0xf0 && c[0] < 0xf5 ? 4 : 0;

	if (len == 0 || len > text.len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	/* what is longer than it need be, surrogates, and what is beyond Unicode */
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return len;
}

/* What stands for the character at the front of the text, which has len bytes (0: it is none). */
static char *
write_character(BkText text, size_t len, char *to)
{
	unsigned char c = text.data[0];

	if (len == 0)
		return (char *) memcpy(to, "\xef\xbf\xbd", 3) + 3;
	/* C1 control characters steer terminals as the others do */
	if (c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char) text.data[1] < 0xa0))
		return to + sprintf(to, "\\u%04x", len == 1 ? c : (unsigned char) text.data[1]);
	return (char *) memcpy(to, text.data, len) + len;
}

/* With a backslash before each byte of special. */
static char *
write_text(BkText text, const char *special, char *to)
{
	while (text.len > 0)
	{
		size_t		len = character_bytes(text);

		if (text.data[0] != '\0' && strchr(special, text.data[0]))
			*to++ = '\\';
		to = write_character(text, len, to);
		len = Max(len, 1);
		text.data += len;
		text.len -= len;
	}
	return to;
}

size_t
bk_json_escape(BkText text, char *to)
{
	char	   *begin = to;

	*to++ = '"';
	to = write_text(text, "\"\\", to);
	*to++ = '"';
	return to - begin;
}

size_t
bk_json_tame(BkText json, char *to)
{
	return write_text(json, "", to) - to;
}

const char *
bk_time_text(int64 time, char text[BK_TIME_BYTES])
{
	time_t		seconds = time / USECS - (time % USECS < 0);
	int64		rest = (time % USECS + USECS) % USECS;
	struct tm	broken;

	/* it reaches 292,277 years to either side, which an int holds */
	(void) gmtime_r(&seconds, &broken);
	snprintf(text, BK_TIME_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", broken.tm_year + 1900, broken.tm_mon + 1,
			 broken.tm_mday, broken.tm_hour, broken.tm_min, broken.tm_sec, (int) rest);
	return text;
}

/* So many digits, or as many up to that; how many there were. */
static int
digits(const char **at, int least, int most, int *value)
{
	int			count = 0;

	*value = 0;
	while (count < most && **at >= '0' && **at <= '9')
	{
		*value = *value * 10 + (*(*at)++ - '0');
		count++;
	}
	return count >= least ? count : 0;
}

static bool
skip(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

static bool
parse_date(const char **at, struct tm *broken)
{
	bool		valid = digits(at, 4, 4, &broken->tm_year) && skip(at, '-') && digits(at, 2, 2, &broken->tm_mon) && skip(at, '-')
		&& digits(at, 2, 2, &broken->tm_mday) && broken->tm_mon >= 1 && broken->tm_mon <= 12 && broken->tm_mday >= 1
		&& broken->tm_mday <= 31;

	broken->tm_year -= 1900;
	broken->tm_mon--;
	return valid;
}

/* "12:34", "12:34:56", "12:34:56.789". */
static bool
parse_clock(const char **at, struct tm *broken, int64 *micros)
{
	int			fraction;
	int			count;

	if (!digits(at, 2, 2, &broken->tm_hour) || !skip(at, ':') || !digits(at, 2, 2, &broken->tm_min)
		|| broken->tm_hour > 23 || broken->tm_min > 59)
		return false;
	if (skip(at, ':') && (!digits(at, 2, 2, &broken->tm_sec) || broken->tm_sec > 59))
		return false;
	if (!skip(at, '.'))
		return true;
	count = digits(at, 1, 6, &fraction);
	for (int i = count; i < 6; i++)
		fraction *= 10;
	*micros = fraction;
	return count > 0;
}

/* "Z", "+02", "+0200", "+02:00"; nothing is UTC. */
static bool
parse_zone(const char **at, int64 *offset)
{
	int			sign = **at == '-' ? -1 : 1;
	int			hours;
	int			minutes = 0;

	*offset = 0;
	if (skip(at, 'Z') || **at == '\0')
		return true;
	if (!skip(at, '+') && !skip(at, '-'))
		return false;
	if (!digits(at, 2, 2, &hours) || hours > 15)
		return false;
	(void) skip(at, ':');
	if (**at != '\0' && (!digits(at, 2, 2, &minutes) || minutes > 59))
		return false;
	*offset = sign * (hours * INT64_C(3600) + minutes * 60);
	return true;
}

bool
bk_time_parse(const char *text, int64 *time)
{
	struct tm	broken = {0};
	struct tm	again;
	int64		micros = 0;
	int64		offset;
	time_t		seconds;

	if (!parse_date(&text, &broken))
		return false;
	if ((skip(&text, 'T') || skip(&text, ' ')) && !parse_clock(&text, &broken, &micros))
		return false;
	if (!parse_zone(&text, &offset) || *text != '\0')
		return false;
	again = broken;
	seconds = timegm(&again);
	/* the 31st of a month that has 30 */
	if (again.tm_mday != broken.tm_mday)
		return false;
	*time = (seconds - offset) * USECS + micros;
	return true;
}
