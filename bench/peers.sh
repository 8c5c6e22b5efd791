# The peers that are programs.  Like PostgreSQL, each has its data on the disk before it is done: restic and Borg see to
# that themselves, the others are synced here.

export RESTIC_PASSWORD=benchmark BORG_PASSPHRASE=benchmark

# What a peer's files are, in bytes; folders not counted.
file_bytes() { find "$1" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%d\n", sum }'; }

# A key is given as it is, so that none has to be derived.
gzip_openssl() {
	gzip -6 <"$1" | openssl enc -aes-256-cbc -K "$(printf '%064d' 1)" -iv "$(printf '%032d' 2)" -out "$tmp/bench-peers/gzip_openssl"
	sync "$tmp/bench-peers/gzip_openssl"
}

restic_here() { restic -q --repo "$tmp/bench-peers/restic" --cache-dir "$tmp/bench-peers/restic-cache" "$@"; }
restic_init() { rm -rf "$tmp/bench-peers/restic"* && restic_here init; }
restic_create() { restic_here backup --stdin --stdin-filename data.json <"$1"; }

borg_here() { BORG_BASE_DIR=$tmp/bench-peers/borg-home borg "$@"; }
borg_init() { rm -rf "$tmp/bench-peers/borg"* && borg_here init -e repokey "$tmp/bench-peers/borg" 2>/dev/null; }
borg_create() { borg_here create --compression zlib,6 "$tmp/bench-peers/borg::$(basename "$1" .json)" - <"$1"; }

# What a DBA has without any of us: a dump of the table, compressed, not encrypted.
pg_dump_create() { pg_dump -Fc -Z6 -t bench.current_release -f "$tmp/bench-peers/pg_dump/$1"; }

# zstd_patch OLD NEW PATCH: what is there already is kept, since the strongest ordinary level takes seconds.
zstd_patch() { [ -e "$3" ] || { zstd -19 --long=27 -q -c --patch-from="$1" "$2" >"$3.part" 2>/dev/null && mv "$3.part" "$3"; }; }
