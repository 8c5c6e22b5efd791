-- Who is compared with whom, in the table's order.  The ratio is ours / the peer's: the target is the largest that meets it, or,
-- where more is better, the smallest.  Cases without a target are there to be seen.
CREATE TABLE target (ordinal int GENERATED ALWAYS AS IDENTITY, case_name text, peer text, unit text, target numeric, more_is_better bool DEFAULT false);
INSERT INTO target (case_name, peer, unit, target) VALUES
	('full create, gzip 6, encrypted, 19 MB', 'pgcrypto, same level', 'ms', 0.6),
	('full create, zstd, encrypted, 19 MB', 'pgcrypto, level 6', 'ms', 0.25),
	('full create, gzip 6, from a jsonb value', 'gzip -6 | openssl enc', 'ms', 1.1),
	('restore to jsonb, 19 MB, encrypted', 'pgp_sym_decrypt()::jsonb', 'ms', 0.2),
	('restore to jsonb, 19 MB, encrypted', 'jsonb_in of its text', 'ms', NULL),
	('restore as text (bk_export)', 'pgp_sym_decrypt()', 'ms', 0.5),
	('incremental create, 19 MB, after a chain of 23', 'our own full create', 'ms', 0.5),
	('24 releases, bytes on disk', 'restic', 'bytes', 0.07),
	('24 releases, bytes on disk', 'Borg, zlib 6', 'bytes', 0.07),
	('24 releases, bytes on disk', 'pg_dump -Z6', 'bytes', NULL),
	('24 releases, bytes stored', 'gzip -6, then zstd -19 --patch-from', 'bytes', 1.3),
	('23 increments alone, bytes stored', 'zstd -19 --patch-from', 'bytes', NULL),
	('24 releases, time', 'restic', 'ms', 0.4),
	('24 releases, time', 'Borg, zlib 6', 'ms', 0.4),
	('24 releases, time', 'pg_dump -Z6', 'ms', NULL),
	('restore of a chain of 100', 'restore of a full one', 'ms', 1.3),
	('20,000 creates of 2 kB, row by row', 'pgcrypto', 'ms', 0.15),
	('20,000 creates of 2 kB, row by row', 'plain INSERT', 'ms', 10),
	('20,000 reads of 2 kB, row by row', 'plain SELECT', 'ms', 12),
	('20,000 reads of 2 kB, resource_id given', 'plain SELECT', 'ms', NULL),
	('20,000 reads of 2 kB, as a client gets them', 'plain SELECT', 'ms', NULL),
	('bk_delta of 100,000 rows', 'one jsonb::text', 'ms', 3),
	('peak memory, create of 200 MB', 'its text', 'bytes', 3),
	('peak memory, restore of 200 MB', 'its text', 'bytes', 4);
INSERT INTO target (case_name, peer, unit, target, more_is_better) VALUES
	('2 clients on 2 resources, 19 MB each', '1 client', '/s', 1.8, true),
	('2 clients on 2 resources, 2 kB each', '1 client', '/s', 1.8, true);
