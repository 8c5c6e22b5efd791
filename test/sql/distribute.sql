-- What does bk_distribute() say where there is no Citus?  (Where there is: test/t/048_scale_out.pl.)
SELECT * FROM bk_distribute();
SELECT * FROM bk_distribute(shard_count => NULL);
BEGIN READ ONLY;
SELECT * FROM bk_distribute();
ROLLBACK;

-- Citus has no tables of these names here; those that stand in for its are the test's, and say what is checked before it is called.
BEGIN;
SET LOCAL allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass);
CREATE TABLE pg_catalog.pg_dist_local_group (groupid integer);
INSERT INTO pg_catalog.pg_dist_local_group VALUES (7);
SAVEPOINT here;
SELECT * FROM bk_distribute(0);
ROLLBACK TO here;
SELECT * FROM bk_distribute(NULL);
ROLLBACK TO here;
SELECT * FROM bk_distribute();
ROLLBACK TO here;

-- The nodes are told by Citus; one that cannot be told stops it.
UPDATE pg_catalog.pg_dist_local_group SET groupid = 0;
CREATE TABLE pg_catalog.pg_dist_node (groupid integer, noderole text, isactive boolean);
INSERT INTO pg_catalog.pg_dist_node VALUES (0, 'primary', true);
CREATE FUNCTION pg_catalog.run_command_on_all_nodes(command text, OUT success boolean, OUT result text)
RETURNS SETOF record LANGUAGE sql AS $$ VALUES (true, '1'), (false, 'it is down') $$;
SAVEPOINT here;
SELECT * FROM bk_distribute();
ROLLBACK TO here;

-- What Citus is asked for, and for which tables: all, each once.  A second call asks for nothing.
CREATE OR REPLACE FUNCTION pg_catalog.run_command_on_all_nodes(command text, OUT success boolean, OUT result text)
RETURNS SETOF record LANGUAGE plpgsql AS $$ BEGIN EXECUTE command INTO result; success := true; RETURN NEXT; END $$;
CREATE TABLE asked (what text);
CREATE FUNCTION pg_catalog.create_reference_table(t regclass) RETURNS void LANGUAGE sql AS $$
	INSERT INTO pg_catalog.pg_dist_partition VALUES (t); INSERT INTO public.asked VALUES (t || ' everywhere') $$;
CREATE FUNCTION pg_catalog.create_distributed_table(t regclass, c text, colocate_with text, shard_count integer = NULL) RETURNS void LANGUAGE sql AS $$
	INSERT INTO pg_catalog.pg_dist_partition VALUES (t); INSERT INTO public.asked VALUES (concat_ws(' ', t, 'by', c, 'beside', colocate_with, shard_count)) $$;
CREATE FUNCTION pg_catalog.truncate_local_data_after_distributing_table(t regclass) RETURNS void LANGUAGE sql AS $$
	INSERT INTO public.asked VALUES (t || ' emptied') $$;
SELECT * FROM bk_distribute(72);
SELECT * FROM asked;
SELECT count(*) FROM bk_distribute() WHERE changed;
SELECT relname FROM pg_class WHERE relnamespace = 'backup_service'::regnamespace AND relkind = 'r'
EXCEPT SELECT split_part(relation, '.', 2) FROM bk_distribute();

-- A sequence goes forward into its range, and stays where it is in it.
SELECT setval('backup_service.notice_notice_id_seq', 10), setval('backup_service.audit_unsealed_event_id_seq', 5000000000000);
SELECT count(*) FROM bk_distribute();
SELECT nextval('backup_service.notice_notice_id_seq') = greatest(11, (SELECT max(notice_id) + 1 FROM backup_service.notice)) AS stayed,
	   nextval('backup_service.audit_unsealed_event_id_seq') = coalesce((SELECT max(event_id) FROM backup_service.audit_unsealed), 0) + 1 AS went_back;
ROLLBACK;
