/*
 * zstd.c
 *		Zstandard (RFC 8878).
 *
 * The window and the table are held down so that a writer's context stays small
 * (976 kB); the frame carries no checksum, as the MAC covers it.
 */
#include "payload/codec.h"

#include <zstd.h>
#include <zstd_errors.h>

#define LEVEL				1		/* on JSON smaller and faster than level 3 with half of this window */
#define WINDOW_LOG			20
#define HASH_LOG			14

typedef struct Zstd
{
	ZSTD_CCtx  *writer;
	ZSTD_DCtx  *reader;
	BkMemory	memory;
	size_t		size;			/* of the whole text */
	BkText		frame;			/* of a text that came in one piece; what of it is not given yet */
} Zstd;

static void
close_zstd(void *argument)
{
	Zstd	   *zstd = argument;

	ZSTD_freeCCtx(zstd->writer);
	ZSTD_freeDCtx(zstd->reader);
}

/* The translator: returns the result where it is no error. */
static size_t
check_zstd(size_t result, const char *call)
{
	if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation)
		bk_fail_memory("zstd", call);
	if (ZSTD_isError(result))
		bk_fail_library("zstd", call, ZSTD_getErrorName(result));
	return result;
}

static Zstd *
zstd_new(BkMemory memory)
{
	Zstd	   *zstd = bk_alloc_zero(memory, sizeof(*zstd));

	bk_memory_on_delete(memory, close_zstd, zstd);
	return zstd;
}

static void
set_parameter(Zstd *zstd, ZSTD_cParameter parameter, int value)
{
	check_zstd(ZSTD_CCtx_setParameter(zstd->writer, parameter, value), "ZSTD_CCtx_setParameter");
}

/* Move both slices on by what zstd took and gave. */
static void
advance(BkText *in, const ZSTD_inBuffer *taken, BkSpace *out, const ZSTD_outBuffer *given)
{
	in->data += taken->pos;
	in->len -= taken->pos;
	out->data += given->pos;
	out->len -= given->pos;
}

/* Compress what lies there in one piece: spares zstd a copy of it, and its window. */
static void
compress_whole(Zstd *zstd, BkText *in)
{
	size_t		room = ZSTD_compressBound(in->len);
	char	   *frame = bk_alloc(zstd->memory, room);

	zstd->frame = (BkText) {
		frame, check_zstd(ZSTD_compress2(zstd->writer, frame, room, in->data, in->len), "ZSTD_compress2")
	};
	in->len = 0;
}

/* Compress what comes bit by bit. */
static bool
compress_piece(Zstd *zstd, BkText *in, BkSpace *out, bool last)
{
	ZSTD_inBuffer taken = {in->data, in->len, 0};
	ZSTD_outBuffer given = {out->data, out->len, 0};
	size_t		left = check_zstd(ZSTD_compressStream2(zstd->writer, &given, &taken,
													   last ? ZSTD_e_end : ZSTD_e_continue),
								  "ZSTD_compressStream2");

	advance(in, &taken, out, &given);
	return last && left == 0;
}

static bool
process_compress(void *state, BkText *in, BkSpace *out, bool last)
{
	Zstd	   *zstd = state;

	if (last && in->len == zstd->size && in->len > 0)
		compress_whole(zstd, in);
	if (zstd->frame.data)
	{
		bk_filter_copy(&zstd->frame, out);
		return zstd->frame.len == 0;
	}
	return compress_piece(zstd, in, out, last);
}

BkFilter
bk_zstd_writer(BkMemory memory, size_t size)
{
	Zstd	   *zstd = zstd_new(memory);

	zstd->memory = memory;
	zstd->size = size;
	zstd->writer = ZSTD_createCCtx();
	if (zstd->writer == NULL)
		bk_fail_memory("zstd", "ZSTD_createCCtx");
	set_parameter(zstd, ZSTD_c_compressionLevel, LEVEL);
	set_parameter(zstd, ZSTD_c_windowLog, WINDOW_LOG);
	set_parameter(zstd, ZSTD_c_hashLog, HASH_LOG);
	set_parameter(zstd, ZSTD_c_checksumFlag, 0);
	check_zstd(ZSTD_CCtx_setPledgedSrcSize(zstd->writer, size), "ZSTD_CCtx_setPledgedSrcSize");
	return (BkFilter)
	{
		.layer = BK_LAYER_COMPRESSION,.process = process_compress,.state = zstd
	};
}

/* A frame may be followed by another, as RFC 8878 has it, and by nothing else. */
size_t
bk_zstd_read(BkMemory memory, BkText packed, uint8 *to, size_t room, BkOrigin origin)
{
	Zstd	   *zstd = zstd_new(memory);
	size_t		result;

	zstd->reader = ZSTD_createDCtx();
	if (zstd->reader == NULL)
		bk_fail_memory("zstd", "ZSTD_createDCtx");
	if (packed.len == 0)
		bk_fail(origin, "compression", "there is no frame");
	result = ZSTD_decompressDCtx(zstd->reader, to, room, packed.data, packed.len);
	BK_CHECK_INTERRUPTS();
	if (!ZSTD_isError(result))
		return result;
	if (ZSTD_getErrorCode(result) == ZSTD_error_dstSize_tooSmall)
		bk_fail_too_long(origin, room);
	if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation)
		check_zstd(result, "ZSTD_decompressDCtx");
	bk_fail(origin, "compression", "%s", ZSTD_getErrorName(result));
}
