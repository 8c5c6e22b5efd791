-- A document of about 2 kB for a number, and a table of the first 20,000, or of so many as psql's variable says.
\if :{?documents}
\else
	\set documents 20000
\endif
CREATE FUNCTION small_document(number int) RETURNS jsonb LANGUAGE sql IMMUTABLE AS
$$ SELECT jsonb_build_object('id', number, 'name', 'customer ' || number, 'orders',
	(SELECT jsonb_agg(jsonb_build_object('order', number * 100 + i, 'article', md5((number + i)::text),
										 'quantity', i, 'price', round(i * 3.14, 2), 'state', 'delivered'))
	   FROM generate_series(1, 18) i)) $$;
CREATE TABLE small (number int PRIMARY KEY, data jsonb);
-- As an application would hand them over: neither compressed, which a plain INSERT would copy instead of doing that
-- work itself, nor in a table of their own, from which each side would fetch them first.
ALTER TABLE small ALTER COLUMN data SET STORAGE PLAIN;
INSERT INTO small SELECT i, small_document(i) FROM generate_series(1, :documents) i;
