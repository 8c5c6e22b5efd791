/*
 * test_filter.c
 *		Does every filter give the same bytes whatever the size of its input and
 *		output pieces?
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
	GZIP_WRITER, GZIP_READER, ZSTD_WRITER, ZSTD_READER, CIPHER_WRITER, CIPHER_READER, KINDS
} Kind;

static const char *const names[KINDS] = {
	"gzip writer", "gzip reader", "zstd writer", "zstd reader", "cipher writer", "cipher reader"
};

static BkDek dek;
static const uint8 iv[BK_IV_BYTES] = {1, 2, 3};

static BkFilter
make(BkMemory memory, Kind kind, size_t size)
{
	BkOrigin	origin = {12};

	switch (kind)
	{
		case GZIP_WRITER:
			return bk_gzip_writer(memory, size);
		case GZIP_READER:
			return bk_gzip_reader(memory, origin);
		case ZSTD_WRITER:
			return bk_zstd_writer(memory, size);
		case ZSTD_READER:
			return bk_zstd_reader(memory, origin);
		case CIPHER_WRITER:
			return bk_cipher_writer(memory, &dek, iv);
		default:
			return bk_cipher_reader(memory, &dek, iv, origin);
	}
}

/* Run text through one filter, in pieces of in bytes, with buffers of out bytes. */
static BkText
run(BkMemory memory, Kind kind, BkText text, size_t in, size_t out)
{
	BkMemory	working = bk_memory_new(memory, "run");
	BkCollector collector = {.memory = memory,.limit = SIZE_MAX};
	bool		reads = kind == GZIP_READER || kind == ZSTD_READER || kind == CIPHER_READER;
	BkFilter	filters[] = {
		make(working, kind, text.len),
		bk_collector_tap(&collector, reads ? BK_LAYER_TEXT : BK_LAYER_CHUNKS)
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

/* A writer and its reader, the text coming back whatever the pieces. */
static void
test_pair(Kind writer, BkText text, const char *what)
{
	static const size_t pieces[] = {1, 2, 15, 16, 17, 33, 1000, 32768, 100000};
	BkMemory	memory = bk_memory_new(NULL, "pair");
	BkText		stored = run(memory, writer, text, 32768, 32768);

	for (size_t i = 0; i < lengthof(pieces); i++)
		for (size_t j = 0; j < lengthof(pieces); j++)
		{
			BkText		back = run(memory, writer + 1, stored, pieces[i], pieces[j]);
			BkText		again = run(memory, writer + 1,
									run(memory, writer, text, pieces[i], pieces[j]),
									pieces[j], pieces[i]);

			if (!bk_text_equal(text, back) || !bk_text_equal(text, again))
			{
				ok(false, "%s: %zu bytes of %s, in %zu out %zu", names[writer], text.len, what,
				   pieces[i], pieces[j]);
				return;
			}
		}
	ok(true, "%s and back: %zu bytes of %s, in pieces of any size", names[writer], text.len, what);
	bk_memory_delete(memory);
}

/* Every prefix of what a writer gives must be refused by its reader. */
static void
test_truncated(Kind writer, const char *check)
{
	BkMemory	memory = bk_memory_new(NULL, "truncated");
	BkText		stored = run(memory, writer, text_of_json(memory, 3000), 3000, 4096);
	volatile size_t accepted = 0;

	for (volatile size_t len = 0; len < stored.len; len++)
		BK_TRY
		{
			/* a cut at a block's end shows only by its padding, which may seem right */
			run(memory, writer + 1, (BkText) {stored.data, len}, 1000, 1000);
			accepted += writer != CIPHER_WRITER || len % 16 != 0;
		}
		BK_CATCH
		{
			tap_raised();
			if (strcmp(bk_last_error.check, check) != 0)
				accepted++;
		}
		BK_END_TRY;
	ok(accepted == 0, "%s: every truncation is refused", names[writer + 1]);
	bk_memory_delete(memory);
}

/* Members one after the other are one text, bytes that are no member are refused. */
static void
test_sequence(Kind writer, size_t piece)
{
	BkMemory	memory = bk_memory_new(NULL, "sequence");
	BkText		text = text_of_json(memory, 5000);
	BkText		first = run(memory, writer, text, 5000, 5000);
	char	   *both = bk_alloc_zero(memory, first.len * 2 + 8);
	BkText		back;

	memcpy(both, first.data, first.len);
	memcpy(both + first.len, first.data, first.len);
	back = run(memory, writer + 1, (BkText) {both, first.len * 2}, piece, piece);
	ok(back.len == 10000 && memcmp(back.data + 5000, text.data, 5000) == 0,
	   "%s: two members are read as one text, in pieces of %zu", names[writer + 1], piece);
	fails("XX001", "compression",
		  run(memory, writer + 1, (BkText) {both, first.len * 2 + 8}, piece, piece),
		  "%s: zero bytes after the last member are refused, in pieces of %zu",
		  names[writer + 1], piece);
	fails("XX001", "compression",
		  run(memory, writer + 1, (BkText) {both, first.len + 9}, piece, piece),
		  "%s: a second member that is cut is refused, in pieces of %zu",
		  names[writer + 1], piece);
	bk_memory_delete(memory);
}

/* The gzip of a text has no time, no name, and is always the same. */
static void
test_deterministic(void)
{
	BkMemory	memory = bk_memory_new(NULL, "deterministic");
	BkText		text = text_of_json(memory, 70000);
	BkText		one = bk_payload_gzip(memory, text);
	BkText		two = run(memory, GZIP_WRITER, text, 1, 1);

	ok(bk_text_equal(one, two), "gzip: the same bytes whatever the pieces");
	ok(memcmp(one.data, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00", 9) == 0,
	   "gzip: no flags, no time");
	ok(bk_text_equal(text, run(memory, GZIP_READER, one, 999, 999)), "bk_payload_gzip reads back");
	one = bk_payload_gzip(memory, (BkText) {"", 0});
	ok(one.len >= 20 && run(memory, GZIP_READER, one, 1, 1).len == 0, "bk_payload_gzip: even of nothing");
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
	fails("XX001", "compression", run(memory, GZIP_READER, stored, 4096, 4096),
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
	BkText		stored = run(memory, GZIP_WRITER, text, 32768, 32768);
	size_t		starts[4];
	size_t		count = find_members(stored, starts, lengthof(starts));
	char	   *damaged = bk_alloc(memory, stored.len + 20);

	ok(count == expected, "gzip writer: %zu members", expected);
	ok(bk_text_equal(stored, run(memory, GZIP_WRITER, text, text.len, 1000)) &&
	   bk_text_equal(stored, run(memory, GZIP_WRITER, text, 999, 4 * 1024 * 1024)),
	   "gzip writer: the same members whatever the pieces");
	ok(bk_text_equal(text, run(memory, GZIP_READER, stored, 1000, 32768)), "gzip reader: all members");

	memcpy(damaged, stored.data, stored.len);
	for (size_t i = 0; i < count; i++)
		test_damaged_member(memory, (BkText) {damaged, stored.len}, starts[i],
							i + 1 < count ? starts[i + 1] : stored.len);
	memcpy(damaged + stored.len, "\x1f\x8b\x08\x00garbage", 11);
	fails("XX001", "compression", run(memory, GZIP_READER, (BkText) {damaged, stored.len + 11}, 4096, 4096),
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
		for (Kind writer = 0; writer < KINDS; writer += 2)
		{
			test_pair(writer, text_of_json(memory, sizes[i]), "json");
			test_pair(writer, text_of_noise(memory, sizes[i]), "noise");
		}
	test_truncated(GZIP_WRITER, "compression");
	test_truncated(ZSTD_WRITER, "compression");
	test_truncated(CIPHER_WRITER, "cipher");
	for (size_t piece = 1; piece < 5000; piece = piece * 7 + 1)
	{
		test_sequence(GZIP_WRITER, piece);
		test_sequence(ZSTD_WRITER, piece);
	}
	test_deterministic();
	test_members();
	test_taps();
	bk_memory_delete(memory);
	return tap_done();
}
