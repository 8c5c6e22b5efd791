/*
 * common.h
 *		What every file of the extension includes first: the server's
 *		definitions, or, with -DFRONTEND, the few of them that the pure layers
 *		(payload, delta, document, the wrapping in keyring) need to compile
 *		without a server: unit tests, fuzzers, command-line tools.
 *
 * Words used throughout: see docs/architecture.md (resource, document, backup,
 * base, chain, payload, chunk, DEK, KEK).
 */
#ifndef BK_COMMON_H
#define BK_COMMON_H

#ifndef FRONTEND

#include "postgres.h"
#include "miscadmin.h"

#define BK_CHECK_INTERRUPTS()	CHECK_FOR_INTERRUPTS()

#else							/* FRONTEND */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef int8_t int8;
typedef int16_t int16;
typedef int32_t int32;
typedef int64_t int64;
typedef uint8_t uint8;
typedef uint16_t uint16;
typedef uint32_t uint32;
typedef uint64_t uint64;
typedef size_t Size;

#define INT64_FORMAT	"%lld"
#define PG_INT32_MAX	INT32_MAX
#define Assert(condition)	assert(condition)
#define StaticAssertDecl(condition, message)	_Static_assert(condition, message)
#define Min(a, b)		((a) < (b) ? (a) : (b))
#define Max(a, b)		((a) > (b) ? (a) : (b))
#define lengthof(array)	(sizeof(array) / sizeof((array)[0]))
#define likely(x)		__builtin_expect((x) != 0, 1)
#define unlikely(x)		__builtin_expect((x) != 0, 0)
#define pg_attribute_printf(f, a)	__attribute__((format(printf, f, a)))
#define pg_attribute_unused()	__attribute__((unused))
#define pg_unreachable()	__builtin_unreachable()

#define BK_CHECK_INTERRUPTS()	((void) 0)

#endif							/* FRONTEND */

/* PostgreSQL's own macro for this has changed its name and place between versions. */
#define BK_NORETURN		__attribute__((noreturn))

/* A slice of text or bytes that somebody else owns; not null-terminated. */
typedef struct BkText
{
	const char *data;
	size_t		len;
} BkText;

#define BK_TEXT(literal)	((BkText) {(literal), sizeof(literal) - 1})

static inline bool
bk_text_equal(BkText a, BkText b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

#include "common/error.h"
#include "common/memory.h"

#endif							/* BK_COMMON_H */
