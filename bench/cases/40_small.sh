# Many small documents, each a resource of its own, row by row in one transaction.

compare '20,000 creates of 2 kB, row by row' '' \
	ours 'SELECT small_creates(RUN)' \
	pgcrypto 'SELECT small_pgcrypto_creates(RUN)' \
	'plain INSERT' 'SELECT small_inserts(RUN)'

value "CREATE TABLE small_backup AS SELECT backup_id, resource_id FROM bk_backups WHERE resource_id LIKE 'small-1-%'"
value "CREATE TABLE small_plain AS SELECT id FROM plain_backup WHERE name LIKE 'small-1-%'"
value 'VACUUM ANALYZE'
compare '20,000 reads of 2 kB, row by row' '' \
	ours 'SELECT small_reads()' \
	'plain SELECT' 'SELECT small_selects()'
compare '20,000 reads of 2 kB, resource_id given' '' \
	ours 'SELECT small_reads_by_resource()' \
	'plain SELECT' 'SELECT small_selects()'
compare '20,000 reads of 2 kB, as a client gets them' '' \
	ours 'SELECT small_texts()' \
	'plain SELECT' 'SELECT small_selected_texts()'
