-- Does a restore give back what was backed up?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools

SELECT backup_id AS monday FROM bk_create('restore/shop', '{"users": [{"id": 1, "name": "Alice"}], "theme": "dark"}') \gset
SELECT backup_id AS tuesday FROM bk_create('restore/shop', '{"users": [{"id": 1, "name": "Alice"}, {"id": 2, "name": "Bob"}], "theme": "dark"}', 'incremental') \gset
SELECT backup_id AS wednesday FROM bk_create('restore/shop', '{"users": [{"id": 2, "name": "Bob"}], "theme": "light"}', 'incremental') \gset
SELECT backup_id AS thursday FROM bk_create('restore/shop', '{"users": [], "theme": "light"}', 'differential') \gset

-- Each backup by its id, whatever came after it.
SELECT bk_restore(:monday);
SELECT bk_restore(:tuesday);
SELECT bk_restore(:wednesday);
SELECT bk_restore(:thursday);

-- With the resource named, which spares a look-up; another resource's name is no such backup.
SELECT bk_restore(:tuesday, resource_id => 'restore/shop') = bk_restore(:tuesday) AS same;
CALL pg_temp.attempt(format('SELECT bk_restore(%s, resource_id => ''restore/other'')', :tuesday));

-- The target is a label: nothing is written for it.
SELECT bk_restore(:monday, 'restore/copy', true, 'the night shift');
SELECT count(*) FROM bk_resources WHERE resource_id = 'restore/copy';
SELECT target_resource_id, created_by, validated FROM bk_operations WHERE resource_id = 'restore/shop' ORDER BY operation_id DESC LIMIT 1;

-- bk_read() is the same without an operation, also in a read-only transaction.
SELECT count(*) AS operations FROM bk_operations WHERE resource_id = 'restore/shop' \gset
BEGIN READ ONLY;
SELECT bk_read(:wednesday);
SELECT bk_read(:wednesday, 'restore/shop');
COMMIT;
SELECT count(*) - :operations AS more FROM bk_operations WHERE resource_id = 'restore/shop';

-- Without validation the document is the same; what is damaged is refused all the same.
SELECT bk_restore(:thursday, validate => false);
BEGIN;
UPDATE backup_service.chunk SET data = set_byte(data, 20, get_byte(data, 20) # 1) WHERE backup_id = :tuesday;
CALL pg_temp.attempt(format('SELECT bk_restore(%s)', :tuesday));
CALL pg_temp.attempt(format('SELECT bk_restore(%s, validate => false)', :tuesday));
CALL pg_temp.attempt(format('SELECT bk_restore(%s, validate => false)', :wednesday));
CALL pg_temp.attempt(format('SELECT bk_read(%s)', :wednesday));
SELECT bk_restore(:monday), bk_restore(:thursday);
ROLLBACK;

-- In the transaction that made the backup.
BEGIN;
SELECT bk_restore(backup_id) FROM bk_create('restore/own', '{"made": "here"}');
SELECT bk_restore(backup_id) FROM bk_create('restore/own', '{"made": "here", "too": true}', 'incremental');
ROLLBACK;

-- From functions, prepared statements, cursors, and for many backups in one statement.
CREATE FUNCTION pg_temp.theme(backup_id bigint) RETURNS text LANGUAGE plpgsql AS
$$ BEGIN RETURN bk_restore(backup_id)->>'theme'; END $$;
SELECT pg_temp.theme(:monday), pg_temp.theme(:wednesday);
PREPARE restore_users(bigint) AS SELECT jsonb_path_query_array(bk_restore($1), '$.users[*].name') AS users;
EXECUTE restore_users(:monday);
EXECUTE restore_users(:tuesday);
BEGIN;
DECLARE restored CURSOR FOR SELECT bk_read(backup_id)->'theme' AS theme FROM bk_backups WHERE resource_id = 'restore/shop' ORDER BY created_at;
FETCH 2 FROM restored;
MOVE LAST FROM restored;
FETCH BACKWARD 1 FROM restored;
COMMIT;
SELECT jsonb_agg(jsonb_array_length(bk_restore(backup_id)->'users') ORDER BY created_at) AS users
  FROM bk_backups WHERE resource_id = 'restore/shop';

-- Nothing of this has changed what is stored.
SELECT count(*), bool_and((bk_verify(backup_id)->>'valid')::boolean) AS valid FROM bk_backups WHERE resource_id = 'restore/shop';
