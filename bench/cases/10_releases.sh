# One full backup and then incrementals, against restic and Borg repositories that get the same bytes, and dumps of a table that has
# the same row, release by release.  On each side a release is a process of its own that reads, stores, and has it on the disk when it
# ends.  Comes first: what the catalog grows by is seen while its tables have no free space.

create_release() {
	psql -XqAt -v ON_ERROR_STOP=1 -c "SELECT FROM bk_create('releases-$1', (SELECT data FROM document WHERE name = '$2'), 'incremental')"
}

value 'CREATE TABLE current_release (data jsonb)'
mkdir "$tmp/bench-peers/pg_dump"
before=$(value 'SELECT catalog_bytes()')
for run in $(seq "$rounds"); do
	restic_init
	borg_init
	ours=0 restic=0 borg=0 dumps=0
	for release in "${release_names[@]}"; do
		value "TRUNCATE current_release; INSERT INTO current_release SELECT data FROM document WHERE name = '$release'"
		ours="$ours + $(timed create_release "$run" "$release")"
		restic="$restic + $(timed restic_create "$texts/$release.json")"
		borg="$borg + $(timed borg_create "$texts/$release.json")"
		dumps="$dumps + $(timed pg_dump_create "$release")"
	done
	note '24 releases, time' ours "$ours"
	note '24 releases, time' restic "$restic"
	note '24 releases, time' 'Borg, zlib 6' "$borg"
	note '24 releases, time' 'pg_dump -Z6' "$dumps"
done
case='24 releases, bytes on disk'
note "$case" ours "(catalog_bytes() - $before) / $rounds"
note "$case" restic "$(file_bytes "$tmp/bench-peers/restic")"
note "$case" 'Borg, zlib 6' "$(file_bytes "$tmp/bench-peers/borg")"
note "$case" 'pg_dump -Z6' "$(file_bytes "$tmp/bench-peers/pg_dump")"

# The limit for deltas: each release as a patch to the one before it.
patches=$tmp/bench-data/patches
mkdir -p "$patches"
for number in $(seq 2 "$releases"); do
	old=${release_names[number - 2]} new=${release_names[number - 1]}
	echo "zstd_patch '$texts/$old.json' '$texts/$new.json' '$patches/$new'"
done | xargs -P"$(nproc)" -d '\n' -n1 bash -c '. bench/peers.sh; eval "$1"' -
patch_bytes=$(for release in "${release_names[@]:1}"; do stat -c %s "$patches/$release"; done | paste -sd+)
first_bytes=$(gzip -6 <"$texts/${release_names[0]}.json" | wc -c)
peer='gzip -6, then zstd -19 --patch-from'
note '24 releases, bytes stored' ours "(SELECT sum(stored_size) FROM bk_backups WHERE resource_id = 'releases-1')"
note '24 releases, bytes stored' "$peer" "$first_bytes + $patch_bytes"
note '23 increments alone, bytes stored' ours "(SELECT sum(stored_size) FROM bk_backups WHERE resource_id = 'releases-1' AND type = 'incremental')"
note '23 increments alone, bytes stored' 'zstd -19 --patch-from' "$patch_bytes"
