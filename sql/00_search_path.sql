-- CREATE EXTENSION puts the extension's schema into the path.  Whoever may create there could plant an operator that
-- fits better than pg_catalog's, such as oid = regclass, and have the installing superuser run it.
SET LOCAL search_path = pg_catalog, pg_temp;
