# The peak memory of a whole backend that makes and restores a backup of 200 MB: its resident pages at their most, without shared
# memory and mapped files.  The document, as it is read from its table or as it is restored, is in it.  What was shared before the
# call is taken off, so that what the call itself touches of the shared buffers counts against us.

# Rows that take about as much as a jsonb as they do as text: a jsonb array has at most 256 MB.
value "INSERT INTO document SELECT 'big', jsonb_agg(sample_row(i)) FROM generate_series(1, $big_rows) i"
value "INSERT INTO measurement SELECT c, 'its text', (SELECT octet_length(data::text) FROM document WHERE name = 'big')
	FROM unnest('{\"peak memory, create of 200 MB\", \"peak memory, restore of 200 MB\"}'::text[]) c"

# peak_of CASE STATEMENT: in the psql session that reads this.
peak_of() {
	printf '%s\n' '\set shared `bench/memory begin :pid`' "$2" '\set peak `bench/memory peak :pid`' \
		"INSERT INTO measurement SELECT \$\$$1\$\$, 'ours', :peak - :shared WHERE $run > 0;"
}
{
	say 'SELECT pg_backend_pid() AS pid \gset'
	for run in $(seq 0 "$rounds"); do
		peak_of 'peak memory, create of 200 MB' "SELECT b.backup_id AS made FROM document, LATERAL bk_create('big', data) b WHERE name = 'big' \\gset"
		peak_of 'peak memory, restore of 200 MB' 'SELECT jsonb_typeof(bk_restore(:made));'
	done
} | psql -XqAt -v ON_ERROR_STOP=1 >/dev/null
