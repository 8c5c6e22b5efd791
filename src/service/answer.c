/*
 * answer.c
 *		Idempotency keys.
 *
 * That a request is the same is seen by its digest.  A plain one would confirm
 * guesses of a small document to the thief of the table, as it would for a backup
 * (docs/format.md), so it is keyed by a data key that the master key wraps.
 */
#include "service/answer.h"

#include "catalog/answer.h"
#include "payload/payload.h"
#include "service/clock.h"
#include "service/keys.h"
#include "service/try.h"

#define KEPT_FOR	(24 * USECS_PER_HOUR)

/* The digest of a request under a new data key. */
static void
seal(BkKeys *keys, BkText request, BkAnswer *answer)
{
	BkDek	   *dek = bk_alloc_secret(CurrentMemoryContext, sizeof(BkDek));

	bk_keys_activate(keys);
	bk_dek_generate(dek);
	bk_keys_wrap(keys, dek, answer->wrapped_key);
	answer->key_version = bk_keys_active(keys);
	bk_document_digest(dek, request, answer->digest);
}

/* What unwrapping needs and gives, for bk_try(). */
typedef struct Unwrapping
{
	BkKeys	   *keys;
	const BkAnswer *answer;
	BkDek	   *dek;
} Unwrapping;

static void
unwrap_tried(void *argument)
{
	Unwrapping *unwrapping = argument;
	const BkAnswer *answer = unwrapping->answer;

	bk_keys_unwrap(unwrapping->keys, answer->key_version, answer->fingerprint, answer->wrapped_key, unwrapping->dek,
				   (BkOrigin) {0});
}

/* What is refused of no backup's is 22023, as of an argument. */
static bool
is_refusal(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_INVALID_PARAMETER_VALUE;
}

/* The data key of what was kept. */
static BkDek *
open_kept(BkKeys *keys, const BkAnswer *answer)
{
	BkDek	   *dek = bk_alloc_secret(CurrentMemoryContext, sizeof(BkDek));
	ErrorData  *error;

	/* What is wrong with the master key itself is said as it is. */
	bk_keys_load(keys, answer->key_version, answer->fingerprint);
	if (!bk_try(unwrap_tried, &(Unwrapping) {keys, answer, dek}, is_refusal, &error))
		bk_answer_fail_damaged();
	return dek;
}

/* Whether it is the request that was answered. */
static bool
is_same(const BkDek *dek, const BkAnswer *answer, BkText request)
{
	uint8		digest[BK_DIGEST_BYTES];

	bk_document_digest(dek, request, digest);
	return memcmp(digest, answer->digest, BK_DIGEST_BYTES) == 0;
}

/* The digest of an answer with whose it is, so that one in another's place is no answer. */
static void
digest_answer(const BkDek *dek, const BkAnswer *answer, uint8 digest[BK_DIGEST_BYTES])
{
	char	   *text = psprintf("%s\n%s\n%s", answer->role, answer->key, answer->answer);

	bk_document_digest(dek, (BkText) {text, strlen(text)}, digest);
	pfree(text);
}

static void
check_answer(const BkDek *dek, const BkAnswer *answer)
{
	uint8		digest[BK_DIGEST_BYTES];

	digest_answer(dek, answer, digest);
	if (memcmp(digest, answer->answer_digest, BK_DIGEST_BYTES) != 0)
		bk_answer_fail_damaged();
}

/* The answer that is kept under the key; false where none is any more. */
static bool
find_kept(const BkAnswer *claim, BkAnswer *kept)
{
	if (!bk_answer_find(claim->role, claim->key, kept))
		return false;
	if (kept->created_at >= claim->created_at - KEPT_FOR)
		return true;
	bk_answer_delete(claim->role, claim->key);
	return false;
}

bool
bk_take_up_request(const BkCall *call, const char *key, BkText request, const char **answer)
{
	BkKeys	   *keys = bk_keys_open(call);
	BkAnswer	claim = {.role = call->role_name, .key = key, .created_at = bk_now()};
	BkAnswer	kept = {0};
	BkDek	   *dek;

	seal(keys, request, &claim);
	bk_answer_trim(claim.created_at - KEPT_FOR);
	while (!bk_answer_insert(&claim))
	{
		CHECK_FOR_INTERRUPTS();
		if (!find_kept(&claim, &kept))
			continue;
		dek = open_kept(keys, &kept);
		if (kept.answer)
			check_answer(dek, &kept);
		*answer = kept.answer;
		return is_same(dek, &kept, request);
	}
	*answer = NULL;
	return true;
}

void
bk_keep_answer(const BkCall *call, const char *key, const char *answer)
{
	BkAnswer	kept = {0};

	if (!bk_answer_find(call->role_name, key, &kept))
		return;
	kept.answer = answer;
	digest_answer(open_kept(bk_keys_open(call), &kept), &kept, kept.answer_digest);
	bk_answer_set(&kept);
}
