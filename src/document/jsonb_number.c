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

/* A number whose text is taken apart. */
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

/* A numeric as it is stored. */
typedef struct Stored
{
	bool		negative;
	int			scale;
	int			weight;
	int			count;
	const int16 *digits;
} Stored;

/* False where it is not one that bk_number_write() could have written. */
static inline bool
read_stored(Stored *number, const char *numeric)
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
	number->digits = (const int16 *) (numeric + LENGTH_BYTES + sizeof(head));
	/* the sign, the digits before the point, the point, and whole digits behind it */
	return (head & KIND_MASK) == SHORT
		&& 1 + (Max(number->weight, 0) + 1) * DIGIT_CHARS + 1 + number->scale + DIGIT_CHARS <= BK_NUMBER_CHARS;
}

/* The digit that counts this power of 10000. */
static inline uint32
digit_of(const Stored *number, int power)
{
	int			index = number->weight - power;

	return index >= 0 && index < number->count ? (uint32) number->digits[index] : 0;
}

/* Print a digit with its zeros in front. */
static inline char *
print_digit(char *to, uint32 digit)
{
	uint32		hundreds = digit / 100;
	uint32		rest = digit % 100;

	to[0] = (char) ('0' + hundreds / 10);
	to[1] = (char) ('0' + hundreds % 10);
	to[2] = (char) ('0' + rest / 10);
	to[3] = (char) ('0' + rest % 10);
	return to + DIGIT_CHARS;
}

/* Print what stands before the point. */
static inline char *
print_whole(char *to, const Stored *number)
{
	int			power = Max(number->weight, 0);
	uint32		first = digit_of(number, power);
	char		chars[2 * DIGIT_CHARS] = {0};
	int			zeros = first > 999 ? 0 : first > 99 ? 1 : first > 9 ? 2 : 3;

	print_digit(chars, first);
	memcpy(to, chars + zeros, DIGIT_CHARS);
	to += DIGIT_CHARS - zeros;
	while (--power >= 0)
		to = print_digit(to, digit_of(number, power));
	return to;
}

size_t
bk_number_print(char to[BK_NUMBER_CHARS], const char *numeric)
{
	Stored		number;
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
		at = print_digit(at, digit_of(&number, power));
	return decimals + number.scale - to;
}
