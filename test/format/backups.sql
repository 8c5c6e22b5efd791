-- Backups of every kind for test/format/run; the last one is the end of a chain.
CREATE EXTENSION backup_service;

-- A document of n rows with everything that JSON has; another salt changes every row, and leaves some out.
CREATE FUNCTION pg_temp.document(n int, salt int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT pg_catalog.jsonb_build_object('salt', salt, 'empty', '[{}, [], "", null, true, false]'::jsonb,
			'keys', '{"": 1, "a.b": 2, "odd \"key\"\n": 3, "été": 4, "☃[0]": 5, "x": {"y": {"z": -0.0010}}}'::jsonb,
			'rows', pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('id', i, 'hash', pg_catalog.md5((i * salt)::text),
				'price', i * 1.10, 'big', 12345678901234567890.5 * i, 'list', ARRAY[i % 3, salt],
				'text', E'tab\t"quote" back\\slash / \u0001\u007f é ☃ 😀') ORDER BY i))
	  FROM pg_catalog.generate_series(1, n) i WHERE i * salt % 13 <> 0
$$;

-- Full ones: each compression, encrypted or not, in one chunk or more.
SELECT 1 FROM unnest(ARRAY['none', 'gzip', 'zstd']) c, unnest(ARRAY[true, false]) e, unnest(ARRAY[1, 50, 3000]) n,
	LATERAL bk_create('full/' || c || e || n, pg_temp.document(n, 7), compression => c, encrypt => e);
SELECT 1 FROM bk_create('scalar', '"just a string"');
SELECT 1 FROM bk_create('Straße/☃', '{}', encrypt => false);

-- Chains.
SELECT 1 FROM bk_create('chain', pg_temp.document(300, 7));
SELECT 1 FROM bk_create('chain', pg_temp.document(310, 7), 'incremental', compression => 'zstd');
SELECT 1 FROM bk_create('chain', jsonb_set(pg_temp.document(305, 7), ARRAY['keys', E'odd "key"\n'], '"changed"'), 'incremental', encrypt => false);
SELECT 1 FROM bk_create('chain', pg_temp.document(305, 7) #- '{keys,a.b}' #- '{empty,2}', 'differential', compression => 'none');
SELECT 1 FROM bk_create('chain', '[1, 2, 3]', 'incremental');
SELECT 1 FROM bk_create('chain', '[0, 1, {"x": 1.00}, 3]', 'incremental');
