/*
 * event.c
 *		Statements on backup_service.audit_event and backup_service.audit_unsealed.
 */
#include "catalog/event.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

/* What both tables have, in the order of read_event(). */
#define COMMON_COLUMNS \
	"at, action, outcome, session_role, role, application, client, backup_id, detail"

static BkStatement insert_event = {
	.sql = "INSERT INTO backup_service.audit_event (resource_id, backup_id, " BK_EVENT_COLUMNS ")"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (resource_id, number) DO NOTHING",
	.nargs = 2 + BK_EVENT_NARGS,
	.types = {TEXTOID, INT8OID, BK_EVENT_TYPES},
};

static BkStatement find_last = {
	.sql = "SELECT number, hash FROM backup_service.audit_event WHERE resource_id = $1 ORDER BY number DESC LIMIT 1",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement find_from = {
	.sql = "SELECT " COMMON_COLUMNS ", number, hash, state FROM backup_service.audit_event"
	" WHERE resource_id = $1 AND number >= $2 ORDER BY number LIMIT $3",
	.nargs = 3,
	.types = {TEXTOID, INT8OID, INT4OID},
};

static BkStatement delete_until = {
	.sql = "DELETE FROM backup_service.audit_event WHERE resource_id = $1 AND number <= $2",
	.nargs = 2,
	.types = {TEXTOID, INT8OID},
};

static BkStatement insert_unsealed = {
	.sql = "INSERT INTO backup_service.audit_unsealed (resource_id, " COMMON_COLUMNS ")"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
	.nargs = 10,
	.types = {TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT8OID, JSONBOID},
};

static BkStatement find_unsealed_resource = {
	.sql = "SELECT resource_id FROM backup_service.audit_unsealed WHERE resource_id > $1 ORDER BY resource_id LIMIT 1",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement count_unsealed = {
	.sql = "SELECT pg_catalog.count(*), pg_catalog.min(u.at) FROM (SELECT at FROM backup_service.audit_unsealed LIMIT $1) u",
	.nargs = 1,
	.types = {INT4OID},
};

/* Reads alone: a row that a hostile hand put there shall not become a change of owner. */
static BkStatement find_unsealed = {
	.sql = "SELECT " COMMON_COLUMNS ", event_id FROM backup_service.audit_unsealed"
	" WHERE resource_id = $1 AND action IN ('read', 'export', 'restore', 'diff', 'history', 'archive')"
	" ORDER BY event_id LIMIT $2",
	.nargs = 2,
	.types = {TEXTOID, INT4OID},
};

static BkStatement delete_unsealed = {
	.sql = "DELETE FROM backup_service.audit_unsealed WHERE resource_id = $1 AND event_id = ANY ($2)",
	.nargs = 2,
	.types = {TEXTOID, INT8ARRAYOID},
};

/* One look-up in each index, so that a walk over all chains reads each once. */
#define FIRST_AFTER(table) \
	"(SELECT resource_id FROM backup_service." table " WHERE resource_id > $1 ORDER BY resource_id LIMIT 1)"

static BkStatement find_chain = {
	.sql = "SELECT pg_catalog.min(resource_id) FROM (" FIRST_AFTER("resource") " UNION ALL " FIRST_AFTER("backup")
	" UNION ALL " FIRST_AFTER("audit_event") " UNION ALL " FIRST_AFTER("audit_checkpoint") ") c",
	.nargs = 1,
	.types = {TEXTOID},
};

#define IN(table) "EXISTS (SELECT FROM backup_service." table " WHERE resource_id = $1)"

static BkStatement has_chain = {
	.sql = "SELECT " IN("resource") " OR " IN("backup") " OR " IN("audit_event") " OR " IN("audit_checkpoint"),
	.nargs = 1,
	.types = {TEXTOID},
};

static void
add_jsonb(BkValues *values, Jsonb *value)
{
	if (value)
		bk_value_add(values, JsonbPGetDatum(value));
	else
		bk_value_add_null(values);
}

static void
add_state(BkValues *values, const BkEvent *event)
{
	switch (event->state)
	{
		case BK_STATE_UNTOUCHED:
			bk_value_add_null(values);
			return;
		case BK_STATE_IS:
			bk_value_add_bytes(values, event->state_digest, BK_DIGEST_BYTES);
			return;
		case BK_STATE_GONE:
			bk_value_add_bytes(values, "", 0);
			return;
	}
	pg_unreachable();
}

static void
add_what_and_who(BkValues *values, const BkEvent *event)
{
	bk_value_add(values, TimestampTzGetDatum(event->at));
	bk_value_add_text(values, event->action);
	bk_value_add_text(values, event->outcome);
	bk_value_add_text(values, event->session_role);
	bk_value_add_text(values, event->role);
	bk_value_add_text(values, event->application);
	bk_value_add_text(values, event->client);
}

void
bk_event_add_values(BkValues *values, const BkEvent *event)
{
	bk_value_add_int64(values, event->number);
	add_what_and_who(values, event);
	add_state(values, event);
	add_jsonb(values, event->detail);
	bk_value_add_bytes(values, event->hash, BK_DIGEST_BYTES);
}

bool
bk_event_insert(const BkEvent *event)
{
	BkValues	values = {0};

	bk_value_add_text(&values, event->resource_id);
	bk_value_add_id(&values, event->backup_id);
	bk_event_add_values(&values, event);
	return bk_statement_write(&insert_event, &values) == 1;
}

bool
bk_event_find_last(const char *resource_id, int64 *number, uint8 hash[BK_DIGEST_BYTES])
{
	BkValues	values = {0};
	bool		found;

	bk_value_add_text(&values, resource_id);
	found = bk_statement_write(&find_last, &values) == 1;
	if (found)
	{
		*number = bk_column_int64(0, 1);
		if (!bk_column_bytes(0, 2, hash, BK_DIGEST_BYTES))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("audit event " INT64_FORMAT " has no hash", *number),
					 errhint("SELECT * FROM bk_audit_verify() shows what else was tampered with.")));
	}
	SPI_freetuptable(SPI_tuptable);
	return found;
}

/* A text that was never null when it was written. */
static char *
read_text(uint64 row, int column, BkEvent *event)
{
	char	   *text = bk_column_text(row, column);

	if (text)
		return text;
	event->malformed = true;
	return pstrdup("");
}

/* COMMON_COLUMNS. */
static void
read_event(uint64 row, const char *resource_id, BkEvent *event)
{
	memset(event, 0, sizeof(*event));
	event->resource_id = resource_id;
	event->at = bk_column_int64(row, 1);
	event->action = read_text(row, 2, event);
	event->outcome = read_text(row, 3, event);
	event->session_role = read_text(row, 4, event);
	event->role = read_text(row, 5, event);
	event->application = read_text(row, 6, event);
	event->client = bk_column_text(row, 7);
	event->backup_id = bk_column_int64(row, 8);
	if (event->backup_id == 0 && !bk_column_is_null(row, 8))
		event->malformed = true;
	event->detail = bk_column_is_null(row, 9) ? NULL : DatumGetJsonbPCopy(bk_column(row, 9));
}

/* The columns of a link. */
static void
read_link(uint64 row, BkEvent *event)
{
	event->number = bk_column_int64(row, 10);
	if (!bk_column_bytes(row, 11, event->hash, BK_DIGEST_BYTES))
		event->malformed = true;
	if (bk_column_is_null(row, 12))
		event->state = BK_STATE_UNTOUCHED;
	else if (bk_column_bytes(row, 12, event->state_digest, BK_DIGEST_BYTES))
		event->state = BK_STATE_IS;
	else
	{
		event->state = BK_STATE_GONE;
		if (!bk_column_bytes(row, 12, event->state_digest, 0))
			event->malformed = true;
	}
}

int
bk_event_find_from(const char *resource_id, int64 number, int limit, BkEvent **events)
{
	BkValues	values = {0};
	uint64		count;

	bk_value_add_text(&values, resource_id);
	bk_value_add_int64(&values, number);
	bk_value_add(&values, Int32GetDatum(limit));
	count = bk_statement_read(&find_from, &values, 0);
	*events = palloc(sizeof(BkEvent) * Max(count, 1));
	for (uint64 i = 0; i < count; i++)
	{
		read_event(i, resource_id, &(*events)[i]);
		read_link(i, &(*events)[i]);
	}
	SPI_freetuptable(SPI_tuptable);
	return count;
}

int64
bk_event_delete_until(const char *resource_id, int64 number)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_int64(&values, number);
	return bk_statement_write(&delete_until, &values);
}

void
bk_event_insert_unsealed(const BkEvent *event)
{
	BkValues	values = {0};

	bk_value_add_text(&values, event->resource_id);
	add_what_and_who(&values, event);
	bk_value_add_id(&values, event->backup_id);
	add_jsonb(&values, event->detail);
	bk_statement_write(&insert_unsealed, &values);
}

/* One resource_id, or NULL. */
static char *
find_resource_id(BkStatement *statement, const char *after)
{
	BkValues	values = {0};
	char	   *resource_id = NULL;

	bk_value_add_text(&values, after);
	if (bk_statement_read(statement, &values, 1) == 1)
		resource_id = bk_column_text(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return resource_id;
}

char *
bk_event_find_unsealed_resource(const char *after)
{
	return find_resource_id(&find_unsealed_resource, after);
}

char *
bk_event_find_chain(const char *after)
{
	return find_resource_id(&find_chain, after);
}

int64
bk_event_count_unsealed(int limit, TimestampTz *oldest)
{
	BkValues	values = {0};

	bk_value_add(&values, Int32GetDatum(limit));
	return bk_statement_count(&count_unsealed, &values, oldest);
}

bool
bk_event_has_chain(const char *resource_id)
{
	BkValues	values = {0};
	bool		found;

	bk_value_add_text(&values, resource_id);
	found = bk_statement_read(&has_chain, &values, 1) == 1 && bk_column_bool(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return found;
}

int
bk_event_find_unsealed(const char *resource_id, int limit, BkEvent **events, int64 **ids)
{
	BkValues	values = {0};
	uint64		count;

	bk_value_add_text(&values, resource_id);
	bk_value_add(&values, Int32GetDatum(limit));
	count = bk_statement_read(&find_unsealed, &values, 0);
	*events = palloc(sizeof(BkEvent) * Max(count, 1));
	*ids = palloc(sizeof(int64) * Max(count, 1));
	for (uint64 i = 0; i < count; i++)
	{
		read_event(i, resource_id, &(*events)[i]);
		(*ids)[i] = bk_column_int64(i, 10);
	}
	SPI_freetuptable(SPI_tuptable);
	return count;
}

int64
bk_event_delete_unsealed(const char *resource_id, const int64 *ids, int count)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_ids(&values, ids, count);
	return bk_statement_write(&delete_unsealed, &values);
}
