/*
 * model.h
 *		Random documents and random edits of them, for the property test.  They
 *		know nothing of the code under test: canonical text is made here anew.
 */
#ifndef BK_MODEL_H
#define BK_MODEL_H

#include "common/common.h"

typedef enum ModelKind
{
	MODEL_SCALAR,
	MODEL_ARRAY,
	MODEL_OBJECT
} ModelKind;

typedef struct Model
{
	ModelKind	kind;
	const char *scalar;			/* canonical text */
	uint32		count;
	uint32		capacity;
	struct Model **items;
	uint32	   *keys;			/* of an object, ascending: see model_key */
} Model;

extern void model_seed(uint64 seed);
extern uint32 model_random(uint32 below);
extern bool model_chance(uint32 one_in);

/* The key of a number, without escapes. */
extern const char *model_key(uint32 number, char buffer[16]);

extern Model *model_new(BkMemory memory);
extern Model *model_copy(BkMemory memory, const Model *model);

/* Change a document in a few random places. */
extern Model *model_edit(BkMemory memory, Model *model);

/* Canonical text; or, shuffled, with keys in random order. */
extern BkText model_text(BkMemory memory, const Model *model, bool shuffled);

/* A random path to something in a document, and what stands there. */
extern BkText model_path(BkMemory memory, const Model *model, const Model **found);

/* Random text that is nearly a delta. */
extern BkText model_bad_delta(BkMemory memory, const Model *model);

#endif							/* BK_MODEL_H */
