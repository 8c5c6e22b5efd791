-- The peers' tables, and how one run of a case is timed.
CREATE EXTENSION backup_service;
CREATE EXTENSION pgcrypto;
CREATE SCHEMA bench;
SET search_path = bench, public;

-- Every measurement: one run of one side of a case, in milliseconds.
CREATE TABLE measurement (case_name text, side text, run int, value numeric);
CREATE TABLE document (number int PRIMARY KEY, name text, data jsonb);
CREATE TABLE pgcrypto_backup (name text, made_at timestamptz DEFAULT now(), data bytea);
ALTER TABLE pgcrypto_backup ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE FUNCTION pgcrypto_backup(name text, data jsonb) RETURNS void LANGUAGE sql AS
$$ INSERT INTO bench.pgcrypto_backup (name, data)
   VALUES (name, pgp_sym_encrypt(data::text, 'a passphrase of the benchmark',
								 'compress-algo=1, compress-level=6, cipher-algo=aes256')) $$;

-- Run a statement and note how long it took; the transaction commits after the time is taken, on every side alike.
CREATE PROCEDURE measure(case_name text, side text, run int, statement text) LANGUAGE plpgsql AS $$
DECLARE
	started timestamptz;
	took numeric;
BEGIN
	started := clock_timestamp();
	EXECUTE statement;
	took := extract(epoch FROM clock_timestamp() - started) * 1000;
	INSERT INTO bench.measurement VALUES (case_name, side, run, took);
	COMMIT;
END $$;

-- A document of about 2 kB, different for every number.
CREATE FUNCTION small_document(number int) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
$$ SELECT jsonb_build_object('id', number, 'name', 'customer ' || number, 'orders',
	(SELECT jsonb_agg(jsonb_build_object('order', number * 100 + i, 'article', md5((number + i)::text),
										 'quantity', i, 'price', round(i * 3.14, 2), 'state', 'delivered'))
	   FROM generate_series(1, 18) i)) $$;
CREATE TABLE small AS SELECT i AS number, small_document(i) AS data FROM generate_series(1, 20000) i;
SELECT round(avg(length(data::text))) AS small_document_bytes FROM small;
