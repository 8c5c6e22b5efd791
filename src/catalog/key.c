/*
 * key.c
 *		Statements on backup_service.key.
 */
#include "catalog/key.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

static BkStatement find_active = {
	.sql = "SELECT version, fingerprint FROM backup_service.key WHERE state = 'active' ORDER BY version DESC LIMIT 1",
	.nargs = 0,
};

static BkStatement insert_key = {
	.sql = "INSERT INTO backup_service.key (version, fingerprint, created_by, created_at) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (version) DO NOTHING",
	.nargs = 4,
	.types = {INT4OID, BYTEAOID, NAMEOID, TIMESTAMPTZOID},
};

/*
 * The active version as it was read last.  Forgotten when the table changes as a
 * whole (the extension is dropped, a version is added), and when a transaction or
 * subtransaction aborts, which may have taken back the row.
 */
static struct
{
	bool		watched;		/* the callbacks are registered */
	Oid			table;
	int32		version;		/* 0: not known */
	uint8		fingerprint[BK_FINGERPRINT_BYTES];
} active;

static void
forget_on_invalidation(Datum argument, Oid relation)
{
	if (relation == active.table || relation == InvalidOid)
		active.version = 0;
}

static void
forget_on_abort(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_ABORT)
		active.version = 0;
}

static void
forget_on_subabort(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *argument)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		active.version = 0;
}

static void
watch(void)
{
	active.table = get_relname_relid("key", get_namespace_oid("backup_service", false));
	if (active.watched)
		return;
	CacheRegisterRelcacheCallback(forget_on_invalidation, (Datum) 0);
	RegisterXactCallback(forget_on_abort, NULL);
	RegisterSubXactCallback(forget_on_subabort, NULL);
	active.watched = true;
}

/* Read the newest active version into the cache. */
static void
read_active(void)
{
	BkValues	values = {0};

	watch();
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
	if (active.version == 0)
		read_active();
	memcpy(fingerprint, active.fingerprint, BK_FINGERPRINT_BYTES);
	return active.version;
}

void
bk_key_insert(int32 version, const uint8 fingerprint[BK_FINGERPRINT_BYTES],
			  const char *created_by, TimestampTz created_at)
{
	BkValues	values = {0};

	bk_value_add(&values, Int32GetDatum(version));
	bk_value_add_bytes(&values, fingerprint, BK_FINGERPRINT_BYTES);
	bk_value_add_name(&values, created_by);
	bk_value_add(&values, TimestampTzGetDatum(created_at));
	bk_statement_write(&insert_key, &values);
	/* Every session shall see it, at our commit. */
	CacheInvalidateRelcacheByRelid(active.table);
}
