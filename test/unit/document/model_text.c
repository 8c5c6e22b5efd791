/*
 * model_text.c
 *		Random documents as text, paths into them, and what is nearly a delta.
 */
#include "model.h"

#include <stdio.h>

/* Text that is being made. */
typedef struct Out
{
	BkMemory	memory;
	char	   *data;
	size_t		len;
	size_t		capacity;
} Out;

static void
put(Out *out, const char *text, size_t len)
{
	if (out->len + len >= out->capacity)
	{
		out->capacity = (out->len + len) * 2 + 64;
		out->data = bk_realloc(out->memory, out->data, out->capacity);
	}
	memcpy(out->data + out->len, text, len);
	out->len += len;
}

static void
puts_to(Out *out, const char *text)
{
	put(out, text, strlen(text));
}

/* A JSON string with jsonb's escapes; any: now and then with other ones. */
static void
put_string(Out *out, const char *text, size_t len, bool any)
{
	puts_to(out, "\"");
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];
		const char *letter = c ? strchr("\bb\ff\nn\rr\tt", c) : NULL;
		char		escape[8];

		if (any && c < 0x80 && model_chance(3))
			snprintf(escape, sizeof(escape), model_chance(2) ? "\\u%04X" : "\\u%04x", c);
		else if (c == '"' || c == '\\' || (any && c == '/'))
			snprintf(escape, sizeof(escape), "\\%c", c);
		else if (c >= 0x20)
			snprintf(escape, sizeof(escape), "%c", c);
		else if (letter)
			snprintf(escape, sizeof(escape), "\\%c", letter[1]);
		else
			snprintf(escape, sizeof(escape), "\\u%04x", c);
		puts_to(out, escape);
	}
	puts_to(out, "\"");
}

static void
put_model(Out *out, const Model *model, bool shuffled)
{
	uint32		start = shuffled && model->count > 0 ? model_random(model->count) : 0;
	char		buffer[16];

	if (model->kind == MODEL_SCALAR)
	{
		puts_to(out, model->scalar);
		return;
	}
	puts_to(out, model->kind == MODEL_ARRAY ? "[" : "{");
	for (uint32 i = 0; i < model->count; i++)
	{
		uint32		at = model->kind == MODEL_ARRAY ? i : (start + i) % model->count;

		if (i > 0)
			puts_to(out, ", ");
		if (model->kind == MODEL_OBJECT)
		{
			const char *key = model_key(model->keys[at], buffer);

			put_string(out, key, strlen(key), false);
			puts_to(out, ": ");
		}
		put_model(out, model->items[at], shuffled);
	}
	puts_to(out, model->kind == MODEL_ARRAY ? "]" : "}");
}

BkText
model_text(BkMemory memory, const Model *model, bool shuffled)
{
	Out			out = {.memory = memory};

	put_model(&out, model, shuffled);
	return (BkText) {out.data, out.len};
}

/* Append one step to a path. */
static void
put_step(Out *out, const Model *container, uint32 at)
{
	char		buffer[16];
	const char *key;

	if (container->kind == MODEL_ARRAY)
	{
		snprintf(buffer, sizeof(buffer), "[%u]", at);
		puts_to(out, buffer);
		return;
	}
	key = model_key(container->keys[at], buffer);
	if (strspn(key, "abcdefghijklmnopqrstuvwxyz_0123456789-") == strlen(key) && key[0] > '9' && model_chance(4) == false)
	{
		puts_to(out, out->len > 0 ? "." : "");
		puts_to(out, key);
		return;
	}
	puts_to(out, "[");
	put_string(out, key, strlen(key), model_chance(2));
	puts_to(out, "]");
}

BkText
model_path(BkMemory memory, const Model *model, const Model **found)
{
	Out			out = {.memory = memory};

	put(&out, "", 0);
	while (model->count > 0 && !model_chance(5))
	{
		uint32		at = model_random(model->count);

		put_step(&out, model, at);
		model = model->items[at];
	}
	*found = model;
	return (BkText) {out.data, out.len};
}

/* A path that is often wrong. */
static BkText
bad_path(BkMemory memory, const Model *model)
{
	static const char *const tails[] = {
		"[0]", "[1]", "[5000000000]", ".a", ".zz", "[\"\\u0061\"]", "a", "[", "[\"", "[01]", "[\"a\"",
		"[\"\\ud83d\\ude00\"]", "[\"\\ud83d\"]", "[\"\\u00\"]", "[\"\\q\"]", "..", "[\"\\/\\u00e9\\u20ac\"]",
		"[\"\\\"]", "[\"\\", ".", "[\"\\u0000\"]", "[\"\\udc00\"]", "[\"\\ud83d\\u0041\"]", "[\"\n\"]", "[\"\\uzzzz\"]", "-"
	};
	const Model *found;
	BkText		path = model_path(memory, model, &found);
	Out			out = {.memory = memory, .data = (char *) path.data, .len = path.len, .capacity = path.len};

	if (model_chance(2))
		puts_to(&out, tails[model_random(lengthof(tails))]);
	return (BkText) {out.data, out.len};
}

static void
put_bad_entry(Out *out, BkMemory memory, const Model *model)
{
	const Model *found = model;
	BkText		path = model_chance(2) ? bad_path(memory, model) : model_path(memory, model, &found);
	uint32		shape = model_random(24);

	if (shape == 0)
	{
		puts_to(out, model_chance(2) ? "{}" : "1");
		return;
	}
	puts_to(out, shape == 1 ? "{\"kex\": " : "{\"key\": ");
	if (shape == 2)
		puts_to(out, "7");
	else
		put_string(out, path.data, path.len, false);
	if (shape % 3 == 0)
		puts_to(out, ", \"value\": [1, {\"a\": 2}]");
	else if (shape % 3 == 1)
	{
		puts_to(out, ", \"newValue\": {\"a\": [1, 2]}");
		if (model_chance(4))
		{
			puts_to(out, ", \"oldValue\": ");
			put_model(out, found, false);
		}
	}
	else if (model_chance(4))
	{
		puts_to(out, ", \"value\": ");
		put_model(out, found, false);
	}
	puts_to(out, "}");
}

BkText
model_bad_delta(BkMemory memory, const Model *model)
{
	static const char *const lists[] = {"\"changes\": ", "\"additions\": ", "\"deletions\": ", "\"other_list\": "};
	Out			out = {.memory = memory};

	if (model_chance(50))
		return model_chance(2) ? BK_TEXT("[]") : BK_TEXT("{\"changes\": 1}");
	puts_to(&out, "{");
	for (uint32 list = 0; list < (model_chance(30) ? 4u : 3u); list++)
	{
		if (model_chance(3))
			continue;
		if (out.len > 1)
			puts_to(&out, ", ");
		puts_to(&out, lists[list]);
		puts_to(&out, "[");
		for (uint32 i = model_random(4), n = 0; n < i; n++)
		{
			puts_to(&out, n > 0 ? ", " : "");
			put_bad_entry(&out, memory, model);
		}
		puts_to(&out, "]");
	}
	puts_to(&out, "}");
	return (BkText) {out.data, out.len};
}
