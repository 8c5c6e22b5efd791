/*
 * consolidate.c
 *		Rewriting one backup as full, whoever asks for it.
 */
#include "service/consolidate.h"

#include "service/audit.h"
#include "service/chain.h"
#include "service/json_text.h"
#include "service/queue.h"
#include "settings.h"

int64
bk_consolidate_locked(const BkCall *call, BkKeys *keys, BkResource *resource, BkBackup *backup, int64 leaving_base)
{
	BkMemory	memory = bk_memory_new(CurrentMemoryContext, "backup_service consolidation");
	BkState    *state = bk_state_open(keys, memory);
	BkText		document;

	bk_check_not_pinned(resource->resource_id, &backup->backup_id, 1);
	bk_view_open();
	bk_state_go_to(state, backup);
	document = bk_state_text(state, true);
	bk_view_close();

	backup->type = BK_TYPE_FULL;
	backup->base_id = 0;
	/* A small delta is stored as it is where it does not shrink; the document will. */
	if (backup->compression == BK_COMPRESSION_NONE)
		backup->compression = bk_setting_compression;
	bk_stored_replace(keys, backup, document, document);
	bk_memory_delete(memory);
	bk_audit_changed(call, resource, "consolidate", backup,
					 leaving_base == 0 ? NULL : bk_json_of_int64("deleted_base", leaving_base));
	return backup->stored_size;
}
