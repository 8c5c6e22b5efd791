/*
 * databases.c
 *		Reading pg_database, which can be done without a database, as autovacuum's
 *		launcher does; and backup_service.databases.
 */
#include "worker/databases.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "settings.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

/* datconnlimit of a database that DROP DATABASE has left half deleted. */
#define INVALID_DATABASE	(-2)

bool
bk_database_is_listed(const char *name)
{
	char	   *list = pstrdup(bk_setting_databases);
	List	   *names;
	ListCell   *cell;
	bool		listed;

	/* The setting's own check has split it before. */
	if (!SplitIdentifierString(list, ',', &names))
		return false;
	listed = names == NIL;
	foreach(cell, names)
		listed |= strcmp(lfirst(cell), name) == 0;
	list_free(names);
	pfree(list);
	return listed;
}

static bool
may_be_served(Form_pg_database database)
{
	/* A worker in a template would be in the way of CREATE DATABASE. */
	return database->datallowconn && !database->datistemplate && database->datconnlimit != INVALID_DATABASE
		&& bk_database_is_listed(NameStr(database->datname));
}

static List *
scan_databases(MemoryContext memory)
{
	Relation	table = table_open(DatabaseRelationId, AccessShareLock);
	TableScanDesc scan = table_beginscan_catalog(table, 0, NULL);
	List	   *found = NIL;
	HeapTuple	row;

	while ((row = heap_getnext(scan, ForwardScanDirection)) != NULL)
	{
		Form_pg_database database = (Form_pg_database) GETSTRUCT(row);
		MemoryContext saved;

		if (!may_be_served(database))
			continue;
		saved = MemoryContextSwitchTo(memory);
		found = lappend_oid(found, database->oid);
		MemoryContextSwitchTo(saved);
	}
	table_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}

int
bk_databases_find(Oid **databases)
{
	MemoryContext memory = CurrentMemoryContext;
	List	   *found;
	ListCell   *cell;
	int			count = 0;

	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	found = scan_databases(memory);
	CommitTransactionCommand();
	MemoryContextSwitchTo(memory);

	*databases = palloc(sizeof(Oid) * Max(list_length(found), 1));
	foreach(cell, found)
		(*databases)[count++] = lfirst_oid(cell);
	return count;
}
