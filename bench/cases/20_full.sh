# Full backups of one large document, and getting it back.

pgcrypto="SELECT pgcrypto_backup('full', \$1)"
compare 'full create, gzip 6, encrypted, 19 MB' "$newest" \
	ours "SELECT FROM bk_create('gzip', \$1, compression => 'gzip')" \
	'pgcrypto, same level' "$pgcrypto"
compare 'full create, zstd, encrypted, 19 MB' "$newest" \
	ours "SELECT FROM bk_create('zstd', \$1, compression => 'zstd')" \
	'pgcrypto, level 6' "$pgcrypto"
compare 'full create, gzip 6, from a jsonb value' "$newest" \
	ours "SELECT FROM bk_create('gzip', \$1, compression => 'gzip')" \
	'gzip -6 | openssl enc' "!gzip_openssl $texts/$newest.json"

ours=$(value "SELECT max(backup_id) FROM bk_backups WHERE resource_id = 'gzip'")
theirs=$(value "SELECT max(id) FROM pgcrypto_backup")
value "CREATE TABLE plain_text AS SELECT data::text AS data FROM document WHERE name = '$newest'"
compare 'restore to jsonb, 19 MB, encrypted' '' \
	ours "SELECT jsonb_typeof(bk_restore($ours))" \
	'pgp_sym_decrypt()::jsonb' "SELECT jsonb_typeof(pgcrypto_text($theirs)::jsonb)" \
	'jsonb_in of its text' "SELECT jsonb_typeof(data::jsonb) FROM plain_text"
compare 'restore as text (bk_export)' '' \
	ours "SELECT octet_length(bk_export($ours))" \
	'pgp_sym_decrypt()' "SELECT octet_length(pgcrypto_text($theirs))"
