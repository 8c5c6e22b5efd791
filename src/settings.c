/*
 * settings.c
 *		Every setting (GUC), in alphabetical order.
 */
#include "settings.h"

#include <limits.h>

#include "common/backup_types.h"
#include "datatype/timestamp.h"
#include "utils/guc.h"
#include "utils/varlena.h"

char	   *bk_setting_archive_command;
int			bk_setting_archive_command_timeout = 600000;
int			bk_setting_cleanup_interval = 3600;
double		bk_setting_cleanup_max_fraction = 0.5;
int			bk_setting_compression = BK_COMPRESSION_GZIP;
char	   *bk_setting_databases;
bool		bk_setting_encrypt = true;
int			bk_setting_key_cache_ttl = 300;
char	   *bk_setting_key_command;
int			bk_setting_key_command_timeout = 30000;
char	   *bk_setting_key_file;
bool		bk_setting_key_file_create = true;
int			bk_setting_max_attempts = 5;
int			bk_setting_max_chain_length = 100;
int			bk_setting_max_restore_workers = 2;
int			bk_setting_max_snapshots = 100;
bool		bk_setting_notify = true;
int			bk_setting_scrub_budget = 1024 * 1024;
int			bk_setting_scrub_interval = 24 * 60 * 60;
int			bk_setting_operation_retention = 90 * SECS_PER_DAY;
int			bk_setting_worker_idle_timeout = 60;

static const struct config_enum_entry compression_options[] = {
	{"gzip", BK_COMPRESSION_GZIP, false},
	{"none", BK_COMPRESSION_NONE, false},
	{"zstd", BK_COMPRESSION_ZSTD, false},
	{NULL, 0, false}
};

/* Names as in search_path: what is not quoted is in lower case. */
static bool
check_databases(char **value, void **extra, GucSource source)
{
	char	   *list = pstrdup(*value);
	List	   *names;
	bool		valid = SplitIdentifierString(list, ',', &names);

	if (!valid)
		GUC_check_errdetail("List syntax is invalid.");
	pfree(list);
	list_free(names);
	return valid;
}

/*
 * Loading that has found no memory is tried again, in a library that is still there:
 * what it has defined is not defined twice.
 */
static int	defined;

#define DEFINE(kind, ...) \
	do \
	{ \
		if (++setting > defined) \
		{ \
			DefineCustom##kind##Variable(__VA_ARGS__); \
			defined = setting; \
		} \
	} while (0)

void
bk_settings_init(void)
{
	int			setting = 0;

	DEFINE(String, "backup_service.archive_command",
		   "The command that ships a backup elsewhere; %p is the path of its file, %f the file's name.",
		   "Empty means that backups are not shipped.",
		   &bk_setting_archive_command,
		   "", /* boot value */
		   PGC_SIGHUP,
		   GUC_SUPERUSER_ONLY,
		   NULL, NULL, NULL);

	DEFINE(Int, "backup_service.archive_command_timeout",
		   "How long backup_service.archive_command may take for a backup.",
		   "0 means without limit.",
		   &bk_setting_archive_command_timeout,
		   600000, /* boot value */
		   0, /* min */
		   INT_MAX, /* max */
		   PGC_SIGHUP,
		   GUC_UNIT_MS | GUC_SUPERUSER_ONLY,
		   NULL, NULL, NULL);

	DEFINE(Int, "backup_service.cleanup_interval",
		   "How often the worker removes what retention does not keep.",
		   "0 means never.",
		   &bk_setting_cleanup_interval,
		   3600, /* boot value */
		   0, /* min */
		   INT_MAX / 1000, /* max */
		   PGC_SIGHUP,
		   GUC_UNIT_S,
		   NULL, NULL, NULL);

	DEFINE(Real, "backup_service.cleanup_max_fraction",
		   "How large a part of a resource's backups one run of clean-up removes at most.",
		   "A resource with fewer than ten backups is not limited; bk_prune() never is.",
		   &bk_setting_cleanup_max_fraction,
		   0.5, /* boot value */
		   0.0, /* min */
		   1.0, /* max */
		   PGC_SIGHUP,
		   0, /* flags */
		   NULL, NULL, NULL);

	DEFINE(Enum, "backup_service.compression",
		   "How payloads are compressed where bk_create() is not told.",
		   NULL,
		   &bk_setting_compression,
		   BK_COMPRESSION_GZIP, /* boot value */
		   compression_options,
		   PGC_USERSET,
		   0, /* flags */
		   NULL, NULL, NULL);

	DEFINE(String, "backup_service.databases",
		   "The databases that the launcher starts workers for.",
		   "Empty means every database that has the extension.",
		   &bk_setting_databases,
		   "", /* boot value */
		   PGC_SIGHUP,
		   GUC_LIST_INPUT,
		   check_databases, NULL, NULL);

	DEFINE(Bool, "backup_service.encrypt",
		   "Whether payloads are encrypted where bk_create() is not told.",
		   NULL,
		   &bk_setting_encrypt,
		   true, /* boot value */
		   PGC_USERSET,
		   0, /* flags */
		   NULL, NULL, NULL);

	DEFINE(Int, "backup_service.key_cache_ttl",
		   "How long a session remembers a master key.",
		   "0 means that it is fetched for every call.",
		   &bk_setting_key_cache_ttl,
		   300, /* boot value */
		   0, /* min */
		   INT_MAX / 1000, /* max */
		   PGC_SIGHUP,
		   GUC_UNIT_S | GUC_SUPERUSER_ONLY,
		   NULL, NULL, NULL);

	DEFINE(String, "backup_service.key_command",
		   "The command that prints a master key as 64 hexadecimal digits; %v is its version.",
		   "Where it is set, backup_service.key_file is not read.",
		   &bk_setting_key_command,
		   "", /* boot value */
		   PGC_SIGHUP,
		   GUC_SUPERUSER_ONLY,
		   NULL, NULL, NULL);

	DEFINE(Int, "backup_service.key_command_timeout",
		   "How long backup_service.key_command may take.",
		   "0 means without limit.",
		   &bk_setting_key_command_timeout,
		   30000, /* boot value */
		   0, /* min */
		   INT_MAX, /* max */
		   PGC_SIGHUP,
		   GUC_UNIT_MS | GUC_SUPERUSER_ONLY,
		   NULL, NULL, NULL);

	DEFINE(String, "backup_service.key_file",
		   "The file that holds the master keys, one \"version:hex\" a line.",
		   "A relative path is below the data directory.",
		   &bk_setting_key_file,
		   "backup_service.key", /* boot value */
		   PGC_SIGHUP,
		   GUC_SUPERUSER_ONLY,
		   NULL, NULL, NULL);

	DEFINE(Bool, "backup_service.key_file_create",
		   "Whether a key file that does not exist yet is made by the first backup.",
		   NULL,
		   &bk_setting_key_file_create,
		   true, /* boot value */
		   PGC_SIGHUP,
		   0, /* flags */
		   NULL, NULL, NULL);

	DEFINE(Int, "backup_service.max_attempts",
		   "How often a queued restore is tried before it has failed.",
		   "Failures that cannot pass, such as a damaged backup, are not tried again.",
		   &bk_setting_max_attempts,
		   5, /* boot value */
		   1, /* min */
		   1000, /* max */
		   PGC_SIGHUP,
		   0, /* flags */
		   NULL, NULL, NULL);

	DEFINE(Int, "backup_service.max_chain_length",
		   "An incremental that would make its chain longer is made full.",
		   NULL,
		   &bk_setting_max_chain_length,
		   100, /* boot value */
		   1, /* min */
		   BK_MAX_CHAIN_LENGTH, /* max */
		   PGC_USERSET,
		   0, /* flags */
		   NULL, NULL, NULL);

	DEFINE(Int, "backup_service.max_restore_workers",
		   "How many queued restores of a database run at once.",
		   "The database's worker does one; each further one takes a background worker slot.",
		   &bk_setting_max_restore_workers,
		   2, /* boot value */
		   1, /* min */
		   BK_MAX_RESTORE_WORKERS, /* max */
		   PGC_SIGHUP,
		   0, /* flags */
		   NULL, NULL, NULL);

	DEFINE(Int, "backup_service.max_snapshots",
		   "How many backups a resource's timeline holds; 0 means no limit.",
		   "The oldest leaves first; it can still be restored by its id.",
		   &bk_setting_max_snapshots,
		   100, /* boot value */
		   0, /* min */
		   INT_MAX, /* max */
		   PGC_SUSET,
		   0, /* flags */
		   NULL, NULL, NULL);

	DEFINE(Bool, "backup_service.notify",
		   "Whether the worker sends notices of what happens on the channel backup_service.",
		   "Everybody who can connect to the database can listen to the ids and names that they have.",
		   &bk_setting_notify,
		   true, /* boot value */
		   PGC_SIGHUP,
		   0, /* flags */
		   NULL, NULL, NULL);

	DEFINE(Int, "backup_service.operation_retention",
		   "How long restores that have ended are listed; 0 means for ever.",
		   NULL,
		   &bk_setting_operation_retention,
		   90 * SECS_PER_DAY, /* boot value */
		   0, /* min */
		   INT_MAX, /* max */
		   PGC_SIGHUP,
		   GUC_UNIT_S,
		   NULL, NULL, NULL);

	DEFINE(Int, "backup_service.scrub_budget",
		   "How much stored data the worker reads in one scrub.",
		   "It goes on with the next backups at the next one.",
		   &bk_setting_scrub_budget,
		   1024 * 1024, /* boot value */
		   1, /* min */
		   INT_MAX, /* max */
		   PGC_SIGHUP,
		   GUC_UNIT_KB,
		   NULL, NULL, NULL);

	DEFINE(Int, "backup_service.scrub_interval",
		   "How often the worker verifies the backups that were verified longest ago.",
		   "0 means never.",
		   &bk_setting_scrub_interval,
		   24 * 60 * 60, /* boot value */
		   0, /* min */
		   INT_MAX, /* max */
		   PGC_SIGHUP,
		   GUC_UNIT_S,
		   NULL, NULL, NULL);

	DEFINE(Int, "backup_service.worker_idle_timeout",
		   "How long a database's worker stays when it has nothing to do.",
		   "0 means that it ends at once; the launcher starts it again.",
		   &bk_setting_worker_idle_timeout,
		   60, /* boot value */
		   0, /* min */
		   INT_MAX / 1000, /* max */
		   PGC_SIGHUP,
		   GUC_UNIT_S,
		   NULL, NULL, NULL);

	MarkGUCPrefixReserved("backup_service");
}
