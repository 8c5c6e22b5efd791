-- The documents, the peers' tables, and how one run of a case is timed.
CREATE EXTENSION backup_service;
CREATE EXTENSION pgcrypto;
CREATE SCHEMA bench;
SET search_path = bench, public;

-- Milliseconds, bytes or calls a second, as bench/targets.sql says; of statements, the milliseconds on a processor too, which
-- tell more where the machine has other work.
CREATE TABLE measurement (case_name text, side text, value numeric, processor numeric);
-- Versions, settings, and what else belongs beside the table.
CREATE TABLE about (ordinal int GENERATED ALWAYS AS IDENTITY, name text, value text);
CREATE TABLE document (name text PRIMARY KEY, data jsonb);
-- Read as it is stored, so that no side pays for its decompression.
ALTER TABLE document ALTER COLUMN data SET STORAGE EXTERNAL;

CREATE TABLE pgcrypto_backup (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, made_at timestamptz DEFAULT now(), data bytea);
ALTER TABLE pgcrypto_backup ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE FUNCTION pgcrypto_backup(name text, data jsonb) RETURNS void LANGUAGE sql AS
$$ INSERT INTO bench.pgcrypto_backup (name, data)
   VALUES (name, pgp_sym_encrypt(data::text, 'a passphrase of the benchmark',
								 'compress-algo=1, compress-level=6, cipher-algo=aes256')) $$;
CREATE FUNCTION pgcrypto_text(id bigint) RETURNS text LANGUAGE sql AS
$$ SELECT pgp_sym_decrypt(data, 'a passphrase of the benchmark') FROM bench.pgcrypto_backup b WHERE b.id = pgcrypto_text.id $$;

CREATE TABLE plain_backup (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, made_at timestamptz DEFAULT now(), data jsonb);

-- Milliseconds that this session has been on a processor.
CREATE FUNCTION processor_time() RETURNS numeric LANGUAGE sql VOLATILE AS
$$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric / 1000000 $$;

-- Run a statement with up to two documents as $1 and $2, and note how long it took, until it is committed.  Where it is to be
-- rolled back instead, its own time alone.  The round 0 only warms up.
CREATE PROCEDURE measure(case_name text, side text, run int, statement text, documents text[], ending text) LANGUAGE plpgsql AS $$
DECLARE
	first jsonb := (SELECT data FROM bench.document WHERE name = documents[1]);
	second jsonb := (SELECT data FROM bench.document WHERE name = documents[2]);
	worked numeric := processor_time();
	started timestamptz := clock_timestamp();
	ended timestamptz;
BEGIN
	EXECUTE statement USING first, second;
	IF ending = 'rollback' THEN
		ended := clock_timestamp();
		ROLLBACK;
	ELSE
		COMMIT;
		ended := clock_timestamp();
	END IF;
	worked := processor_time() - worked;
	INSERT INTO bench.measurement SELECT case_name, side, extract(epoch FROM ended - started) * 1000, worked WHERE run > 0;
	COMMIT;
END $$;

-- Row by row, all in one transaction.
CREATE FUNCTION small_creates(run int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE s record;
BEGIN
	FOR s IN SELECT * FROM bench.small LOOP
		PERFORM FROM bk_create('small-' || run || '-' || s.number, s.data);
	END LOOP;
END $$;
CREATE FUNCTION small_pgcrypto_creates(run int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE s record;
BEGIN
	FOR s IN SELECT * FROM bench.small LOOP
		PERFORM bench.pgcrypto_backup('small-' || run || '-' || s.number, s.data);
	END LOOP;
END $$;
CREATE FUNCTION small_inserts(run int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE s record;
BEGIN
	FOR s IN SELECT * FROM bench.small LOOP
		INSERT INTO bench.plain_backup (name, data) VALUES ('small-' || run || '-' || s.number, s.data);
	END LOOP;
END $$;

-- jsonb_typeof() has the whole value in memory, on both sides: a plain table has it compressed, as any INSERT stores what is as
-- large, and decompresses it all.  Walking through it as well would cost a third of a microsecond.
CREATE FUNCTION small_reads() RETURNS void LANGUAGE plpgsql AS $$
DECLARE id bigint;
BEGIN
	FOR id IN SELECT backup_id FROM bench.small_backup ORDER BY backup_id LOOP
		PERFORM jsonb_typeof(bk_read(id));
	END LOOP;
END $$;
CREATE FUNCTION small_reads_by_resource() RETURNS void LANGUAGE plpgsql AS $$
DECLARE s record;
BEGIN
	FOR s IN SELECT * FROM bench.small_backup ORDER BY backup_id LOOP
		PERFORM jsonb_typeof(bk_read(s.backup_id, s.resource_id));
	END LOOP;
END $$;
-- What a client is sent.
CREATE FUNCTION small_texts() RETURNS void LANGUAGE plpgsql AS $$
DECLARE id bigint;
BEGIN
	FOR id IN SELECT backup_id FROM bench.small_backup ORDER BY backup_id LOOP
		PERFORM octet_length(bk_read(id)::text);
	END LOOP;
END $$;
CREATE FUNCTION small_selected_texts() RETURNS void LANGUAGE plpgsql AS $$
DECLARE s bigint;
BEGIN
	FOR s IN SELECT id FROM bench.small_plain ORDER BY id LOOP
		PERFORM octet_length(data::text) FROM bench.plain_backup WHERE id = s;
	END LOOP;
END $$;
CREATE FUNCTION small_selects() RETURNS void LANGUAGE plpgsql AS $$
DECLARE s bigint;
BEGIN
	FOR s IN SELECT id FROM bench.small_plain ORDER BY id LOOP
		PERFORM jsonb_typeof(data) FROM bench.plain_backup WHERE id = s;
	END LOOP;
END $$;

-- A row of a table, as an object of about 200 bytes.
CREATE FUNCTION sample_row(number int) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
$$ SELECT jsonb_build_object('id', number, 'name', 'customer ' || number, 'mail', 'customer' || number || '@example.org',
	'article', md5(number::text), 'quantity', number % 17, 'price', round(number * 0.31, 2), 'state', 'delivered',
	'note', 'left with the neighbour on day ' || number % 365, 'paid', number % 3 = 0) $$;

-- What the catalog's tables and indexes take on the disk.
CREATE FUNCTION catalog_bytes() RETURNS numeric LANGUAGE sql AS
$$ SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relnamespace = 'backup_service'::regnamespace AND relkind = 'r' $$;
