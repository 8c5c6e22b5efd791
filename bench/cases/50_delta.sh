# The delta of two arrays of 100,000 rows: one inserted in front, ten changed, ten gone.

value "INSERT INTO document SELECT 'rows', jsonb_agg(sample_row(i)) FROM generate_series(1, 100000) i"
value "INSERT INTO document SELECT 'rows-changed', jsonb_agg(CASE WHEN i % 10000 = 77 THEN sample_row(i) || '{\"state\": \"sent back\"}' ELSE sample_row(i) END)
	FROM generate_series(0, 100000) i WHERE i % 10000 <> 99"
compare 'bk_delta of 100,000 rows' rows,rows-changed \
	ours 'SELECT bk_delta($1, $2)' \
	'one jsonb::text' 'SELECT $2::text'
