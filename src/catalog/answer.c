/*
 * answer.c
 *		Statements on backup_service.answer.
 */
#include "catalog/answer.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

static BkStatement insert_answer = {
	.sql = "INSERT INTO backup_service.answer (role, idempotency_key, created_at, digest, wrapped_key, key_version)"
	" VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
	.nargs = 6,
	.types = {NAMEOID, TEXTOID, TIMESTAMPTZOID, BYTEAOID, BYTEAOID, INT4OID},
};

static BkStatement find_answer = {
	.sql = "SELECT a.created_at, a.digest, a.wrapped_key, a.key_version, k.fingerprint, a.answer"
	" FROM backup_service.answer a LEFT JOIN backup_service.key k ON k.version = a.key_version"
	" WHERE a.role = $1 AND a.idempotency_key = $2",
	.nargs = 2,
	.types = {NAMEOID, TEXTOID},
};

static BkStatement set_answer = {
	.sql = "UPDATE backup_service.answer SET answer = $3 WHERE role = $1 AND idempotency_key = $2",
	.nargs = 3,
	.types = {NAMEOID, TEXTOID, TEXTOID},
};

static BkStatement delete_answer = {
	.sql = "DELETE FROM backup_service.answer WHERE role = $1 AND idempotency_key = $2",
	.nargs = 2,
	.types = {NAMEOID, TEXTOID},
};

/* Each request clears away more than it leaves, and waits for nobody who does the same. */
static BkStatement trim_answers = {
	.sql = "DELETE FROM backup_service.answer a USING (SELECT role, idempotency_key FROM backup_service.answer"
	" WHERE created_at < $1 ORDER BY created_at LIMIT 10 FOR UPDATE SKIP LOCKED) o"
	" WHERE a.role = o.role AND a.idempotency_key = o.idempotency_key",
	.nargs = 1,
	.types = {TIMESTAMPTZOID},
};

static void
add_name(BkValues *values, const char *role, const char *key)
{
	bk_value_add_name(values, role);
	bk_value_add_text(values, key);
}

bool
bk_answer_insert(const BkAnswer *answer)
{
	BkValues	values = {0};

	add_name(&values, answer->role, answer->key);
	bk_value_add(&values, TimestampTzGetDatum(answer->created_at));
	bk_value_add_bytes(&values, answer->digest, BK_DIGEST_BYTES);
	bk_value_add_bytes(&values, answer->wrapped_key, BK_WRAPPED_DEK_BYTES);
	bk_value_add(&values, Int32GetDatum(answer->key_version));
	return bk_statement_write(&insert_answer, &values) == 1;
}

bool
bk_answer_find(const char *role, const char *key, BkAnswer *answer)
{
	BkValues	values = {0};

	add_name(&values, role, key);
	if (bk_statement_write(&find_answer, &values) == 0)
		return false;
	answer->role = role;
	answer->key = key;
	answer->created_at = bk_column_int64(0, 1);
	if (!bk_column_bytes(0, 2, answer->digest, BK_DIGEST_BYTES)
		|| !bk_column_bytes(0, 3, answer->wrapped_key, BK_WRAPPED_DEK_BYTES)
		|| !bk_column_bytes(0, 5, answer->fingerprint, BK_FINGERPRINT_BYTES))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the answer that was kept for an idempotency key is damaged"),
				 errhint("Send the request with another key.")));
	answer->key_version = bk_column_int32(0, 4);
	answer->answer = bk_column_text(0, 6);
	SPI_freetuptable(SPI_tuptable);
	return true;
}

void
bk_answer_set(const char *role, const char *key, const char *answer)
{
	BkValues	values = {0};

	add_name(&values, role, key);
	bk_value_add_text(&values, answer);
	bk_statement_write(&set_answer, &values);
}

void
bk_answer_delete(const char *role, const char *key)
{
	BkValues	values = {0};

	add_name(&values, role, key);
	bk_statement_write(&delete_answer, &values);
}

void
bk_answer_trim(TimestampTz before)
{
	BkValues	values = {0};

	bk_value_add(&values, TimestampTzGetDatum(before));
	bk_statement_write(&trim_answers, &values);
}
