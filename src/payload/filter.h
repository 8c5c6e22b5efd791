/*
 * filter.h
 *		Filters over bytes, and the pipeline that runs a list of them.
 *
 * A filter either transforms bytes (process) or only sees them (observe: a
 * tap).  A pipeline is a list of filters with one fixed buffer behind each that
 * transforms; its last filter is a tap that keeps what arrives.
 */
#ifndef BK_FILTER_H
#define BK_FILTER_H

#include "common/common.h"

/* The size of a pipeline's buffers; tests take other sizes, down to one byte. */
#define BK_BUFFER_BYTES		((size_t) (32 * 1024))

/* Where a filter belongs between a text and its stored bytes. */
typedef enum BkLayer
{
	BK_LAYER_TEXT,
	BK_LAYER_COMPRESSION,
	BK_LAYER_CIPHER,
	BK_LAYER_PROOF,				/* sees stored bytes */
	BK_LAYER_CHUNKS
} BkLayer;

/* Room for output: the filter moves data on and lessens len. */
typedef struct BkSpace
{
	uint8	   *data;
	size_t		len;
} BkSpace;

typedef struct BkFilter
{
	BkLayer		layer;

	/*
	 * Take from *in, moving it on, and give to *out, as much as fits.  last
	 * says that nothing comes after *in.  True when last and all has been
	 * given; until then every call takes or gives at least one byte, unless it
	 * needs more input.
	 */
	bool		(*process) (void *state, BkText *in, BkSpace *out, bool last);

	/* See bytes that pass by. */
	void		(*observe) (void *state, BkText bytes);

	void	   *state;
} BkFilter;

typedef struct BkPipeline BkPipeline;

/*
 * Make a pipeline of count filters.  Layers must follow each other in one
 * direction, so that nothing is encrypted before it is compressed, or proved
 * before it is encrypted.
 */
extern BkPipeline *bk_pipeline_new(BkMemory memory, const BkFilter *filters, int count,
								   size_t buffer_bytes);

/* Send bytes through; last, once, says that they are the last (there may be none). */
extern void bk_pipeline_push(BkPipeline *pipeline, BkText bytes, bool last);

/* Copy what fits of *in to *out: what a filter with bytes in hand does. */
extern void bk_filter_copy(BkText *in, BkSpace *out);

#endif							/* BK_FILTER_H */
