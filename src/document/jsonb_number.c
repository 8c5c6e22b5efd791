/*
 * jsonb_number.c
 *		Numerics of few digits, read and written as they are stored.  Needs the server.
 *
 * After the length comes a head of two bytes: that it is a short one, its sign, how many
 * decimals to show, and the weight, the power of 10000 that the first digit counts.
 * Digits are of base 10000; those that are 0 at either end are left out.
 */
#include "document/jsonb_number.h"

#include "document/document.h"

#define SHORT			0x8000
#define KIND_MASK		0xC000
#define NEGATIVE		0x2000
#define SCALE_SHIFT		7
#define SCALE_MASK		0x3F
#define WEIGHT_BITS		0x007F	/* its sign and six more */
#define WEIGHT_SIGN		0x0040

#define DIGIT_CHARS		4
#define MOST_DIGITS		(BK_NUMBER_CHARS / DIGIT_CHARS + 2)
#define LENGTH_BYTES	4

StaticAssertDecl(LENGTH_BYTES + 2 + MOST_DIGITS * 2 <= BK_NUMBER_BYTES, "the most digits have room");

/* A numeric, taken apart. */
typedef struct Number
{
	bool		negative;
	int			scale;			/* decimals */
	int			weight;			/* of the first digit */
	int			count;
	int16		digits[MOST_DIGITS];
} Number;

/* Add a digit from the next characters; where they end early, zeros follow. */
static inline const char *
take_digit(Number *number, const char *at, const char *end, int chars)
{
	int			digit = 0;

	for (; chars > 0; chars--)
		digit = digit * 10 + (at < end ? *at++ - '0' : 0);
	number->digits[number->count++] = (int16) digit;
	return at;
}

static void
parse(Number *number, BkText text)
{
	const char *at = text.data;
	const char *end = at + text.len;
	const char *point;
	int			whole;

	number->negative = *at == '-';
	at += number->negative;
	point = memchr(at, '.', end - at);
	if (point == NULL)
		point = end;
	whole = (int) (point - at);
	number->scale = point == end ? 0 : (int) (end - point) - 1;
	number->weight = (whole + DIGIT_CHARS - 1) / DIGIT_CHARS - 1;
	number->count = 0;
	at = take_digit(number, at, point, whole - number->weight * DIGIT_CHARS);
	while (at < point)
		at = take_digit(number, at, point, DIGIT_CHARS);
	for (at = point + 1; at < end;)
		at = take_digit(number, at, end, DIGIT_CHARS);
}

/* Where the first digit is that is not 0, after taking those at the end off. */
static int
trim(Number *number)
{
	int			first = 0;

	while (number->count > 0 && number->digits[number->count - 1] == 0)
		number->count--;
	while (first < number->count && number->digits[first] == 0)
		first++;
	number->weight = number->count == 0 ? 0 : number->weight - first;
	number->negative = number->negative && number->count > 0;
	return first;
}

size_t
bk_number_write(char *to, BkText text)
{
	Number		number;
	int			first;
	uint16		head;
	size_t		bytes;

	parse(&number, text);
	first = trim(&number);
	head = SHORT | (number.negative ? NEGATIVE : 0) | number.scale << SCALE_SHIFT | (number.weight & WEIGHT_BITS);
	bytes = (number.count - first) * sizeof(int16);
	SET_VARSIZE(to, LENGTH_BYTES + sizeof(head) + bytes);
	memcpy(to + LENGTH_BYTES, &head, sizeof(head));
	memcpy(to + LENGTH_BYTES + sizeof(head), number.digits + first, bytes);
	return LENGTH_BYTES + sizeof(head) + bytes;
}

/* The opposite of bk_number_write(); false where it is not one that this could have written. */
static bool
read_stored(Number *number, const char *numeric)
{
	uint16		head;
	int			weight;

	if (!VARATT_IS_4B_U(numeric))
		return false;
	memcpy(&head, numeric + LENGTH_BYTES, sizeof(head));
	weight = head & WEIGHT_BITS;
	number->negative = (head & NEGATIVE) != 0;
	number->scale = head >> SCALE_SHIFT & SCALE_MASK;
	number->weight = weight & WEIGHT_SIGN ? weight - 2 * WEIGHT_SIGN : weight;
	number->count = (int) ((VARSIZE(numeric) - LENGTH_BYTES - sizeof(head)) / sizeof(int16));
	/* the sign, the digits before the point, the point, and whole digits behind it */
	if ((head & KIND_MASK) != SHORT || number->count > MOST_DIGITS
		|| 1 + (Max(number->weight, 0) + 1) * DIGIT_CHARS + 1 + number->scale + DIGIT_CHARS > BK_NUMBER_CHARS)
		return false;
	memcpy(number->digits, numeric + LENGTH_BYTES + sizeof(head), number->count * sizeof(int16));
	return true;
}

/* Print the digit that counts this power of 10000, with its zeros in front. */
static inline char *
print_digit(char *to, const Number *number, int power)
{
	int			index = number->weight - power;
	int			digit = index >= 0 && index < number->count ? number->digits[index] : 0;

	for (int i = DIGIT_CHARS - 1; i >= 0; i--, digit /= 10)
		to[i] = (char) ('0' + digit % 10);
	return to + DIGIT_CHARS;
}

/* Print what stands before the point, without zeros in front but where it is 0. */
static char *
print_whole(char *to, const Number *number)
{
	char	   *start = to;
	int			zeros = 0;

	for (int power = Max(number->weight, 0); power >= 0; power--)
		to = print_digit(to, number, power);
	while (start + zeros < to - 1 && start[zeros] == '0')
		zeros++;
	memmove(start, start + zeros, to - start - zeros);
	return to - zeros;
}

size_t
bk_number_print(char to[BK_NUMBER_CHARS], const char *numeric)
{
	Number		number;
	char	   *at = to;
	char	   *decimals;

	if (!read_stored(&number, numeric))
		return 0;
	if (number.negative)
		*at++ = '-';
	at = print_whole(at, &number);
	if (number.scale == 0)
		return at - to;
	*at++ = '.';
	decimals = at;
	for (int power = -1; at < decimals + number.scale; power--)
		at = print_digit(at, &number, power);
	return decimals + number.scale - to;
}
