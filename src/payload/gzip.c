/*
 * gzip.c
 *		gzip (RFC 1952) by zlib, which writes where there is no libdeflate
 *		(gzip_members.c), and reads what that does not.
 *
 * zlib takes its memory from ours, so nothing of it outlives a BkMemory and
 * its windows, which hold plaintext, are wiped.  One text always gives the same
 * bytes: the level is fixed, the member's time is 0, and the window follows
 * from the text's size.
 */
#include "payload/codec.h"
#include "payload/payload.h"
#include "payload/collect.h"

#include <zlib.h>

#define LEVEL			6
#define GZIP			16		/* added to window bits: a gzip member */
#define LEAST_WINDOW	9
#define MOST_WINDOW		15
#define MOST_MEMORY		8
#define UNREACHED		262		/* bytes of its window that deflate never refers to */
#define PIECE_BYTES		((size_t) (1024 * 1024))	/* of text, read between two looks for interrupts */

typedef struct Gzip
{
	z_stream	stream;
	BkMemory	memory;
	BkOrigin	origin;
} Gzip;

static voidpf
take_memory(voidpf opaque, uInt items, uInt size)
{
	return bk_alloc_secret(((Gzip *) opaque)->memory, (size_t) items * size);
}

/* Left to the end of the BkMemory, which wipes it first. */
static void
return_memory(voidpf opaque pg_attribute_unused(), voidpf address pg_attribute_unused())
{
}

static Gzip *
gzip_new(BkMemory memory, BkOrigin origin)
{
	Gzip	   *gzip = bk_alloc_zero(memory, sizeof(*gzip));

	gzip->memory = memory;
	gzip->origin = origin;
	gzip->stream.zalloc = take_memory;
	gzip->stream.zfree = return_memory;
	gzip->stream.opaque = gzip;
	return gzip;
}

/* The translator: Z_BUF_ERROR only says that no progress was possible. */
static void
check_zlib(Gzip *gzip, int result, const char *call)
{
	const char *reason = gzip->stream.msg;

	if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR)
		return;
	if (result == Z_DATA_ERROR || result == Z_NEED_DICT)
		bk_fail(gzip->origin, "compression", "%s", reason ? reason : "a dictionary is wanted");
	if (result == Z_MEM_ERROR)
		bk_fail_memory("zlib", call);
	bk_fail_library("zlib", call, reason ? reason : zError(result));
}

/* One call of deflate or inflate over two slices. */
static int
run(Gzip *gzip, int (*call) (z_stream *, int), int flush, BkText *in, BkSpace *out)
{
	z_stream   *stream = &gzip->stream;
	int			result;

	stream->next_in = (z_const Bytef *) in->data;
	stream->avail_in = (uInt) Min(in->len, UINT32_MAX);
	stream->next_out = out->data;
	stream->avail_out = (uInt) Min(out->len, UINT32_MAX);
	result = call(stream, flush);
	in->len -= (const char *) stream->next_in - in->data;
	in->data = (const char *) stream->next_in;
	out->len -= stream->next_out - out->data;
	out->data = stream->next_out;
	return result;
}

static bool
process_deflate(void *state, BkText *in, BkSpace *out, bool last)
{
	int			result = run(state, deflate, last ? Z_FINISH : Z_NO_FLUSH, in, out);

	check_zlib(state, result, "deflate");
	return result == Z_STREAM_END;
}

/* The smallest window that holds a whole text: opening a large one takes longer than 2 kB of text. */
static int
window_bits(size_t size)
{
	int			bits = LEAST_WINDOW;

	while (bits < MOST_WINDOW && ((size_t) 1 << bits) - UNREACHED < size)
		bits++;
	return bits;
}

BkFilter
bk_gzip_writer_zlib(BkMemory memory, size_t size)
{
	Gzip	   *gzip = gzip_new(memory, BK_ARGUMENT);
	int			bits = window_bits(size);

	/* bits - 6: one symbol for each byte of the window */
	check_zlib(gzip, deflateInit2(&gzip->stream, LEVEL, Z_DEFLATED, bits + GZIP,
								  Min(bits - 6, MOST_MEMORY), Z_DEFAULT_STRATEGY),
			   "deflateInit2");
	return (BkFilter)
	{
		.layer = BK_LAYER_COMPRESSION,.process = process_deflate,.state = gzip
	};
}

BkFilter
bk_gzip_writer(BkMemory memory, size_t size)
{
#ifdef BK_LIBDEFLATE
	return bk_gzip_writer_libdeflate(memory, size);
#else
	return bk_gzip_writer_zlib(memory, size);
#endif
}

/* Inflate the next piece of a member to a place; is that the member's end? */
static bool
inflate_piece(Gzip *gzip, BkText *in, BkSpace *out)
{
	size_t		before = in->len;
	size_t		room = out->len;

	/* saying that this may be all spares zlib a copy of what it gives, where it is */
	int			result = run(gzip, inflate, Z_FINISH, in, out);

	BK_CHECK_INTERRUPTS();
	check_zlib(gzip, result, "inflate");
	if (result != Z_STREAM_END && in->len == before && out->len == room)
		bk_fail(gzip->origin, "compression", "the stream ends early");
	return result == Z_STREAM_END;
}

/* A member may be followed by another, as RFC 1952 has it, and by nothing else. */
static size_t
read_by_zlib(BkMemory memory, BkText packed, uint8 *to, size_t room, BkOrigin origin)
{
	Gzip	   *gzip = gzip_new(memory, origin);
	size_t		len = 0;
	uint8		spare;

	check_zlib(gzip, inflateInit2(&gzip->stream, MOST_WINDOW + GZIP), "inflateInit2");
	for (;;)
	{
		/* where there is no room, another byte shows that the text goes on */
		BkSpace		out = len < room ? (BkSpace) {to + len, Min(room - len, PIECE_BYTES)} : (BkSpace) {&spare, 1};
		size_t		piece = out.len;
		bool		ended = inflate_piece(gzip, &packed, &out);

		if (len == room && out.len == 0)
			bk_fail_too_long(origin, room);
		len += Min(piece - out.len, room - len);
		if (ended && packed.len == 0)
			return len;
		if (ended)
			check_zlib(gzip, inflateReset(&gzip->stream), "inflateReset");
	}
}

/* What libdeflate does not read is zlib's to refuse: libdeflate takes the end of cut bytes for zeros, and may call them too long. */
size_t
bk_gzip_read(BkMemory memory, BkText packed, uint8 *to, size_t room, BkOrigin origin)
{
#ifdef BK_LIBDEFLATE
	size_t		len;

	if (bk_gzip_read_libdeflate(packed, to, room, &len))
		return len;
#endif
	return read_by_zlib(memory, packed, to, room, origin);
}

BkText
bk_payload_gzip(BkMemory memory, BkText text)
{
	BkMemory	working = bk_memory_new(memory, "backup_service gzip");
	BkCollector collector = {.memory = memory,.limit = SIZE_MAX,.origin = BK_ARGUMENT};
	BkFilter	filters[] = {
		bk_gzip_writer(working, text.len),
		bk_collector_tap(&collector, BK_LAYER_CHUNKS)
	};

	bk_pipeline_push(bk_pipeline_new(working, filters, lengthof(filters), BK_BUFFER_BYTES),
					 text, true);
	bk_memory_delete(working);
	return (BkText) {(char *) collector.data, collector.len};
}
