/*
 * owners.c
 *		Names of roles for the filters of lists.
 */
#include "catalog/owners.h"

#include "catalog/pg_type.h"

/* Asked apart, so that the list itself can run where the tables are distributed. */
static BkStatement find_owners = {
	.sql = "SELECT pg_catalog.array_agg(rolname) FROM pg_catalog.pg_roles"
	" WHERE pg_catalog.pg_has_role($1, oid, 'USAGE')",
	.nargs = 1,
	.types = {OIDOID},
};

void
bk_owners_add(BkValues *values, const BkOwners *owners)
{
	BkValues	arguments = {0};

	if (owners->all)
	{
		bk_value_add_null(values);
		return;
	}
	bk_value_add(&arguments, ObjectIdGetDatum(owners->reader));
	bk_statement_read(&find_owners, &arguments, 1);
	bk_value_add(values, PointerGetDatum(PG_DETOAST_DATUM_COPY(bk_column(0, 1))));
	SPI_freetuptable(SPI_tuptable);
}

void
bk_owners_show(BkStatement *statement, int64 id, const BkOwners *owners, Tuplestorestate *rows)
{
	BkValues	values = {0};

	bk_value_add_int64(&values, id);
	bk_owners_add(&values, owners);
	bk_rows_put(bk_statement_read_anywhere(statement, &values), rows);
}
