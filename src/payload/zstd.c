/*
 * zstd.c
 *		Zstandard (RFC 8878) as filters.
 *
 * The window and the table are held down so that a context stays small (976
 * kB to write, 620 kB to read); the frame carries no checksum, as the MAC covers
 * it.
 */
#include "payload/codec.h"

#include <zstd.h>
#include <zstd_errors.h>

#define LEVEL				1		/* on JSON smaller and faster than level 3 with half of this window */
#define WINDOW_LOG			17
#define HASH_LOG			14
#define WINDOW_LOG_ACCEPTED	17	/* reading */

typedef struct Zstd
{
	ZSTD_CCtx  *writer;
	ZSTD_DCtx  *reader;
	BkOrigin	origin;
	bool		between;		/* reading: a frame has ended, none has begun */
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
zstd_new(BkMemory memory, BkOrigin origin)
{
	Zstd	   *zstd = bk_alloc_zero(memory, sizeof(*zstd));

	zstd->origin = origin;
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

static bool
process_compress(void *state, BkText *in, BkSpace *out, bool last)
{
	Zstd	   *zstd = state;
	ZSTD_inBuffer taken = {in->data, in->len, 0};
	ZSTD_outBuffer given = {out->data, out->len, 0};
	size_t		left = check_zstd(ZSTD_compressStream2(zstd->writer, &given, &taken,
													   last ? ZSTD_e_end : ZSTD_e_continue),
								  "ZSTD_compressStream2");

	advance(in, &taken, out, &given);
	return last && left == 0;
}

BkFilter
bk_zstd_writer(BkMemory memory, size_t size)
{
	Zstd	   *zstd = zstd_new(memory, BK_ARGUMENT);

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

/* Decompress; a frame may be followed by another, as RFC 8878 has it, and by nothing else. */
static bool
process_decompress(void *state, BkText *in, BkSpace *out, bool last)
{
	Zstd	   *zstd = state;
	ZSTD_inBuffer taken = {in->data, in->len, 0};
	ZSTD_outBuffer given = {out->data, out->len, 0};
	size_t		left;

	if (zstd->between && in->len == 0)
		return last;
	left = ZSTD_decompressStream(zstd->reader, &given, &taken);
	if (ZSTD_isError(left) && ZSTD_getErrorCode(left) != ZSTD_error_memory_allocation)
		bk_fail(zstd->origin, "compression", "%s", ZSTD_getErrorName(left));
	check_zstd(left, "ZSTD_decompressStream");
	advance(in, &taken, out, &given);
	zstd->between = left == 0;
	if (last && !zstd->between && in->len == 0 && given.pos == 0)
		bk_fail(zstd->origin, "compression", "the stream ends early");
	return last && zstd->between && in->len == 0;
}

BkFilter
bk_zstd_reader(BkMemory memory, BkOrigin origin)
{
	Zstd	   *zstd = zstd_new(memory, origin);

	zstd->reader = ZSTD_createDCtx();
	if (zstd->reader == NULL)
		bk_fail_memory("zstd", "ZSTD_createDCtx");
	check_zstd(ZSTD_DCtx_setParameter(zstd->reader, ZSTD_d_windowLogMax, WINDOW_LOG_ACCEPTED),
			   "ZSTD_DCtx_setParameter");
	return (BkFilter)
	{
		.layer = BK_LAYER_COMPRESSION,.process = process_decompress,.state = zstd
	};
}
