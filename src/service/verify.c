/*
 * verify.c
 *		Verification: stored bytes, then the whole chain up to the document.
 */
#include "service/verify.h"

#include "access/xact.h"
#include "catalog/policy.h"
#include "catalog/verification.h"
#include "service/chain.h"
#include "service/clock.h"
#include "service/examine.h"
#include "service/find.h"
#include "service/finding.h"
#include "service/roster.h"
#include "service/try.h"
#include "utils/timestamp.h"

/* A backup that expires within this time is warned of. */
#define EXPIRY_WARNING_DAYS	7

/* The size of a document is compared with those of the last few before it. */
#define MEDIAN_OF			10
#define MEDIAN_OF_LEAST		3

/* What the steps of a verification need, for bk_try(). */
typedef struct Verification
{
	const BkCall *call;
	BkKeys	   *keys;
	BkBackup   *backup;
	BkVerdict  *verdict;
} Verification;

static void
warn(BkVerdict *verdict, char *text)
{
	verdict->warnings = lappend(verdict->warnings, text);
}

static void
check_stored_bytes(void *argument)
{
	Verification *verification = argument;

	bk_stored_check_at_rest(verification->backup);
}

/* Have every master key of the chain. */
static void
check_keys(void *argument)
{
	Verification *verification = argument;
	BkKeys	   *keys = verification->keys;
	BkBackup   *bases = NULL;
	int			count = 0;

	if (verification->backup->key_known)
		bk_keys_load(keys, verification->backup->key_version, verification->backup->fingerprint);
	if (verification->backup->base_id != 0)
		count = bk_backup_find_bases(verification->backup, &bases);
	for (int i = 0; i < count; i++)
		if (bases[i].key_known)
			bk_keys_load(keys, bases[i].key_version, bases[i].fingerprint);
}

static void
check_document(void *argument)
{
	Verification *verification = argument;
	BkState    *state = bk_state_open(verification->keys, verification->call->memory);

	bk_state_go_to(state, verification->backup);
	(void) bk_state_proven_tree(state);
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

/* The key cannot be had: the document is neither sound nor damaged, as far as anybody knows. */
static bool
knows_key(Verification *verification, BkVerdict *verdict)
{
	ErrorData  *error;

	if (bk_try(check_keys, verification, bk_is_key_problem, &error))
		return true;
	verdict->incomplete = true;
	warn(verdict, psprintf("Key not available, so that only the stored bytes were checked: %s", bk_error_text(error)));
	return false;
}

static void
note(void *argument)
{
	Verification *verification = argument;
	BkExaminer *examiner = bk_examiner_new(verification->call->memory);
	BkExamination examination;
	BkFinding	finding;

	if (bk_verdict_valid(verification->verdict))
	{
		(void) bk_finding_note_sound(verification->call, verification->backup, GetCurrentTimestamp(), &finding);
		return;
	}
	/* Which backup of the chain it is that is damaged. */
	bk_examine(examiner, verification->call, verification->backup, -1, &examination);
	if (examination.result == BK_EXAMINED_DAMAGED)
		(void) bk_finding_note_damage(verification->call, &examination.culprit, examination.error,
									  GetCurrentTimestamp(), &finding);
}

/* Note at the backup what was found; a writer beside us is neither waited for nor an error. */
static void
note_result(Verification *verification)
{
	ErrorData  *conflict;

	if (!XactReadOnly && !verification->verdict->incomplete)
		(void) bk_try(note, verification, bk_is_conflict, &conflict);
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
		warn(verdict, pstrdup("Backup has expired"));
	else if (days <= EXPIRY_WARNING_DAYS)
		warn(verdict, days == 1 ? pstrdup("Backup expires in 1 day") : psprintf("Backup expires in %d days", days));
}

/* A document that has shrunk, or grown, out of proportion may not be what it should be. */
static void
warn_of_size(const BkBackup *backup, BkVerdict *verdict)
{
	const char *proportion;
	int			count;
	int64		median = bk_verification_median_size(backup, MEDIAN_OF, &count);

	if (count < MEDIAN_OF_LEAST)
		return;
	if (backup->document_size * 2 < median)
		proportion = "less than half";
	else if (backup->document_size > median * 3)
		proportion = "more than three times";
	else
		return;
	warn(verdict, psprintf("Document has " INT64_FORMAT " bytes, %s the median of the %d before, which is " INT64_FORMAT,
						   backup->document_size, proportion, count, median));
}

/* The resource's next backup, not this one, is late. */
static void
warn_of_overdue(const BkBackup *backup, BkVerdict *verdict)
{
	TimestampTz last;
	char	   *expected = bk_policy_find_expectation(backup->resource_id, bk_now(), &last);

	if (expected)
		warn(verdict, psprintf("Next backup is overdue: one is expected every %s, the newest is of %s",
							   expected, timestamptz_to_str(last)));
}

/* Where workers are to be started by the launcher, and are not, expiry, queue and scrub stand still. */
static void
warn_of_worker(BkVerdict *verdict)
{
	BkWorkerHealth worker;

	bk_roster_health(&worker);
	if (worker.preloaded && worker.problem)
		warn(verdict, psprintf("Worker is not running: %s", worker.problem));
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
	Verification verification = {.call = call, .keys = bk_keys_open(call), .backup = &backup, .verdict = verdict};

	memset(verdict, 0, sizeof(*verdict));
	bk_view_open();
	bk_find_backup(call, backup_id, resource_id, &backup);
	verdict->checksum_valid = passes(check_stored_bytes, &verification, verdict);
	if (knows_key(&verification, verdict))
		verdict->structure_valid = verdict->data_integrity = passes(check_document, &verification, verdict);
	warn_of_size(&backup, verdict);
	warn_of_overdue(&backup, verdict);
	bk_view_close();
	warn_of_expiry(&backup, verdict);
	warn_of_worker(verdict);
	note_result(&verification);
}
