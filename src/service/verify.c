/*
 * verify.c
 *		Verification: stored bytes, then the whole chain up to the document.
 */
#include "service/verify.h"

#include "access/xact.h"
#include "service/chain.h"
#include "service/find.h"
#include "service/try.h"
#include "utils/timestamp.h"

/* A backup that expires within this time is warned of. */
#define EXPIRY_WARNING_DAYS	7

/* What the steps of a verification need, for bk_try(). */
typedef struct Verification
{
	const BkCall *call;
	const BkBackup *backup;
} Verification;

static void
check_stored_bytes(void *argument)
{
	Verification *verification = argument;

	bk_stored_check_at_rest(verification->backup);
}

static void
check_document(void *argument)
{
	Verification *verification = argument;
	BkState    *state = bk_state_open(bk_keys_open(verification->call), verification->call->memory);
	BkNodeRef	root;

	bk_state_go_to(state, verification->backup);
	bk_state_text(state, true);
	bk_state_tree(state, &root);
}

/* Run one step; what it finds becomes an error of the verdict. */
static bool
passes(void (*step) (void *), Verification *verification, BkVerdict *verdict)
{
	ErrorData  *damage;
	char	   *text;

	if (bk_try(step, verification, bk_is_damage, &damage))
		return true;
	text = damage->detail ? psprintf("%s: %s", damage->message, damage->detail) : damage->message;
	for (int i = 0; i < list_length(verdict->errors); i++)
		if (strcmp(list_nth(verdict->errors, i), text) == 0)
			return false;
	verdict->errors = lappend(verdict->errors, text);
	return false;
}

static void
note_time(void *argument)
{
	BkBackup   *backup = argument;
	BkResource	resource;

	if (bk_resource_try_lock(backup->resource_id, &resource))
		bk_backup_set_verified(backup, GetCurrentTimestamp());
}

/* Note when the backup was found sound; a writer beside us is neither waited for nor an error. */
static void
note_verified(BkBackup *backup)
{
	ErrorData  *conflict;

	if (!XactReadOnly)
		(void) bk_try(note_time, backup, bk_is_conflict, &conflict);
}

static void
warn_of_expiry(const BkBackup *backup, BkVerdict *verdict)
{
	int64		left;
	int			days;

	if (backup->expires_at == 0)
		return;
	left = backup->expires_at - GetCurrentTimestamp();
	/* Rounded up: a backup just made to be kept for five days expires in five. */
	days = left / USECS_PER_DAY + 1;
	if (left <= 0)
		verdict->warnings = lappend(verdict->warnings, "Backup has expired");
	else if (days <= EXPIRY_WARNING_DAYS)
		verdict->warnings = lappend(verdict->warnings,
									days == 1 ? pstrdup("Backup expires in 1 day")
									: psprintf("Backup expires in %d days", days));
}

bool
bk_verdict_valid(const BkVerdict *verdict)
{
	return verdict->checksum_valid && verdict->structure_valid && verdict->data_integrity;
}

void
bk_verify_backup(const BkCall *call, int64 backup_id, const char *resource_id, BkVerdict *verdict)
{
	BkBackup	backup;
	Verification verification = {.call = call, .backup = &backup};

	memset(verdict, 0, sizeof(*verdict));
	bk_view_open();
	bk_find_backup(call, backup_id, resource_id, &backup);
	verdict->checksum_valid = passes(check_stored_bytes, &verification, verdict);
	verdict->structure_valid = verdict->data_integrity = passes(check_document, &verification, verdict);
	bk_view_close();
	warn_of_expiry(&backup, verdict);
	if (bk_verdict_valid(verdict))
		note_verified(&backup);
}
