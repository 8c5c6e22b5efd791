/*
 * extension.c
 *		Looking up and locking the extension's row in pg_extension.
 */
#include "catalog/extension.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_extension.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"

static void
read_row(BkExtension *extension, HeapTuple row, TupleDesc columns)
{
	Form_pg_extension form = (Form_pg_extension) GETSTRUCT(row);
	bool		is_null;
	Datum		version = heap_getattr(row, Anum_pg_extension_extversion, columns, &is_null);

	extension->oid = form->oid;
	extension->owner = form->extowner;
	extension->version = is_null ? pstrdup("") : TextDatumGetCString(version);
}

bool
bk_extension_find(BkExtension *extension)
{
	Relation	table = table_open(ExtensionRelationId, AccessShareLock);
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	row;
	bool		found;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ, CStringGetDatum("backup_service"));
	scan = systable_beginscan(table, ExtensionNameIndexId, true, NULL, 1, &key);
	row = systable_getnext(scan);
	found = HeapTupleIsValid(row);
	if (found)
		read_row(extension, row, RelationGetDescr(table));
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}

bool
bk_extension_lock(Oid extension, LOCKMODE mode, bool wait)
{
	LOCKTAG		tag;

	/* As LockDatabaseObject() does; not every minor release has a conditional one. */
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ExtensionRelationId, extension, 0);
	if (LockAcquire(&tag, mode, false, !wait) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	AcceptInvalidationMessages();
	return true;
}
