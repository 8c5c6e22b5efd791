/*
 * audit_keys.c
 *		Follows master key versions along the trail.
 */
#include "service/audit_keys.h"

#include "catalog/key.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

typedef struct KeyState
{
	int32		version;
	const char *state;
	bool		seen;
} KeyState;

/* Versions are few: nobody rotates more often than a list is looked through. */
struct BkKeyTrail
{
	MemoryContext memory;
	int			count;
	int			room;
	KeyState   *keys;
};

BkKeyTrail *
bk_key_trail_open(MemoryContext memory)
{
	BkKeyTrail *trail = MemoryContextAllocZero(memory, sizeof(BkKeyTrail));

	trail->memory = memory;
	trail->room = 8;
	trail->keys = MemoryContextAlloc(memory, trail->room * sizeof(KeyState));
	return trail;
}

static KeyState *
find(BkKeyTrail *trail, int32 version)
{
	for (int i = 0; i < trail->count; i++)
		if (trail->keys[i].version == version)
			return &trail->keys[i];
	return NULL;
}

static void
set_state(BkKeyTrail *trail, int32 version, const char *state)
{
	KeyState   *key = find(trail, version);

	if (key == NULL)
	{
		if (trail->count == trail->room)
			trail->keys = repalloc(trail->keys, (trail->room *= 2) * sizeof(KeyState));
		key = &trail->keys[trail->count++];
		*key = (KeyState) {.version = version};
	}
	key->state = state;
}

/* The version of an event; 0 where it has none that can be. */
static int32
version_of(const BkEvent *event)
{
	JsonbValue	value;
	long		version;

	if (event->detail == NULL || !JB_ROOT_IS_OBJECT(event->detail) ||
		getKeyJsonValueFromContainer(&event->detail->root, "version", strlen("version"), &value) == NULL ||
		value.type != jbvNumeric)
		return 0;
	/* by way of its text, which no number that a hand has written makes an error of */
	version = strtol(numeric_normalize(value.val.numeric), NULL, 10);
	return version > 0 && version <= PG_INT32_MAX ? (int32) version : 0;
}

void
bk_key_trail_replay(BkKeyTrail *trail, const BkEvent *event)
{
	int32		version = version_of(event);

	if (version == 0)
		return;
	if (strcmp(event->action, "key_create") == 0 || strcmp(event->action, "key_rotate") == 0)
	{
		for (int i = 0; i < trail->count; i++)
			if (strcmp(trail->keys[i].state, "active") == 0)
				trail->keys[i].state = "previous";
		set_state(trail, version, "active");
	}
	else if (strcmp(event->action, "key_retire") == 0)
		set_state(trail, version, "retired");
}

static bool
has_active(const BkKeyTrail *trail)
{
	for (int i = 0; i < trail->count; i++)
		if (strcmp(trail->keys[i].state, "active") == 0)
			return true;
	return false;
}

/* What is wrong with a row; NULL where nothing is. */
static const char *
compare_row(BkKeyTrail *trail, bool whole, const BkKeyVersion *row)
{
	KeyState   *key = find(trail, row->version);

	if (key == NULL && whole)
		return psprintf("key version %d was added", row->version);
	if (key == NULL)
		return strcmp(row->state, "active") == 0 && has_active(trail)
			? psprintf("key version %d was made active again", row->version) : NULL;
	key->seen = true;
	return strcmp(row->state, key->state) == 0 ? NULL
		: psprintf("the state of key version %d was changed from \"%s\" to \"%s\"", row->version, key->state, row->state);
}

void
bk_key_trail_compare(BkKeyTrail *trail, bool whole, void (*tell) (void *context, const char *problem), void *context)
{
	BkKeyVersion *rows;
	int			count = bk_key_find_all(&rows);

	for (int i = 0; i < count; i++)
	{
		const char *problem = compare_row(trail, whole, &rows[i]);

		if (problem)
			tell(context, problem);
	}
	for (int i = 0; i < trail->count; i++)
		if (!trail->keys[i].seen)
			tell(context, psprintf("key version %d was removed", trail->keys[i].version));
}
