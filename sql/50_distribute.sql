-- Several machines: docs/scale-out.md.  Citus is met only here, and by names that are looked up when they are run, so that
-- all of this is there where Citus is not.

-- Only forward: an id that another session has drawn may not be in the tables yet.  Each node's ids end where the next one's begin.
-- Before tables are distributed, since the nodes are told by connections of their own, which would wait for their locks.  A node
-- that has no extension then gets it with the first table, and its range with it (sql/20_tables.sql).
CREATE FUNCTION backup_service.spread_ids(relation regclass, id name)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	node bigint;
	first_id bigint;
	last_id bigint;
	next_id bigint;
	problem text;
BEGIN
	FOR node IN EXECUTE 'SELECT DISTINCT groupid::bigint FROM pg_catalog.pg_dist_node WHERE noderole = ''primary'' AND isactive ORDER BY 1' LOOP
		first_id := node * 1000000000000 + 1;
		last_id := (node + 1) * 1000000000000;
		EXECUTE format('SELECT coalesce(max(%I) + 1, $1) FROM %s WHERE %1$I BETWEEN $1 AND $2', id, relation)
		   INTO next_id USING first_id, last_id;
		EXECUTE 'SELECT string_agg(result, '' '') FROM pg_catalog.run_command_on_all_nodes($1) WHERE NOT success' INTO problem
		  USING format('SELECT pg_catalog.setval(s.id, %2$s, false) FROM pg_catalog.pg_dist_local_group g, pg_catalog.to_regclass(%1$L) s (id)'
					   ' WHERE g.groupid = %3$s AND coalesce(pg_catalog.pg_sequence_last_value(s.id) + 1, 0) NOT BETWEEN %2$s AND %4$s',
					   pg_get_serial_sequence(relation::text, id), next_id, node, last_id);
		IF problem IS NOT NULL THEN
			RAISE EXCEPTION USING ERRCODE = 'external_routine_exception', MESSAGE = 'the ids of a node cannot be set',
				DETAIL = problem, HINT = 'docs/scale-out.md says what every node needs.';
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION backup_service.spread_ids IS 'give each node of Citus ids of its own range, where it does not draw from that yet';

-- Says whether it was to be done.  The rows that were there are in the shards then, and hidden in the table itself.
CREATE FUNCTION backup_service.distribute(relation regclass, placement text, shard_count integer)
RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	distributed boolean;
BEGIN
	EXECUTE 'SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = $1)' INTO distributed USING relation;
	IF distributed OR placement = 'local' THEN
		RETURN false;
	ELSIF placement = 'reference' THEN
		EXECUTE 'SELECT pg_catalog.create_reference_table($1)' USING relation;
	ELSIF relation = 'backup_service.resource'::regclass THEN
		EXECUTE 'SELECT pg_catalog.create_distributed_table($1, ''resource_id'', colocate_with => ''none'', shard_count => $2)'
		  USING relation, shard_count;
	ELSE
		EXECUTE 'SELECT pg_catalog.create_distributed_table($1, ''resource_id'', colocate_with => ''backup_service.resource'')'
		  USING relation;
	END IF;
	EXECUTE 'SELECT pg_catalog.truncate_local_data_after_distributing_table($1)' USING relation;
	RETURN true;
END
$$;
COMMENT ON FUNCTION backup_service.distribute IS 'place a table where Citus shall have it, and say whether it was not there yet';

-- Citus lets nobody but a table's owner distribute it, so this runs as the extension's owner.  What Citus says of local rows
-- that it has hidden is done at once.
CREATE FUNCTION @extschema@.bk_distribute(
	shard_count integer = 36, OUT relation text, OUT placement text, OUT changed boolean)
RETURNS SETOF record LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
	node integer;
BEGIN
	IF current_setting('transaction_read_only')::boolean THEN
		RAISE EXCEPTION USING ERRCODE = 'read_only_sql_transaction', MESSAGE = 'cannot execute bk_distribute() in a read-only transaction',
			HINT = 'Call bk_distribute() on the coordinator, which is no standby.';
	ELSIF to_regclass('pg_catalog.pg_dist_partition') IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported', MESSAGE = 'the tables cannot be distributed without Citus',
			DETAIL = 'This database has no extension citus.',
			HINT = 'docs/scale-out.md says what several machines need, and whether they pay.';
	ELSIF shard_count IS NULL OR shard_count NOT BETWEEN 1 AND 64000 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'shard_count must be from 1 to 64000',
			DETAIL = format('It is %s.', coalesce(shard_count::text, 'null'));
	END IF;
	EXECUTE 'SELECT groupid FROM pg_catalog.pg_dist_local_group' INTO node;
	IF node <> 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'the tables are distributed from the coordinator',
			DETAIL = format('This is node %s.', node), HINT = 'Call bk_distribute() on the coordinator.';
	END IF;
	PERFORM backup_service.spread_ids('backup_service.backup', 'backup_id'),
			backup_service.spread_ids('backup_service.restore_operation', 'operation_id'),
			backup_service.spread_ids('backup_service.audit_unsealed', 'event_id'),
			backup_service.spread_ids('backup_service.notice', 'notice_id');
	FOR relation, placement IN
		SELECT 'backup_service.' || t.name, t.placement
		  FROM (VALUES ('key', 'reference'), ('policy', 'reference'), ('policy_assignment', 'reference'), ('restore_total', 'reference'),
					   ('resource', 'distributed'), ('backup', 'distributed'), ('chunk', 'distributed'), ('snapshot', 'distributed'),
					   ('hold', 'distributed'), ('restore_operation', 'distributed'), ('audit_event', 'distributed'),
					   ('audit_unsealed', 'distributed'), ('audit_checkpoint', 'distributed'), ('notice', 'distributed'),
					   ('answer', 'local'), ('job', 'local')) t (name, placement)
	LOOP
		changed := backup_service.distribute(relation, placement, shard_count);
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.bk_distribute IS 'distribute the tables over the nodes of Citus (docs/scale-out.md), and say of each what it is and whether this call made it so';
