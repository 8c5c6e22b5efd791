/*
 * key.c
 *		Statements on backup_service.key.
 */
#include "catalog/key.h"

#include "catalog/pg_type.h"
#include "catalog/watch.h"
#include "utils/timestamp.h"

static BkStatement find_active = {
	.sql = "SELECT version, fingerprint FROM backup_service.key WHERE state = 'active' ORDER BY version DESC LIMIT 1",
	.nargs = 0,
};

static BkStatement find_fingerprint = {
	.sql = "SELECT fingerprint FROM backup_service.key WHERE version = $1",
	.nargs = 1,
	.types = {INT4OID},
};

static BkStatement insert_key = {
	.sql = "INSERT INTO backup_service.key (version, fingerprint, created_by, created_at) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (version) DO NOTHING",
	.nargs = 4,
	.types = {INT4OID, BYTEAOID, NAMEOID, TIMESTAMPTZOID},
};

static BkStatement find_all = {
	.sql = "SELECT version, state, fingerprint, created_at, copied_at FROM backup_service.key ORDER BY version",
	.nargs = 0,
};

static BkStatement count_backups = {
	.sql = "SELECT pg_catalog.count(*) FROM backup_service.backup WHERE key_version = $1",
	.nargs = 1,
	.types = {INT4OID},
};

static BkStatement find_use = {
	.sql = "SELECT FROM backup_service.backup WHERE key_version = $1 LIMIT 1",
	.nargs = 1,
	.types = {INT4OID},
};

static BkStatement lock_keys = {
	.sql = "LOCK TABLE backup_service.key IN SHARE ROW EXCLUSIVE MODE",
	.nargs = 0,
};

static BkStatement supersede = {
	.sql = "UPDATE backup_service.key SET state = 'previous' WHERE state = 'active'",
	.nargs = 0,
};

static BkStatement set_retired = {
	.sql = "UPDATE backup_service.key SET state = 'retired' WHERE version = $1",
	.nargs = 1,
	.types = {INT4OID},
};

static BkStatement set_copied = {
	.sql = "UPDATE backup_service.key SET copied_at = $2 WHERE version = $1",
	.nargs = 2,
	.types = {INT4OID, TIMESTAMPTZOID},
};

/* The active version as it was read last. */
static struct
{
	BkWatch		watch;
	int32		version;		/* 0: there was none */
	uint8		fingerprint[BK_FINGERPRINT_BYTES];
} active = {
	.watch = {.table = "key"},
};

/* The version whose fingerprint was read last. */
static struct
{
	BkWatch		watch;
	int32		version;		/* 0: none */
	uint8		fingerprint[BK_FINGERPRINT_BYTES];
} known = {
	.watch = {.table = "key"},
};

/* Read the newest active version into the cache. */
static void
read_active(void)
{
	BkValues	values = {0};

	bk_watch_begin(&active.watch);
	active.version = 0;
	if (bk_statement_write(&find_active, &values) > 0)
	{
		if (!bk_column_bytes(0, 2, active.fingerprint, BK_FINGERPRINT_BYTES))
			elog(ERROR, "the fingerprint of key version %d has a wrong length", bk_column_int32(0, 1));
		active.version = bk_column_int32(0, 1);
	}
	SPI_freetuptable(SPI_tuptable);
}

int32
bk_key_find_active(uint8 fingerprint[BK_FINGERPRINT_BYTES])
{
	if (active.version == 0 || !bk_watch_is_fresh(&active.watch))
		read_active();
	memcpy(fingerprint, active.fingerprint, BK_FINGERPRINT_BYTES);
	return active.version;
}

/* Read a version into the cache. */
static void
read_known(int32 version)
{
	BkValues	values = {0};

	bk_watch_begin(&known.watch);
	known.version = 0;
	bk_value_add(&values, Int32GetDatum(version));
	if (bk_statement_read(&find_fingerprint, &values, 1) == 1
		&& bk_column_bytes(0, 1, known.fingerprint, BK_FINGERPRINT_BYTES))
		known.version = version;
	SPI_freetuptable(SPI_tuptable);
}

bool
bk_key_find_fingerprint(int32 version, uint8 fingerprint[BK_FINGERPRINT_BYTES])
{
	if (known.version != version || !bk_watch_is_fresh(&known.watch))
		read_known(version);
	memcpy(fingerprint, known.fingerprint, BK_FINGERPRINT_BYTES);
	return known.version == version && version != 0;
}

bool
bk_key_insert(int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES],
			  const char *created_by, TimestampTz created_at)
{
	BkValues	values = {0};
	bool		inserted;

	bk_value_add(&values, Int32GetDatum(version));
	bk_value_add_bytes(&values, fingerprint, BK_FINGERPRINT_BYTES);
	bk_value_add_name(&values, created_by);
	bk_value_add(&values, TimestampTzGetDatum(created_at));
	inserted = bk_statement_write(&insert_key, &values) == 1;
	bk_watch_announce(&active.watch);
	return inserted;
}

int
bk_key_find_all(BkKeyVersion **versions)
{
	BkValues	values = {0};
	uint64		count = bk_statement_read(&find_all, &values, 0);

	*versions = palloc(sizeof(BkKeyVersion) * Max(count, 1));
	for (uint64 i = 0; i < count; i++)
	{
		(*versions)[i].version = bk_column_int32(i, 1);
		(*versions)[i].state = bk_column_text(i, 2);
		if (!bk_column_bytes(i, 3, (*versions)[i].fingerprint, BK_FINGERPRINT_BYTES))
			memset((*versions)[i].fingerprint, 0, BK_FINGERPRINT_BYTES);
		(*versions)[i].created_at = bk_column_int64(i, 4);
		(*versions)[i].copied = !bk_column_is_null(i, 5);
	}
	SPI_freetuptable(SPI_tuptable);
	return count;
}

bool
bk_key_is_used(int32 version)
{
	BkValues	values = {0};

	bk_value_add(&values, Int32GetDatum(version));
	return bk_statement_write(&find_use, &values) > 0;
}

int64
bk_key_count_backups(int32 version)
{
	BkValues	values = {0};
	int64		count;

	bk_value_add(&values, Int32GetDatum(version));
	bk_statement_write(&count_backups, &values);
	count = bk_column_int64(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return count;
}

void
bk_key_lock(void)
{
	BkValues	values = {0};

	bk_statement_write(&lock_keys, &values);
}

void
bk_key_supersede(void)
{
	BkValues	values = {0};

	bk_statement_write(&supersede, &values);
}

bool
bk_key_set_retired(int32 version)
{
	BkValues	values = {0};
	bool		found;

	bk_value_add(&values, Int32GetDatum(version));
	found = bk_statement_write(&set_retired, &values) == 1;
	bk_watch_announce(&active.watch);
	return found;
}

bool
bk_key_set_copied(int32 version, TimestampTz copied_at)
{
	BkValues	values = {0};

	bk_value_add(&values, Int32GetDatum(version));
	bk_value_add(&values, TimestampTzGetDatum(copied_at));
	return bk_statement_write(&set_copied, &values) == 1;
}
