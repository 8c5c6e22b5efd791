/*
 * backup.c
 *		Statements on backup_service.backup.
 */
#include "catalog/backup.h"

#include "catalog/key.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "settings.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* The columns that read_row() expects, in its order; those that a reader of the document needs come first. */
#define COLUMNS_TO_READ(owner) \
	"b.resource_id, b.backup_id, b.base_id, b.type, b.created_at, b.size, b.stored_size, b.document_size," \
	" b.compression, b.encrypted, b.document_digest, b.iv, b.checksum, b.mac, b.wrapped_key, b.key_version, " owner
#define COLUMNS \
	COLUMNS_TO_READ("r.owner") \
	", b.status, b.resource_type, b.version, b.source, b.tags, b.created_by, b.completed_at, b.expires_at," \
	" b.verified_at, b.archived_at, b.number"
#define JOINS	" JOIN backup_service.resource r ON r.resource_id = b.resource_id"
#define OWNER_COLUMN	17

/*
 * What a small bk_read() costs is mostly PostgreSQL's setting up of statements, by the column: a join would have all
 * columns of both tables at hand, needed or not.  So it looks up its few, and the owner by a subselect.
 */
#define FIND_TO_READ \
	"SELECT " COLUMNS_TO_READ("(SELECT r.owner FROM backup_service.resource r WHERE r.resource_id = b.resource_id)") \
	" FROM backup_service.backup b"

static const char *const type_names[] = {
	[BK_TYPE_FULL] = "full",
	[BK_TYPE_INCREMENTAL] = "incremental",
	[BK_TYPE_DIFFERENTIAL] = "differential",
};

static const char *const compression_names[] = {
	[BK_COMPRESSION_NONE] = "none",
	[BK_COMPRESSION_GZIP] = "gzip",
	[BK_COMPRESSION_ZSTD] = "zstd",
};

static BkStatement find_by_id = {
	.sql = "SELECT " COLUMNS " FROM backup_service.backup b" JOINS " WHERE b.backup_id = $1",
	.nargs = 1,
	.types = {INT8OID},
};

static BkStatement find_to_read_by_id = {
	.sql = FIND_TO_READ " WHERE b.backup_id = $1",
	.nargs = 1,
	.types = {INT8OID},
};

static BkStatement find_to_read = {
	.sql = FIND_TO_READ " WHERE b.resource_id = $1 AND b.backup_id = $2",
	.nargs = 2,
	.types = {TEXTOID, INT8OID},
};

static BkStatement find_elsewhere = {
	.sql = "SELECT resource_id FROM backup_service.backup WHERE backup_id = $1 AND resource_id <> $2"
	" ORDER BY resource_id LIMIT 1",
	.nargs = 2,
	.types = {INT8OID, TEXTOID},
};

static BkStatement find_backup = {
	.sql = "SELECT " COLUMNS " FROM backup_service.backup b" JOINS
	" WHERE b.resource_id = $1 AND b.backup_id = $2",
	.nargs = 2,
	.types = {TEXTOID, INT8OID},
};

static BkStatement find_newest = {
	.sql = "SELECT " COLUMNS " FROM backup_service.backup b" JOINS
	" WHERE b.resource_id = $1 AND b.status = 'completed'"
	" ORDER BY b.created_at DESC, b.backup_id DESC LIMIT 1",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement find_newest_full = {
	.sql = "SELECT " COLUMNS " FROM backup_service.backup b" JOINS
	" WHERE b.resource_id = $1 AND b.status = 'completed' AND b.type = 'full'"
	" ORDER BY b.created_at DESC, b.backup_id DESC LIMIT 1",
	.nargs = 1,
	.types = {TEXTOID},
};

/*
 * A base is always older than what builds on it, so this ends whatever the rows say.
 * OFFSET 0 makes each step one look-up by key: the planner would rather join
 * every backup of the resource.  It also hides $1 from the join with resource,
 * where Citus has to see it.
 */
static BkStatement find_bases = {
	.sql = "WITH RECURSIVE chain (depth, backup_id, base_id, created_at) AS ("
	" SELECT 0, s.backup_id, s.base_id, s.created_at FROM backup_service.backup s"
	"  WHERE s.resource_id = $1 AND s.backup_id = $2"
	" UNION ALL"
	" SELECT c.depth + 1, n.backup_id, n.base_id, n.created_at FROM chain c CROSS JOIN LATERAL"
	"  (SELECT x.backup_id, x.base_id, x.created_at FROM backup_service.backup x"
	"    WHERE x.resource_id = $1 AND x.backup_id = c.base_id AND x.created_at < c.created_at OFFSET 0) n)"
	" SELECT " COLUMNS " FROM chain c CROSS JOIN LATERAL"
	"  (SELECT * FROM backup_service.backup x WHERE x.resource_id = $1 AND x.backup_id = c.backup_id OFFSET 0) b"
	JOINS
	" WHERE c.depth > 0 AND r.resource_id = $1 ORDER BY c.depth",
	.nargs = 2,
	.types = {TEXTOID, INT8OID},
};

static BkStatement find_direct_dependents = {
	.sql = "SELECT backup_id FROM backup_service.backup"
	" WHERE resource_id = $1 AND base_id = $2 ORDER BY created_at, backup_id",
	.nargs = 2,
	.types = {TEXTOID, INT8OID},
};

static BkStatement find_all_dependents = {
	.sql = "WITH RECURSIVE tree (backup_id, created_at) AS ("
	" SELECT s.backup_id, s.created_at FROM backup_service.backup s"
	"  WHERE s.resource_id = $1 AND s.base_id = $2"
	" UNION"
	" SELECT n.backup_id, n.created_at FROM tree t CROSS JOIN LATERAL"
	"  (SELECT x.backup_id, x.created_at FROM backup_service.backup x"
	"    WHERE x.resource_id = $1 AND x.base_id = t.backup_id OFFSET 0) n)"
	" SELECT backup_id FROM tree ORDER BY created_at, backup_id",
	.nargs = 2,
	.types = {TEXTOID, INT8OID},
};

static BkStatement find_all = {
	.sql = "SELECT backup_id FROM backup_service.backup WHERE resource_id = $1 ORDER BY created_at, backup_id",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement find_timeline = {
	.sql = "SELECT " COLUMNS " FROM backup_service.backup b" JOINS
	" WHERE b.resource_id = $1 ORDER BY b.created_at, b.backup_id",
	.nargs = 1,
	.types = {TEXTOID},
};

static BkStatement update_payload = {
	.sql = "UPDATE backup_service.backup SET base_id = $3, type = $4, size = $5, stored_size = $6, document_size = $7,"
	" compression = $8, encrypted = $9, document_digest = $10, iv = $11, checksum = $12, mac = $13,"
	" wrapped_key = $14, key_version = $15, completed_at = $16, status = 'completed'"
	" WHERE resource_id = $1 AND backup_id = $2",
	.nargs = 16,
	.types = {TEXTOID, INT8OID, INT8OID, TEXTOID, INT8OID, INT8OID, INT8OID,
		TEXTOID, BOOLOID, BYTEAOID, BYTEAOID, BYTEAOID, BYTEAOID, BYTEAOID, INT4OID, TIMESTAMPTZOID},
};

static BkStatement set_verified = {
	.sql = "UPDATE backup_service.backup SET verified_at = $4 WHERE resource_id = $1 AND backup_id = $2 AND mac = $3",
	.nargs = 4,
	.types = {TEXTOID, INT8OID, BYTEAOID, TIMESTAMPTZOID},
};

static BkStatement find_wrapped_by = {
	.sql = "SELECT " COLUMNS " FROM backup_service.backup b" JOINS
	" WHERE b.key_version = $1 AND (b.resource_id, b.backup_id) > ($2, $3)"
	" ORDER BY b.resource_id, b.backup_id LIMIT $4",
	.nargs = 4,
	.types = {INT4OID, TEXTOID, INT8OID, INT4OID},
};

static BkStatement find_from = {
	.sql = "SELECT " COLUMNS " FROM backup_service.backup b" JOINS
	" WHERE b.resource_id = $1 AND b.backup_id >= $2 ORDER BY b.backup_id LIMIT $3",
	.nargs = 3,
	.types = {TEXTOID, INT8OID, INT4OID},
};

static BkStatement rewrap = {
	.sql = "UPDATE backup_service.backup SET wrapped_key = $4, key_version = $5"
	" WHERE resource_id = $1 AND backup_id = $2 AND wrapped_key = $3",
	.nargs = 5,
	.types = {TEXTOID, INT8OID, BYTEAOID, BYTEAOID, INT4OID},
};

static BkStatement delete_backups = {
	.sql = "WITH chunks AS (DELETE FROM backup_service.chunk WHERE resource_id = $1 AND backup_id = ANY ($2)),"
	" holds AS (DELETE FROM backup_service.hold WHERE resource_id = $1 AND backup_id = ANY ($2))"
	" DELETE FROM backup_service.backup WHERE resource_id = $1 AND backup_id = ANY ($2)",
	.nargs = 2,
	.types = {TEXTOID, INT8ARRAYOID},
};

const char *
bk_type_name(BkBackupType type)
{
	return type_names[type];
}

const char *
bk_compression_name(BkCompression compression)
{
	return compression_names[compression];
}

bool
bk_type_from_name(const char *name, BkBackupType *type)
{
	for (int i = BK_TYPE_FULL; name && i < lengthof(type_names); i++)
		if (strcmp(name, type_names[i]) == 0)
		{
			*type = i;
			return true;
		}
	return false;
}

bool
bk_compression_from_name(const char *name, BkCompression *compression)
{
	for (int i = 0; name && i < lengthof(compression_names); i++)
		if (strcmp(name, compression_names[i]) == 0)
		{
			*compression = i;
			return true;
		}
	return false;
}

int64
bk_backup_next_id(void)
{
	Oid			schema = get_namespace_oid("backup_service", false);

	return nextval_internal(get_relname_relid("backup_backup_id_seq", schema), false);
}

void
bk_backup_check(const BkBackup *backup)
{
	if (backup->bad_column)
		bk_fail((BkOrigin) {backup->backup_id}, "header", "column \"%s\" has a value that is never written",
				backup->bad_column);
}

/* Remember the first column whose value only damage or tampering explains. */
static void
check_column(BkBackup *backup, bool ok, const char *column)
{
	if (!ok && backup->bad_column == NULL)
		backup->bad_column = column;
}

static void
read_identity(uint64 row, BkBackup *backup)
{
	backup->resource_id = bk_column_text(row, 1);
	backup->backup_id = bk_column_int64(row, 2);
	backup->base_id = bk_column_int64(row, 3);
	check_column(backup, bk_type_from_name(bk_column_text(row, 4), &backup->type), "type");
	backup->created_at = bk_column_int64(row, 5);
	check_column(backup, (backup->type == BK_TYPE_FULL) == (backup->base_id == 0), "base_id");
	check_column(backup, !TIMESTAMP_NOT_FINITE(backup->created_at), "created_at");
}

static void
read_payload(uint64 row, BkBackup *backup)
{
	backup->size = bk_column_int64(row, 6);
	backup->stored_size = bk_column_int64(row, 7);
	backup->document_size = bk_column_int64(row, 8);
	check_column(backup, backup->size > 0, "size");
	check_column(backup, backup->stored_size > 0, "stored_size");
	check_column(backup, backup->document_size > 0, "document_size");
	check_column(backup, bk_compression_from_name(bk_column_text(row, 9), &backup->compression), "compression");
	check_column(backup, !bk_column_is_null(row, 10), "encrypted");
	backup->encrypted = bk_column_bool(row, 10);
	check_column(backup, bk_column_bytes(row, 11, backup->document_digest, BK_DIGEST_BYTES), "document_digest");
	check_column(backup, bk_column_bytes(row, 12, backup->iv, BK_IV_BYTES), "iv");
	check_column(backup, bk_column_bytes(row, 13, backup->checksum, BK_DIGEST_BYTES), "checksum");
	check_column(backup, bk_column_bytes(row, 14, backup->mac, BK_DIGEST_BYTES), "mac");
	check_column(backup, bk_column_bytes(row, 15, backup->wrapped_key, BK_WRAPPED_DEK_BYTES), "wrapped_key");
	check_column(backup, !bk_column_is_null(row, 16), "key_version");
	backup->key_version = bk_column_int32(row, 16);
}

/* A label that was never null when it was written; it changes no document. */
static char *
read_label(uint64 row, int column)
{
	char	   *label = bk_column_text(row, column);

	return label ? label : pstrdup("");
}

Jsonb *
bk_no_tags(void)
{
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum("{}")));
}

static Jsonb *
read_tags(uint64 row, int column)
{
	if (bk_column_is_null(row, column))
		return bk_no_tags();
	return DatumGetJsonbPCopy(bk_column(row, column));
}

/*
 * A time that may be null, which is 0 here.  So the one microsecond that is 0, of the year 2000, is read as the
 * next: no backup expires then, and a hostile hand shall not make it look like null.
 */
static TimestampTz
read_time(uint64 row, int column)
{
	TimestampTz time = bk_column_int64(row, column);

	return time == 0 && !bk_column_is_null(row, column) ? 1 : time;
}

static void
read_labels(uint64 row, BkBackup *backup)
{
	backup->status = read_label(row, 18);
	backup->resource_type = read_label(row, 19);
	backup->version = bk_column_text(row, 20);
	backup->source = bk_column_text(row, 21);
	backup->tags = read_tags(row, 22);
	backup->created_by = read_label(row, 23);
	backup->completed_at = bk_column_int64(row, 24);
	backup->expires_at = read_time(row, 25);
	backup->verified_at = bk_column_int64(row, 26);
	backup->archived_at = bk_column_int64(row, 27);
}

/* A row of COLUMNS_TO_READ. */
static void
read_row_to_read(uint64 row, BkBackup *backup)
{
	memset(backup, 0, sizeof(*backup));
	read_identity(row, backup);
	read_payload(row, backup);
	backup->owner = read_label(row, OWNER_COLUMN);
}

/* A row of COLUMNS. */
static void
read_row(uint64 row, BkBackup *backup)
{
	read_row_to_read(row, backup);
	read_labels(row, backup);
	backup->number = bk_column_int64(row, 28);
}

/* Add what the catalog knows of their keys: not by a join, since most backups have the same. */
static void
find_keys(BkBackup *backups, int count)
{
	for (int i = 0; i < count; i++)
		if (i > 0 && backups[i].key_version == backups[i - 1].key_version)
		{
			backups[i].key_known = backups[i - 1].key_known;
			memcpy(backups[i].fingerprint, backups[i - 1].fingerprint, BK_FINGERPRINT_BYTES);
		}
		else
			backups[i].key_known = bk_key_find_fingerprint(backups[i].key_version, backups[i].fingerprint);
}

/* An id alone means one backup. */
static void
check_unique(int64 backup_id, uint64 rows)
{
	if (rows > 1)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("backup id " INT64_FORMAT " is not unique", backup_id),
				 errdetail(UINT64_FORMAT " resources have a backup with this id.", rows),
				 errhint("Name the resource with resource_id => ...; see docs/architecture.md about ids on several nodes.")));
}

bool
bk_backup_find_by_id(int64 backup_id, BkBackup *backup)
{
	BkValues	values = {0};
	uint64		rows;

	bk_value_add_int64(&values, backup_id);
	rows = bk_statement_read_anywhere(&find_by_id, &values);
	check_unique(backup_id, rows);
	if (rows == 1)
		read_row(0, backup);
	SPI_freetuptable(SPI_tuptable);
	find_keys(backup, rows);
	return rows == 1;
}

char *
bk_backup_elsewhere(int64 backup_id, const char *resource_id)
{
	BkValues	values = {0};
	char	   *elsewhere = NULL;

	bk_value_add_int64(&values, backup_id);
	bk_value_add_text(&values, resource_id);
	if (bk_statement_read_once(&find_elsewhere, &values) > 0)
		elsewhere = bk_column_text(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return elsewhere;
}

/* Run a query of at most one row of COLUMNS. */
static bool
find_one(BkStatement *statement, BkValues *values, BkBackup *backup)
{
	if (bk_statement_read(statement, values, 1) == 0)
		return false;
	read_row(0, backup);
	SPI_freetuptable(SPI_tuptable);
	find_keys(backup, 1);
	return true;
}

bool
bk_backup_find(const char *resource_id, int64 backup_id, BkBackup *backup)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_int64(&values, backup_id);
	return find_one(&find_backup, &values, backup);
}

/* A backup without its resource's row is none, as in a join. */
bool
bk_backup_find_to_read(const char *resource_id, int64 backup_id, BkBackup *backup)
{
	BkValues	values = {0};
	uint64		rows;
	bool		found;

	/* Over several nodes the subselect is not to be had for a bare id. */
	if (bk_may_be_distributed())
		return resource_id ? bk_backup_find(resource_id, backup_id, backup) : bk_backup_find_by_id(backup_id, backup);
	if (resource_id)
		bk_value_add_text(&values, resource_id);
	bk_value_add_int64(&values, backup_id);
	rows = bk_statement_read(resource_id ? &find_to_read : &find_to_read_by_id, &values, 0);
	check_unique(backup_id, rows);
	found = rows == 1 && !bk_column_is_null(0, OWNER_COLUMN);
	if (found)
		read_row_to_read(0, backup);
	SPI_freetuptable(SPI_tuptable);
	find_keys(backup, found);
	return found;
}

bool
bk_backup_find_newest(const char *resource_id, bool full_only, BkBackup *backup)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	return find_one(full_only ? &find_newest_full : &find_newest, &values, backup);
}

/* Copy the rows of COLUMNS that a query gave. */
static int
read_rows(uint64 count, BkBackup **backups)
{
	*backups = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(BkBackup) * Max(count, 1));
	for (uint64 i = 0; i < count; i++)
		read_row(i, &(*backups)[i]);
	SPI_freetuptable(SPI_tuptable);
	find_keys(*backups, count);
	return count;
}

int
bk_backup_find_bases(const BkBackup *backup, BkBackup **bases)
{
	BkValues	values = {0};

	bk_value_add_text(&values, backup->resource_id);
	bk_value_add_int64(&values, backup->backup_id);
	return read_rows(bk_statement_read(&find_bases, &values, BK_MAX_CHAIN_LENGTH), bases);
}

int
bk_backup_find_wrapped_by(int32 key_version, const char *after_resource, int64 after_backup,
						  int limit, BkBackup **backups)
{
	BkValues	values = {0};

	bk_value_add(&values, Int32GetDatum(key_version));
	bk_value_add_text(&values, after_resource);
	bk_value_add_int64(&values, after_backup);
	bk_value_add(&values, Int32GetDatum(limit));
	return read_rows(bk_statement_read(&find_wrapped_by, &values, 0), backups);
}

int
bk_backup_find_from(const char *resource_id, int64 first_backup, int limit, BkBackup **backups)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_int64(&values, first_backup);
	bk_value_add(&values, Int32GetDatum(limit));
	return read_rows(bk_statement_read(&find_from, &values, 0), backups);
}

bool
bk_backup_rewrap(const BkBackup *backup, const uint8 wrapped_key[BK_WRAPPED_DEK_BYTES], int32 key_version)
{
	BkValues	values = {0};

	bk_value_add_text(&values, backup->resource_id);
	bk_value_add_int64(&values, backup->backup_id);
	bk_value_add_bytes(&values, backup->wrapped_key, BK_WRAPPED_DEK_BYTES);
	bk_value_add_bytes(&values, wrapped_key, BK_WRAPPED_DEK_BYTES);
	bk_value_add(&values, Int32GetDatum(key_version));
	return bk_statement_write(&rewrap, &values) == 1;
}

/* Copy the ids that a query gave. */
static int
read_ids(uint64 rows, int64 **ids)
{
	*ids = palloc(sizeof(int64) * Max(rows, 1));
	for (uint64 i = 0; i < rows; i++)
		(*ids)[i] = bk_column_int64(i, 1);
	SPI_freetuptable(SPI_tuptable);
	return rows;
}

int
bk_backup_find_dependents(const char *resource_id, int64 backup_id, bool all, int64 **ids)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_int64(&values, backup_id);
	return read_ids(bk_statement_read(all ? &find_all_dependents : &find_direct_dependents, &values, 0), ids);
}

int
bk_backup_find_all(const char *resource_id, int64 **ids)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	return read_ids(bk_statement_read(&find_all, &values, 0), ids);
}

int
bk_backup_find_timeline(const char *resource_id, BkBackup **backups)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	return read_rows(bk_statement_read(&find_timeline, &values, 0), backups);
}

/* The parameters that update_payload has, and every row begins with. */
static void
add_payload_values(BkValues *values, const BkBackup *backup)
{
	bk_value_add_text(values, backup->resource_id);
	bk_value_add_int64(values, backup->backup_id);
	bk_value_add_id(values, backup->base_id);
	bk_value_add_text(values, bk_type_name(backup->type));
	bk_value_add_int64(values, backup->size);
	bk_value_add_int64(values, backup->stored_size);
	bk_value_add_int64(values, backup->document_size);
	bk_value_add_text(values, bk_compression_name(backup->compression));
	bk_value_add(values, BoolGetDatum(backup->encrypted));
	bk_value_add_bytes(values, backup->document_digest, BK_DIGEST_BYTES);
	bk_value_add_bytes(values, backup->iv, BK_IV_BYTES);
	bk_value_add_bytes(values, backup->checksum, BK_DIGEST_BYTES);
	bk_value_add_bytes(values, backup->mac, BK_DIGEST_BYTES);
	bk_value_add_bytes(values, backup->wrapped_key, BK_WRAPPED_DEK_BYTES);
	bk_value_add(values, Int32GetDatum(backup->key_version));
	bk_value_add(values, TimestampTzGetDatum(backup->completed_at));
}

void
bk_backup_add_values(BkValues *values, const BkBackup *backup)
{
	add_payload_values(values, backup);
	bk_value_add(values, TimestampTzGetDatum(backup->created_at));
	bk_value_add_text(values, backup->resource_type);
	bk_value_add_text(values, backup->version);
	bk_value_add_text(values, backup->source);
	bk_value_add(values, JsonbPGetDatum(backup->tags));
	bk_value_add_name(values, backup->created_by);
	bk_value_add_time(values, backup->expires_at);
}

void
bk_backup_update_payload(const BkBackup *backup)
{
	BkValues	values = {0};

	add_payload_values(&values, backup);
	bk_statement_write(&update_payload, &values);
}

void
bk_backup_set_verified(const BkBackup *backup, TimestampTz verified_at)
{
	BkValues	values = {0};

	bk_value_add_text(&values, backup->resource_id);
	bk_value_add_int64(&values, backup->backup_id);
	bk_value_add_bytes(&values, backup->mac, BK_DIGEST_BYTES);
	bk_value_add(&values, TimestampTzGetDatum(verified_at));
	bk_statement_write(&set_verified, &values);
}

void
bk_backup_delete(const char *resource_id, const int64 *ids, int count)
{
	BkValues	values = {0};

	bk_value_add_text(&values, resource_id);
	bk_value_add_ids(&values, ids, count);
	bk_statement_write(&delete_backups, &values);
}
