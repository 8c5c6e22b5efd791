/*
 * answer.h
 *		The table backup_service.answer: answers kept for requests that are sent
 *		again with the same idempotency key.
 */
#ifndef BK_CATALOG_ANSWER_H
#define BK_CATALOG_ANSWER_H

#include "catalog/statement.h"
#include "common/backup_types.h"
#include "datatype/timestamp.h"

typedef struct BkAnswer
{
	const char *role;			/* who sent the request */
	const char *key;			/* the caller's word for it */
	TimestampTz created_at;
	uint8		digest[BK_DIGEST_BYTES];	/* HMAC-SHA-256 of the request, under a data key of its own */
	uint8		wrapped_key[BK_WRAPPED_DEK_BYTES];
	int32		key_version;
	uint8		fingerprint[BK_FINGERPRINT_BYTES];	/* of the key version; read only */
	const char *answer;			/* JSON; NULL until the request has been answered */
} BkAnswer;

/* Insert a row without an answer; waits for whoever inserts the same, and is false where that one commits. */
extern bool bk_answer_insert(const BkAnswer *answer);

/* Read a row; false where there is none. */
extern bool bk_answer_find(const char *role, const char *key, BkAnswer *answer);

extern void bk_answer_set(const char *role, const char *key, const char *answer);

/* Forget the row, and a few others that are older than a time. */
extern void bk_answer_delete(const char *role, const char *key);
extern void bk_answer_trim(TimestampTz before);

#endif							/* BK_CATALOG_ANSWER_H */
