# What a chain costs: the next incremental, and a restore of the newest.  Undone where it would make the chain longer.

value "SELECT count(*) FROM unnest('{$(IFS=,; echo "${release_names[*]:0:releases-1}")}'::text[]) WITH ORDINALITY r(name, n),
	LATERAL bk_create('chain-23', (SELECT data FROM document d WHERE d.name = r.name), 'incremental')" >/dev/null
END=rollback compare 'incremental create, 19 MB, after a chain of 23' "$newest" \
	ours "SELECT FROM bk_create('chain-23', \$1, 'incremental')" \
	'our own full create' "SELECT FROM bk_create('full', \$1)"

document="(SELECT data FROM document WHERE name = '$newest')"
value "SELECT FROM bk_create('chain', $document)"
for step in $(seq 2 "$chain"); do
	say "SELECT FROM bk_create('chain', jsonb_set($document, '{api,Accelerometer,step}', '$step'), 'incremental');"
done | psql -XqAt -v ON_ERROR_STOP=1
value "SELECT FROM bk_create('chain-full', jsonb_set($document, '{api,Accelerometer,step}', '$chain'))"
newest_of() { value "SELECT max(backup_id) FROM bk_backups WHERE resource_id = '$1'"; }
compare 'restore of a chain of 100' '' \
	ours "SELECT jsonb_typeof(bk_restore($(newest_of chain)))" \
	'restore of a full one' "SELECT jsonb_typeof(bk_restore($(newest_of chain-full)))"
