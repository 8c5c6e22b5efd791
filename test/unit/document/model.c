/*
 * model.c
 *		Random documents and random edits of them.
 */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>

#define POOL_KEYS		40
#define ALL_KEYS		20000
#define MAX_DEPTH		9

/* Keys without escapes; beyond these come k40, k41 ... */
static const char *const pool[POOL_KEYS] = {
	"", "a", "b", "c", ".", "[", "]", "\"", "\\", "\n", "\x01", "0", "-", "\x7f",
	"id", "_a", "a.", "\xc3\xa9", "\x1f\x1f", "\"\"", "\\\"", "_id", "key", "a-b", "a b", "\t\r\b",
	"name", "uuid", "[\"]", "\xf0\x9f\x98\x80", "type", "items", "value", "values", "\f\f\f\f\f\f",
	"settings", "a.b[0].c", "0123456789abcdef", "with \"quotes\"", "\x02\x03\x04\x05\x06\x07\x0b\x0e"
};

static uint64 state;

void
model_seed(uint64 seed)
{
	state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
}

uint32
model_random(uint32 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32) ((state >> 20) % below);
}

bool
model_chance(uint32 one_in)
{
	return model_random(one_in) == 0;
}

const char *
model_key(uint32 number, char buffer[16])
{
	if (number < POOL_KEYS)
		return pool[number];
	snprintf(buffer, 16, "k%u", number);
	return buffer;
}

static int
compare_keys(uint32 a, uint32 b)
{
	char		a_buffer[16];
	char		b_buffer[16];
	const char *a_key = model_key(a, a_buffer);
	const char *b_key = model_key(b, b_buffer);

	if (strlen(a_key) != strlen(b_key))
		return strlen(a_key) < strlen(b_key) ? -1 : 1;
	return memcmp(a_key, b_key, strlen(a_key));
}

static const char *
random_scalar(BkMemory memory)
{
	static const char *const fixed[] = {
		"null", "true", "false", "0", "1", "-1", "1.0", "1.00", "0.0", "\"\"", "\"a\"",
		"\"\\n\"", "\"\\u001f\\\"\\\\\"", "\"\xc3\xa9\"", "-0.5", "123456789012345678901234567890",
		"\"longer than eight bytes\"", "\"0123456\\b89abcdef\""
	};
	char	   *text;

	if (model_chance(2))
		return fixed[model_random(lengthof(fixed))];
	text = bk_alloc(memory, 64);
	if (model_chance(2))
		snprintf(text, 64, "%u", model_random(model_chance(2) ? 10 : 100000));
	else
		snprintf(text, 64, "\"%u-%u\"", model_random(100), model_random(100000));
	return text;
}

static Model *
new_model(BkMemory memory, ModelKind kind)
{
	Model	   *model = bk_alloc_zero(memory, sizeof(Model));

	model->kind = kind;
	return model;
}

static Model *
new_scalar(BkMemory memory)
{
	Model	   *model = new_model(memory, MODEL_SCALAR);

	model->scalar = random_scalar(memory);
	return model;
}

/* Put an item at a position of an array, or under a key of an object. */
static void
insert_item(BkMemory memory, Model *model, uint32 where, Model *item)
{
	uint32		position = where;

	if (model->kind == MODEL_OBJECT)
	{
		position = 0;
		while (position < model->count && compare_keys(model->keys[position], where) < 0)
			position++;
		if (position < model->count && model->keys[position] == where)
		{
			model->items[position] = item;
			return;
		}
	}
	if (model->count == model->capacity)
	{
		model->capacity = model->capacity * 2 + 4;
		model->items = bk_realloc(memory, model->items, model->capacity * sizeof(Model *));
		model->keys = bk_realloc(memory, model->keys, model->capacity * sizeof(uint32));
	}
	memmove(model->items + position + 1, model->items + position, (model->count - position) * sizeof(Model *));
	memmove(model->keys + position + 1, model->keys + position, (model->count - position) * sizeof(uint32));
	model->items[position] = item;
	model->keys[position] = where;
	model->count++;
}

static void
remove_item(Model *model, uint32 position)
{
	model->count--;
	memmove(model->items + position, model->items + position + 1, (model->count - position) * sizeof(Model *));
	memmove(model->keys + position, model->keys + position + 1, (model->count - position) * sizeof(uint32));
}

static uint32
random_key(void)
{
	return model_random(model_chance(8) ? 400 : POOL_KEYS);
}

/* A row: an object with an identity and some values. */
static Model *
new_row(BkMemory memory, uint32 identity)
{
	static const uint32 identities[] = {14, 21, 22, 26, 27};
	Model	   *row = new_model(memory, MODEL_OBJECT);
	Model	   *id = new_model(memory, MODEL_SCALAR);
	char	   *text = bk_alloc(memory, 16);

	snprintf(text, 16, "%u", identity);
	id->scalar = text;
	insert_item(memory, row, identities[model_random(model_chance(4) ? 5 : 1)], model_chance(30) ? new_model(memory, MODEL_ARRAY) : id);
	for (uint32 i = model_random(3); i > 0; i--)
		insert_item(memory, row, random_key(), new_scalar(memory));
	return row;
}

/* An array too long for the exact algorithm: distinct elements, or many alike. */
static Model *
new_long_array(BkMemory memory)
{
	Model	   *array = new_model(memory, MODEL_ARRAY);
	uint32		count = 200 + model_random(model_chance(4) ? 4000 : 500);
	uint32		values = model_chance(2) ? 2 + model_random(30) : 1000000;

	for (uint32 i = 0; i < count; i++)
	{
		Model	   *item = new_model(memory, MODEL_SCALAR);
		char	   *text = bk_alloc(memory, 16);

		snprintf(text, 16, "%u", model_random(values));
		item->scalar = text;
		insert_item(memory, array, i, model_chance(50) ? new_row(memory, i) : item);
	}
	return array;
}

static Model *
random_model(BkMemory memory, int depth)
{
	Model	   *model;
	uint32		count = model_chance(8) ? 0 : model_random(model_chance(6) ? 12 : 5);
	bool		rows = model_chance(3);

	if (depth >= MAX_DEPTH || (depth > 1 && model_chance(2)) || model_chance(12))
		return new_scalar(memory);
	if (model_chance(1200))
		return new_long_array(memory);
	model = new_model(memory, model_chance(2) ? MODEL_ARRAY : MODEL_OBJECT);
	for (uint32 i = 0; i < count; i++)
	{
		if (model->kind == MODEL_ARRAY)
			insert_item(memory, model, i, rows ? new_row(memory, model_random(20)) : random_model(memory, depth + 1));
		else
			insert_item(memory, model, random_key(), random_model(memory, depth + 1));
	}
	return model;
}

/* Put a document deep into others. */
static Model *
wrap(BkMemory memory, Model *model, uint32 levels)
{
	while (levels-- > 0)
	{
		Model	   *outer = new_model(memory, model_chance(2) ? MODEL_ARRAY : MODEL_OBJECT);

		insert_item(memory, outer, outer->kind == MODEL_ARRAY ? 0 : random_key(), model);
		if (model_chance(3))
			insert_item(memory, outer, outer->kind == MODEL_ARRAY ? model_random(2) : random_key(), new_scalar(memory));
		model = outer;
	}
	return model;
}

Model *
model_new(BkMemory memory)
{
	Model	   *model = random_model(memory, 0);

	if (model_chance(10))
		model = wrap(memory, model, model_random(model_chance(20) ? 300 : 8));
	return model;
}

Model *
model_copy(BkMemory memory, const Model *model)
{
	Model	   *copy = bk_alloc(memory, sizeof(Model));

	*copy = *model;
	if (model->capacity == 0)
		return copy;
	copy->items = bk_alloc(memory, model->capacity * sizeof(Model *));
	copy->keys = bk_alloc(memory, model->capacity * sizeof(uint32));
	memcpy(copy->keys, model->keys, model->count * sizeof(uint32));
	for (uint32 i = 0; i < model->count; i++)
		copy->items[i] = model_copy(memory, model->items[i]);
	return copy;
}

/* Put the items from start to end in random order. */
static void
shuffle(Model *array, uint32 start, uint32 end)
{
	for (uint32 i = end; i > start + 1; i--)
	{
		uint32		other = start + model_random(i - start);
		Model	   *item = array->items[i - 1];

		array->items[i - 1] = array->items[other];
		array->items[other] = item;
	}
}

/* Make an array differ by more than the exact algorithm takes. */
static void
edit_long_array(Model *array)
{
	uint32		start = model_random(array->count);
	uint32		end = start + model_random(array->count - start) + 1;

	if (model_chance(2))
		shuffle(array, start, end);
	else if (model_chance(2))
		shuffle(array, 0, array->count);
	else
	{
		/* swap what is before and after start */
		for (uint32 i = 0; i < start; i++)
		{
			Model	   *first = array->items[0];

			memmove(array->items, array->items + 1, (array->count - 1) * sizeof(Model *));
			array->items[array->count - 1] = first;
		}
	}
}

/* One edit of an array. */
static void
edit_array(BkMemory memory, Model *array)
{
	uint32		at = model_random(array->count + 1);

	if (array->count > 150 && model_chance(2))
	{
		edit_long_array(array);
		return;
	}
	switch (model_random(array->count == 0 ? 1 : 8))
	{
		case 0:
			for (uint32 i = model_random(model_chance(10) ? 100 : 3) + 1; i > 0; i--)
				insert_item(memory, array, at, model_chance(2) ? new_row(memory, model_random(30)) : random_model(memory, 4));
			break;
		case 1:
			for (uint32 i = model_random(model_chance(10) ? 100 : 3) + 1; i > 0 && array->count > 0; i--)
				remove_item(array, model_random(array->count));
			break;
		case 2:
			insert_item(memory, array, at, model_copy(memory, array->items[model_random(array->count)]));
			break;
		case 3:
			if (model_chance(3))
				shuffle(array, 0, array->count);
			break;
		case 4:
			for (uint32 i = model_random(4) + 1; i > 0; i--)
			{
				uint32		from = model_random(array->count);
				Model	   *item = array->items[from];

				remove_item(array, from);
				insert_item(memory, array, model_random(array->count + 1), item);
			}
			break;
		case 5:
			for (uint32 i = 0; i < array->count; i++)
			{
				if (model_chance(5) && array->items[i]->kind == MODEL_OBJECT)
					insert_item(memory, array->items[i], random_key(), new_scalar(memory));
			}
			break;
		case 6:
			for (uint32 i = 0; i < array->count; i++)
			{
				if (model_chance(6))
					array->items[i] = model_chance(2) ? new_scalar(memory) : random_model(memory, 5);
			}
			break;
		default:
			array->items[model_random(array->count)] = random_model(memory, 3);
	}
}

static void
edit_object(BkMemory memory, Model *object)
{
	switch (model_random(object->count == 0 ? 1 : 5))
	{
		case 0:
			insert_item(memory, object, random_key(), random_model(memory, 3));
			break;
		case 1:
			remove_item(object, model_random(object->count));
			break;
		case 2:
			object->items[model_random(object->count)] = random_model(memory, 3);
			break;
		case 3:
			insert_item(memory, object, random_key(), object->items[model_random(object->count)]);
			break;
		default:
			object->items[model_random(object->count)] = new_scalar(memory);
	}
}

/* Edit somewhere below, mostly far down. */
static void
edit_once(BkMemory memory, Model *model)
{
	while (model->count > 0 && !model_chance(4))
	{
		uint32		child = model_random(model->count);

		if (model->items[child]->kind == MODEL_SCALAR)
			break;
		model = model->items[child];
	}
	if (model->kind == MODEL_ARRAY)
		edit_array(memory, model);
	else if (model->kind == MODEL_OBJECT)
		edit_object(memory, model);
	else
		model->scalar = random_scalar(memory);
}

Model *
model_edit(BkMemory memory, Model *model)
{
	if (model_chance(40))
		return wrap(memory, model, 1 + model_random(2));
	if (model_chance(40) && model->count > 0)
		return model_copy(memory, model->items[model_random(model->count)]);
	for (uint32 i = model_random(6); i > 0; i--)
		edit_once(memory, model);
	/* what an edit used twice must not be shared any more */
	return model_copy(memory, model);
}
