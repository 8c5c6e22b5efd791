/*
 * statements.c
 *		Statements that concern the worker without calling the extension: those that end
 *		prepared transactions, and those on databases and on the extension itself.
 *
 * Without shared_preload_libraries only sessions that have called one of the
 * extension's functions come by here.
 */
#include "common/common.h"
#include "worker/worker.h"

#include "catalog/extension.h"
#include "catalog/pg_database.h"
#include "commands/dbcommands.h"
#include "commands/defrem.h"
#include "service/roster.h"
#include "service/wake.h"
#include "tcop/utility.h"
#include "utils/acl.h"

/* How long a statement waits for an idle worker to be out of its way. */
#define LEAVE_WAIT_MS	1000
#define LEAVE_STEP_MS	10

/* Whom to wake when the statement has been committed. */
typedef enum Concern
{
	CONCERN_NONE,
	CONCERN_WORKER,
	CONCERN_NEW_EXTENSION,		/* the worker, if it is ours or has brought ours along */
	CONCERN_LAUNCHER
} Concern;

static ProcessUtility_hook_type next_hook;

static bool
owns_database(Oid database)
{
#if PG_VERSION_NUM >= 160000
	return object_ownercheck(DatabaseRelationId, database, GetUserId());
#else
	return pg_database_ownercheck(database, GetUserId());
#endif
}

/*
 * PostgreSQL refuses the statement while somebody is connected to the database; an idle
 * worker is not worth that.  A busy one is, and makes it wait or fail as any session does.
 */
static void
clear_the_way(const char *name)
{
	Oid			database = get_database_oid(name, true);

	if (!bk_roster_is_preloaded() || !OidIsValid(database) || !owns_database(database))
		return;
	bk_roster_ask_to_leave(database);
	for (int waited = 0; waited < LEAVE_WAIT_MS && bk_roster_worker_pid(database) != 0; waited += LEAVE_STEP_MS)
	{
		CHECK_FOR_INTERRUPTS();
		pg_usleep(LEAVE_STEP_MS * 1000L);
	}
}

/* Have the running batch ended, and no other begun, before the extension changes under it. */
static void
stop_batches(void)
{
	BkExtension extension;

	/* Others are about to be refused. */
	if (!bk_extension_find(&extension) || !has_privs_of_role(GetUserId(), extension.owner))
		return;
	(void) bk_extension_lock(extension.oid, AccessExclusiveLock, true);
	bk_roster_forgive(MyDatabaseId);
}

static const char *
option(List *options, const char *name)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *element = lfirst(cell);

		if (strcmp(element->defname, name) == 0 && element->arg != NULL)
			return defGetString(element);
	}
	return NULL;
}

static Concern
prepare_create_database(CreatedbStmt *statement)
{
	const char *source = option(statement->options, "template");

	if (source)
		clear_the_way(source);
	return CONCERN_LAUNCHER;
}

static Concern
prepare_alter_database(AlterDatabaseStmt *statement)
{
	if (option(statement->options, "tablespace"))
		clear_the_way(statement->dbname);
	return CONCERN_LAUNCHER;
}

static Concern
prepare_rename(RenameStmt *statement)
{
	if (statement->renameType != OBJECT_DATABASE)
		return CONCERN_NONE;
	clear_the_way(statement->subname);
	return CONCERN_LAUNCHER;
}

/* The worker, where this database has the extension. */
static Concern
concern_of_worker(void)
{
	BkExtension extension;

	return bk_extension_find(&extension) ? CONCERN_WORKER : CONCERN_NONE;
}

static Concern
prepare_drop(DropStmt *statement)
{
	return statement->removeType == OBJECT_EXTENSION ? concern_of_worker() : CONCERN_NONE;
}

static Concern
prepare_transaction(TransactionStmt *statement)
{
	return statement->kind == TRANS_STMT_COMMIT_PREPARED ? concern_of_worker() : CONCERN_NONE;
}

static Concern
prepare_alter_extension(AlterExtensionStmt *statement)
{
	if (strcmp(statement->extname, "backup_service") != 0)
		return CONCERN_NONE;
	stop_batches();
	return CONCERN_WORKER;
}

static Concern
prepare(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_TransactionStmt:
			return prepare_transaction((TransactionStmt *) statement);
		case T_CreateExtensionStmt:
			return CONCERN_NEW_EXTENSION;
		case T_CreatedbStmt:
			return prepare_create_database((CreatedbStmt *) statement);
		case T_AlterDatabaseStmt:
			return prepare_alter_database((AlterDatabaseStmt *) statement);
		case T_DropdbStmt:
			clear_the_way(((DropdbStmt *) statement)->dbname);
			return CONCERN_LAUNCHER;
		case T_RenameStmt:
			return prepare_rename((RenameStmt *) statement);
		case T_DropStmt:
			return prepare_drop((DropStmt *) statement);
		case T_AlterExtensionStmt:
			return prepare_alter_extension((AlterExtensionStmt *) statement);
		default:
			return CONCERN_NONE;
	}
}

static void
process_utility(PlannedStmt *statement, const char *source, bool read_only_tree, ProcessUtilityContext context,
				ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *receiver,
				QueryCompletion *completion)
{
	Concern		concern = prepare(statement->utilityStmt);

	(next_hook ? next_hook : standard_ProcessUtility)
		(statement, source, read_only_tree, context, parameters, environment, receiver, completion);
	if (concern == CONCERN_NEW_EXTENSION)
		concern = concern_of_worker();
	if (concern == CONCERN_WORKER)
		bk_wake_worker();
	if (concern == CONCERN_LAUNCHER)
		bk_wake_launcher();
}

void
bk_statements_watch(void)
{
	next_hook = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
