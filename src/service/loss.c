/*
 * loss.c
 *		Saying what is lost when the extension is dropped, while there is still a way back.
 *
 * DROP EXTENSION is one statement of many that do it: DROP SCHEMA ... CASCADE, DROP OWNED and DROP EXTENSION plpgsql CASCADE
 * take the extension along.  So this looks at what is dropped and not at statements: when it is the turn of
 * the table of backups, all locks are held and its rows are still there.
 *
 * Without shared_preload_libraries only sessions that have called one of the extension's functions come
 * by here.
 */
#include "service/loss.h"

#include "catalog/content.h"
#include "catalog/dependency.h"
#include "catalog/extension.h"
#include "catalog/namespace.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "catalog/statement.h"
#include "service/try.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

/* What count() is to look at, and what it has found. */
typedef struct Count
{
	Oid			owner;			/* of the extension; who drops it may have no right on its table */
	BkContent	content;
} Count;

static object_access_hook_type next_hook;

/* In a subtransaction, whose abort puts role and settings back. */
static void
count(void *argument)
{
	Count	   *count = argument;
	Oid			role;
	int			context;
	int			level = NewGUCNestLevel();

	GetUserIdAndSecContext(&role, &context);
	SetUserIdAndSecContext(count->owner, context | SECURITY_LOCAL_USERID_CHANGE);
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	bk_view_open();
	count->content = bk_content_count();
	bk_view_close();
	SPI_finish();
	AtEOXact_GUC(true, level);
	SetUserIdAndSecContext(role, context);
}

/* Nothing that goes wrong with counting is worth the statement, but who cancels that means it. */
static bool
is_no_cancel(const ErrorData *error)
{
	return error->sqlerrcode != ERRCODE_QUERY_CANCELED;
}

static const char *
plural(int64 number)
{
	return number == 1 ? "" : "s";
}

static void
warn(Oid owner)
{
	Count		result = {.owner = owner};
	const BkContent *content = &result.content;
	ErrorData  *error;
	bool		counted = bk_try(count, &result, is_no_cancel, &error);

	if (counted && content->backups == 0)
		return;
	ereport(WARNING,
			(errmsg("all backups are lost with extension \"backup_service\""),
			 counted ? errdetail("It has %lld backup%s of %lld resource%s.", (long long) content->backups, plural(content->backups),
								 (long long) content->resources, plural(content->resources)) :
			 errdetail("How many there are could not be counted: %s", bk_error_text(error)),
			 errhint("In a transaction block, ROLLBACK keeps them. Before you drop it for good, pg_dump makes a copy.")));
}

/* The table of backups, as a member of the extension. */
static bool
is_table_of_backups(Oid class, Oid object, int part, BkExtension *extension)
{
	const char *name;

	if (class != RelationRelationId || part != 0)
		return false;
	name = get_rel_name(object);
	return name != NULL && strcmp(name, "backup") == 0
		&& get_rel_namespace(object) == get_namespace_oid("backup_service", true)
		&& bk_extension_find(extension)
		&& getExtensionOfObject(class, object) == extension->oid;
}

static void
object_accessed(ObjectAccessType access, Oid class, Oid object, int part, void *argument)
{
	BkExtension extension;

	if (next_hook)
		next_hook(access, class, object, part, argument);
	if (access == OAT_DROP && is_table_of_backups(class, object, part, &extension))
		warn(extension.owner);
}

void
bk_loss_watch(void)
{
	next_hook = object_access_hook;
	object_access_hook = object_accessed;
}
