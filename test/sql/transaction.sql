-- Does a backup live and die with its transaction?
\getenv abs_srcdir PG_ABS_SRCDIR
\set tools :abs_srcdir /sql/tools.psql
\i :tools
CREATE FUNCTION pg_temp.states(resource text) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(left(type, 4) || ' ' || bk_read(backup_id)::text, ', ' ORDER BY created_at) FROM bk_backups WHERE resource_id = resource $$;

-- Rolled back, it leaves no row anywhere.
BEGIN;
SELECT type FROM bk_create('transaction/r', '{"n": 1}');
SELECT pg_temp.states('transaction/r');
ROLLBACK;
SELECT (SELECT count(*) FROM backup_service.resource WHERE resource_id = 'transaction/r') AS resources,
	   (SELECT count(*) FROM backup_service.backup WHERE resource_id = 'transaction/r') AS backups,
	   (SELECT count(*) FROM backup_service.chunk WHERE resource_id = 'transaction/r') AS chunks,
	   (SELECT count(*) FROM backup_service.snapshot WHERE resource_id = 'transaction/r') AS snapshots,
	   (SELECT count(*) FROM backup_service.restore_operation WHERE resource_id = 'transaction/r') AS operations;

-- With the application's own change: both or neither.
CREATE TEMP TABLE account (id int PRIMARY KEY, balance int CHECK (balance >= 0));
INSERT INTO account VALUES (1, 10);
BEGIN;
UPDATE account SET balance = 5;
SELECT FROM bk_create('transaction/account', (SELECT to_jsonb(a) FROM account a));
COMMIT;
BEGIN;
SELECT FROM bk_create('transaction/account', (SELECT jsonb_build_object('balance', -5)), 'incremental');
UPDATE account SET balance = -5;
COMMIT;
SELECT pg_temp.states('transaction/account');

-- A savepoint: what was made after it goes, what builds on it sees what is left.
BEGIN;
SELECT type FROM bk_create('transaction/savepoint', '{"n": 1, "k": 0}');
SAVEPOINT s;
SELECT type FROM bk_create('transaction/savepoint', '{"n": 2, "k": 0}', 'incremental');
SELECT type FROM bk_create('transaction/savepoint', '{"n": 3, "k": 0}', 'incremental');
ROLLBACK TO s;
SELECT type FROM bk_create('transaction/savepoint', '{"n": 4, "k": 0}', 'incremental');
SELECT pg_temp.states('transaction/savepoint');
SAVEPOINT t;
SELECT bk_delete(backup_id) FROM bk_list('transaction/savepoint', max_rows => 1);
SELECT pg_temp.states('transaction/savepoint');
ROLLBACK TO t;
COMMIT;
SELECT pg_temp.states('transaction/savepoint');

-- The first backup of a resource in a savepoint that is rolled back.
BEGIN;
SAVEPOINT s;
SELECT type FROM bk_create('transaction/first', '1');
ROLLBACK TO s;
SELECT type FROM bk_create('transaction/first', '2');
COMMIT;
SELECT pg_temp.states('transaction/first');

-- An error that is caught.
DO $$
BEGIN
	PERFORM FROM bk_create('transaction/caught', '1');
	BEGIN
		PERFORM FROM bk_create('transaction/caught', '2', 'incremental');
		PERFORM bk_delete(-1);
	EXCEPTION WHEN undefined_object THEN
		NULL;
	END;
	PERFORM FROM bk_create('transaction/caught', '3');
END
$$;
SELECT pg_temp.states('transaction/caught');

-- Several resources in one transaction, made, restored, consolidated and deleted in turn.
BEGIN;
SELECT type FROM bk_create('transaction/a', '{"n": 1, "k": 0}');
SELECT type FROM bk_create('transaction/b', '{"m": 1, "k": 0}');
SELECT type FROM bk_create('transaction/a', '{"n": 2, "k": 0}', 'incremental');
SELECT type FROM bk_create('transaction/b', '{"m": 2, "k": 0}', 'differential');
SELECT type FROM bk_create('transaction/a', '{"n": 3, "k": 0}', 'incremental');
SELECT bk_delete(min(backup_id)) FROM bk_backups WHERE resource_id = 'transaction/a';
SELECT type, bk_restore(backup_id) FROM bk_backups WHERE resource_id IN ('transaction/a', 'transaction/b') ORDER BY resource_id, created_at;
SELECT type FROM bk_consolidate((SELECT max(backup_id) FROM bk_backups WHERE resource_id = 'transaction/b'));
COMMIT;
SELECT pg_temp.states('transaction/a');
SELECT pg_temp.states('transaction/b');

-- Many in one statement: each sees the one before it.
SELECT count(*) FILTER (WHERE b.type = 'incremental') AS incrementals
  FROM bk_create('transaction/statement', '{"n": 0, "k": 0}') f, LATERAL generate_series(1, 20) i,
	   LATERAL bk_create('transaction/statement', jsonb_build_object('n', i, 'k', 0, 'base', f.type), 'incremental') b;
SELECT bool_and((bk_read(backup_id)->>'n')::int = n) AS in_order
  FROM (SELECT backup_id, row_number() OVER (ORDER BY created_at) - 1 AS n FROM bk_backups WHERE resource_id = 'transaction/statement') b;

-- REPEATABLE READ and SERIALIZABLE see their own work too.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT type FROM bk_create('transaction/repeatable', '{"n": 1, "k": 0}');
SELECT type FROM bk_create('transaction/repeatable', '{"n": 2, "k": 0}', 'incremental');
SELECT type FROM bk_consolidate((SELECT max(backup_id) FROM bk_backups WHERE resource_id = 'transaction/repeatable'));
SELECT pg_temp.states('transaction/repeatable');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT type FROM bk_create('transaction/repeatable', '{"n": 3, "k": 0}', 'incremental');
SELECT bk_restore_at('transaction/repeatable', 'infinity');
COMMIT;
SELECT pg_temp.states('transaction/repeatable');

-- A trigger that backs up what it changes, in the caller's transaction.
CREATE TEMP TABLE setting (name text PRIMARY KEY, value jsonb);
CREATE FUNCTION pg_temp.back_up() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM FROM bk_create('transaction/setting ' || NEW.name, NEW.value, CASE TG_OP WHEN 'INSERT' THEN 'full' ELSE 'incremental' END); RETURN NEW; END $$;
CREATE TRIGGER back_up AFTER INSERT OR UPDATE ON setting FOR EACH ROW EXECUTE FUNCTION pg_temp.back_up();
INSERT INTO setting VALUES ('a', '{"x": 1, "k": 0}'), ('b', '{"y": 1, "k": 0}');
UPDATE setting SET value = value || '{"k": 1}';
SELECT pg_temp.states('transaction/setting a');
SELECT pg_temp.states('transaction/setting b');
