/*
 * recipe.h
 *		The recipes with their buffer size as an argument, for tests.
 */
#ifndef BK_RECIPE_H
#define BK_RECIPE_H

#include "payload/payload.h"

extern void bk_recipe_write(BkMemory memory, BkText text, const BkDek *dek, BkPayloadHeader *header,
							BkPayloadSeal *seal, const BkChunkSink *sink, size_t buffer_bytes);
extern BkText bk_recipe_read(BkMemory memory, const BkDek *dek, const BkPayloadHeader *header,
							 const BkPayloadSeal *seal, const BkChunkSource *source, BkText *packed,
							 size_t buffer_bytes);

#endif							/* BK_RECIPE_H */
