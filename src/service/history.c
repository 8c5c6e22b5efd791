/*
 * history.c
 *		A walk over a resource's backups in order of time, each reached from
 *		the one before where it builds on it.
 */
#include "service/history.h"

#include "delta/path.h"
#include "mb/pg_wchar.h"
#include "service/audit.h"
#include "service/chain.h"
#include "service/find.h"
#include "service/json_text.h"

typedef struct History
{
	BkMemory	memory;
	BkHistoryEntry *entries;
	int			count;
	int			room;
} History;

static bool
is_repeat(const History *history, BkText value)
{
	const BkHistoryEntry *last;

	if (history->count == 0)
		return value.data == NULL;
	last = &history->entries[history->count - 1];
	if (value.data == NULL || last->value.data == NULL)
		return value.data == last->value.data;
	return bk_text_equal(value, last->value);
}

static BkText
copy_text(BkMemory memory, BkText text)
{
	char	   *copy;

	if (text.data == NULL)
		return text;
	copy = bk_alloc(memory, text.len);
	memcpy(copy, text.data, text.len);
	return (BkText) {copy, text.len};
}

static void
add_entry(History *history, const BkBackup *backup, BkText value)
{
	if (history->count == history->room)
	{
		history->room = Max(16, history->room * 2);
		history->entries = bk_realloc(history->memory, history->entries, sizeof(BkHistoryEntry) * history->room);
	}
	history->entries[history->count++] = (BkHistoryEntry) {
		.backup_id = backup->backup_id,
		.created_at = backup->created_at,
		.value = copy_text(history->memory, value),
	};
}

/* The value in one backup; data is NULL where it is not there. */
static BkText
value_at(BkState *state, const BkBackup *backup, BkText path)
{
	BkNodeRef	root;
	BkNodeRef	node;
	BkTree	   *tree;

	bk_state_go_to(state, backup);
	tree = bk_state_tree(state, &root);
	if (!bk_path_find(tree, root, path, BK_ARGUMENT, &node))
		return (BkText) {NULL, 0};
	return bk_tree_text(tree, node);
}

/* What the trail says of the path, of which a start is enough. */
#define PATH_BYTES	512

static Jsonb *
describe_path(BkText path)
{
	char	   *text = pg_any_to_server(pnstrdup(path.data, path.len), path.len, PG_UTF8);
	int			length = strlen(text);

	if (length > PATH_BYTES)
		text = psprintf("%.*s...", pg_mbcliplen(text, length, PATH_BYTES), text);
	return bk_json_of_text("path", text);
}

int
bk_value_history(const BkCall *call, const char *resource_id, BkText path, BkHistoryEntry **entries)
{
	History		history = {.memory = call->memory};
	BkState    *state = bk_state_open(bk_keys_open(call), call->memory);
	BkResource	resource;
	int64	   *ids;
	int			count;

	bk_view_open();
	bk_find_resource(call, resource_id, &resource);
	count = bk_backup_find_all(resource_id, &ids);
	for (int i = 0; i < count; i++)
	{
		BkBackup	backup;
		BkText		value;

		if (!bk_backup_find(resource_id, ids[i], &backup))
			bk_no_such_backup(ids[i]);
		value = value_at(state, &backup, path);
		if (!is_repeat(&history, value))
			add_entry(&history, &backup, value);
	}
	bk_view_close();
	bk_audit_read(call, "history", resource.resource_id, 0, describe_path(path));
	*entries = history.entries;
	return history.count;
}
