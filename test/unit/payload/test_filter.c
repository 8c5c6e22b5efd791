/*
 * test_filter.c
 *		Does every filter give the same bytes whatever the size of its input and
 *		output pieces, and does what is read in one piece undo it?
 *
 * gcc -std=gnu11 -DFRONTEND -I../../../src test_filter.c store.c \
 *     ../../../src/common/{error,memory}.c ../../../src/payload/{*}.c -lz -lzstd -lcrypto
 * (all .c files of src/payload; run.sh builds and runs every test here).
 */
#include "store.h"
#include "tap.h"

#include "payload/cipher.h"
#include "payload/codec.h"
#include "payload/collect.h"
#include "payload/digest.h"

typedef enum Kind
{
	GZIP, ZSTD, CIPHER, KINDS
} Kind;

static const char *const names[KINDS] = {"gzip", "zstd", "cipher"};

static BkDek dek;
static const uint8 iv[BK_IV_BYTES] = {1, 2, 3};

static BkFilter
make(BkMemory memory, Kind kind, size_t size)
{
	switch (kind)
	{
		case GZIP:
			return bk_gzip_writer(memory, size);
		case ZSTD:
			return bk_zstd_writer(memory, size);
		default:
			return bk_cipher_writer(memory, &dek, iv);
	}
}

/* Run text through a writer, in pieces of in bytes, with buffers of out bytes. */
static BkText
run(BkMemory memory, Kind kind, BkText text, size_t in, size_t out)
{
	BkMemory	working = bk_memory_new(memory, "run");
	BkCollector collector = {.memory = memory,.limit = SIZE_MAX};
	BkFilter	filters[] = {
		make(working, kind, text.len),
		bk_collector_tap(&collector, BK_LAYER_CHUNKS)
	};
	BkPipeline *pipeline = bk_pipeline_new(working, filters, 2, out);

	while (text.len > in)
	{
		bk_pipeline_push(pipeline, (BkText) {text.data, in}, false);
		text.data += in;
		text.len -= in;
	}
	bk_pipeline_push(pipeline, text, false);
	bk_pipeline_push(pipeline, BK_TEXT(""), true);
	bk_memory_delete(working);
	return (BkText) {(char *) collector.data, collector.len};
}

/*
 * Undo it, with room for so many bytes of text.  All bytes are copied to blocks of
 * their own size, so that the address sanitizer sees a step beyond.
 */
static BkText
undo(BkMemory memory, Kind kind, BkText stored, size_t room)
{
	BkOrigin	origin = {12};
	uint8	   *bytes = bk_alloc(memory, stored.len);
	uint8	   *to = bk_alloc(memory, room);
	BkText		copy = {(char *) bytes, stored.len};

	memcpy(bytes, stored.data, stored.len);
	switch (kind)
	{
		case GZIP:
			return (BkText) {(char *) to, bk_gzip_read(memory, copy, to, room, origin)};
		case ZSTD:
			return (BkText) {(char *) to, bk_zstd_read(memory, copy, to, room, origin)};
		default:
			return (BkText) {(char *) bytes, bk_cipher_decrypt(memory, &dek, iv, bytes, stored.len, origin)};
	}
}

/* A writer and what undoes it, the text coming back whatever the pieces. */
static void
test_pair(Kind kind, BkText text, const char *what)
{
	static const size_t pieces[] = {1, 2, 15, 16, 17, 33, 1000, 32768, 100000};
	BkMemory	memory = bk_memory_new(NULL, "pair");

	for (size_t i = 0; i < lengthof(pieces); i++)
		for (size_t j = 0; j < lengthof(pieces); j++)
		{
			BkText		stored = run(memory, kind, text, pieces[i], pieces[j]);

			if (!bk_text_equal(text, undo(memory, kind, stored, text.len)) ||
				!bk_text_equal(text, undo(memory, kind, stored, text.len + 100)))
			{
				ok(false, "%s: %zu bytes of %s, in %zu out %zu", names[kind], text.len, what,
				   pieces[i], pieces[j]);
				return;
			}
		}
	ok(true, "%s and back: %zu bytes of %s, in pieces of any size", names[kind], text.len, what);
	bk_memory_delete(memory);
}

/* Every prefix of what a writer gives must be refused. */
static void
test_truncated(Kind kind, const char *check)
{
	BkMemory	memory = bk_memory_new(NULL, "truncated");
	BkText		stored = run(memory, kind, text_of_json(memory, 3000), 3000, 4096);
	volatile size_t accepted = 0;

	for (volatile size_t len = 0; len < stored.len; len++)
		BK_TRY
		{
			/* a cut at a block's end shows only by its padding, which may seem right */
			undo(memory, kind, (BkText) {stored.data, len}, 3000);
			accepted += kind != CIPHER || len % 16 != 0;
		}
		BK_CATCH
		{
			tap_raised();
			if (strcmp(bk_last_error.check, check) != 0)
				accepted++;
		}
		BK_END_TRY;
	ok(accepted == 0, "%s: every truncation is refused", names[kind]);
	bk_memory_delete(memory);
}

/* A text that is longer than the room for it is refused, however long. */
static void
test_room(Kind kind)
{
	BkMemory	memory = bk_memory_new(NULL, "room");
	BkText		stored = run(memory, kind, text_of_json(memory, 3000), 3000, 4096);
	volatile size_t accepted = 0;

	for (volatile size_t room = 0; room < 3000; room++)
		BK_TRY
		{
			undo(memory, kind, stored, room);
			accepted++;
		}
		BK_CATCH
		{
			accepted += strcmp(bk_last_error.check, "size") != 0;
		}
		BK_END_TRY;
	ok(accepted == 0, "%s: a text of 3000 bytes is refused with less room", names[kind]);
	bk_memory_delete(memory);
}

/* Members one after the other are one text, bytes that are no member are refused. */
static void
test_sequence(Kind kind)
{
	BkMemory	memory = bk_memory_new(NULL, "sequence");
	BkText		text = text_of_json(memory, 5000);
	BkText		first = run(memory, kind, text, 5000, 5000);
	BkText		nothing = run(memory, kind, BK_TEXT(""), 1, 5000);
	char	   *both = bk_alloc_zero(memory, first.len * 2 + nothing.len + 8);
	BkText		back;

	memcpy(both, first.data, first.len);
	memcpy(both + first.len, first.data, first.len);
	back = undo(memory, kind, (BkText) {both, first.len * 2}, 10000);
	ok(back.len == 10000 && memcmp(back.data + 5000, text.data, 5000) == 0,
	   "%s: two members are read as one text", names[kind]);
	for (size_t room = 10000; room <= 10100; room += 100)
	{
		fails("XX001", "compression", undo(memory, kind, (BkText) {both, first.len * 2 + 8}, room),
			  "%s: zero bytes after the last member are refused, with room for %zu", names[kind], room);
		fails("XX001", "compression", undo(memory, kind, (BkText) {both, first.len * 2 + 1}, room),
			  "%s: a byte after the last member is refused, with room for %zu", names[kind], room);
		fails("XX001", "compression", undo(memory, kind, (BkText) {both, first.len + 9}, room),
			  "%s: a second member that is cut is refused, with room for %zu", names[kind], room);
	}
	fails("XX001", "size", undo(memory, kind, (BkText) {both, first.len * 2}, 9999),
		  "%s: a second member that is longer than the room for it is refused", names[kind]);
	fails("XX001", "size", undo(memory, kind, (BkText) {both, first.len * 2}, 5000),
		  "%s: so is one that finds no room at all", names[kind]);
	memcpy(both + first.len, nothing.data, nothing.len);
	memcpy(both + first.len + nothing.len, first.data, first.len);
	back = undo(memory, kind, (BkText) {both, first.len * 2 + nothing.len}, 10000);
	ok(back.len == 10000 && memcmp(back.data + 5000, text.data, 5000) == 0,
	   "%s: an empty member between them gives nothing", names[kind]);
	bk_memory_delete(memory);
}

/* The gzip of a text has no time, no name, and is always the same. */
static void
test_deterministic(void)
{
	BkMemory	memory = bk_memory_new(NULL, "deterministic");
	BkText		text = text_of_json(memory, 70000);
	BkText		one = bk_payload_gzip(memory, text);
	BkText		two = run(memory, GZIP, text, 1, 1);

	ok(bk_text_equal(one, two), "gzip: the same bytes whatever the pieces");
	ok(memcmp(one.data, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00", 9) == 0,
	   "gzip: no flags, no time");
	ok(bk_text_equal(text, undo(memory, GZIP, one, text.len)), "bk_payload_gzip reads back");
	one = bk_payload_gzip(memory, (BkText) {"", 0});
	ok(one.len >= 20 && undo(memory, GZIP, one, 0).len == 0, "bk_payload_gzip: even of nothing");
	bk_memory_delete(memory);
}

/* Where the members of a gzip file begin, by their first ten bytes (no name, no time). */
static size_t
find_members(BkText stored, size_t starts[], size_t most)
{
	size_t		count = 0;

	for (size_t at = 0; at + 10 <= stored.len && count < most; at++)
		if (memcmp(stored.data + at, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00", 9) == 0 &&
			(uint8) stored.data[at + 9] == (uint8) stored.data[9])
			starts[count++] = at;
	return count;
}

/* Reading must fail. */
static void
refused(BkMemory memory, BkText stored, const char *what, size_t end)
{
	fails("XX001", "compression", undo(memory, GZIP, stored, 2 * 1024 * 1024 + 1),
		  "gzip reader: %s of the member that ends at %zu is refused", what, end);
}

/* The member at [start, end) of stored must be whole and intact, the first as well as the last. */
static void
test_damaged_member(BkMemory memory, BkText stored, size_t start, size_t end)
{
	char	   *bytes = (char *) stored.data;

	bytes[end - 8] ^= 1;
	refused(memory, stored, "a wrong CRC", end);
	bytes[end - 8] ^= 1;
	bytes[end - 4] ^= 1;
	refused(memory, stored, "a wrong length", end);
	bytes[end - 4] ^= 1;
	refused(memory, (BkText) {bytes, end - 1}, "all but the last byte", end);
	refused(memory, (BkText) {bytes, start + 11}, "only the start", end);
}

/* A long text: libdeflate's writer makes members of 1 MB each, zlib's makes one. */
static void
test_members(void)
{
#ifdef BK_LIBDEFLATE
	size_t		expected = 3;
#else
	size_t		expected = 1;
#endif
	BkMemory	memory = bk_memory_new(NULL, "members");
	BkText		text = text_of_json(memory, 2 * 1024 * 1024 + 1);
	BkText		stored = run(memory, GZIP, text, 32768, 32768);
	size_t		starts[4];
	size_t		count = find_members(stored, starts, lengthof(starts));
	char	   *damaged = bk_alloc(memory, stored.len + 20);

	ok(count == expected, "gzip writer: %zu members", expected);
	ok(bk_text_equal(stored, run(memory, GZIP, text, text.len, 1000)) &&
	   bk_text_equal(stored, run(memory, GZIP, text, 999, 4 * 1024 * 1024)),
	   "gzip writer: the same members whatever the pieces");
	ok(bk_text_equal(text, undo(memory, GZIP, stored, text.len)), "gzip reader: all members");

	memcpy(damaged, stored.data, stored.len);
	for (size_t i = 0; i < count; i++)
		test_damaged_member(memory, (BkText) {damaged, stored.len}, starts[i],
							i + 1 < count ? starts[i + 1] : stored.len);
	memcpy(damaged + stored.len, "\x1f\x8b\x08\x00garbage", 11);
	fails("XX001", "compression", undo(memory, GZIP, (BkText) {damaged, stored.len + 11}, text.len),
		  "gzip reader: what only begins like a member is refused");
	bk_memory_delete(memory);
}

/* A tap sees what passes, in pieces no larger than the buffer. */
static void
test_taps(void)
{
	static const uint8 sha256_abc[] = {
		0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
		0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad
	};
	BkMemory	memory = bk_memory_new(NULL, "taps");
	BkSha256   *sha256 = bk_sha256_new(memory);
	BkHmac	   *hmac = bk_hmac_new(memory, &dek);
	BkFilter	filters[] = {bk_hmac_tap(hmac), bk_sha256_tap(sha256)};
	uint8		digest[BK_DIGEST_BYTES];
	uint8		document_digest[BK_DIGEST_BYTES];

	bk_pipeline_push(bk_pipeline_new(memory, filters, 2, 1), BK_TEXT("abc"), true);
	bk_sha256_finish(sha256, digest);
	ok(memcmp(digest, sha256_abc, sizeof(digest)) == 0, "SHA-256 of abc in pieces of 1");
	bk_hmac_finish(hmac, digest);
	bk_document_digest(&dek, BK_TEXT("abc"), document_digest);
	ok(bk_digest_equal(digest, document_digest), "HMAC in pieces and at once are the same");
	document_digest[31] ^= 1;
	ok(!bk_digest_equal(digest, document_digest), "one bit makes digests differ");
	bk_memory_delete(memory);
}

int
main(void)
{
	static const size_t sizes[] = {1, 15, 16, 17, 300, 4096, 40000};
	BkMemory	memory = bk_memory_new(NULL, "main");

	bk_dek_generate(&dek);
	for (size_t i = 0; i < lengthof(sizes); i++)
		for (Kind kind = 0; kind < KINDS; kind++)
		{
			test_pair(kind, text_of_json(memory, sizes[i]), "json");
			test_pair(kind, text_of_noise(memory, sizes[i]), "noise");
		}
	test_truncated(GZIP, "compression");
	test_truncated(ZSTD, "compression");
	test_truncated(CIPHER, "cipher");
	test_room(GZIP);
	test_room(ZSTD);
	test_sequence(GZIP);
	test_sequence(ZSTD);
	test_deterministic();
	test_members();
	test_taps();
	bk_memory_delete(memory);
	return tap_done();
}
