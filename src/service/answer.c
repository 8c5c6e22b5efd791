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

/* Whether it is the request that was answered. */
static bool
is_same(BkKeys *keys, const BkAnswer *answer, BkText request)
{
	BkDek	   *dek = bk_alloc_secret(CurrentMemoryContext, sizeof(BkDek));
	uint8		digest[BK_DIGEST_BYTES];

	bk_keys_unwrap(keys, answer->key_version, answer->fingerprint, answer->wrapped_key, dek, (BkOrigin) {0});
	bk_document_digest(dek, request, digest);
	return memcmp(digest, answer->digest, BK_DIGEST_BYTES) == 0;
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

	seal(keys, request, &claim);
	bk_answer_trim(claim.created_at - KEPT_FOR);
	while (!bk_answer_insert(&claim))
	{
		CHECK_FOR_INTERRUPTS();
		if (!find_kept(&claim, &kept))
			continue;
		*answer = kept.answer;
		return is_same(keys, &kept, request);
	}
	*answer = NULL;
	return true;
}

void
bk_keep_answer(const BkCall *call, const char *key, const char *answer)
{
	bk_answer_set(call->role_name, key, answer);
}
