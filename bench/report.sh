# The end of bench/run: what was measured, on what, as a table, as JSON, as a picture.

# version PACKAGE: of Debian's.
version() { dpkg-query -W -f '${Version} ' "$1" 2>/dev/null | cut -d' ' -f1; }

about_the_machine() {
	local libdeflate='not used'
	nm -D backup_service.so | grep libdeflate_ >/dev/null && libdeflate=$(version libdeflate0)
	about 'backup_service' "$(git describe --always --dirty 2>/dev/null || value "SELECT extversion FROM pg_extension WHERE extname = 'backup_service'")"
	about 'PostgreSQL' "$(value 'SHOW server_version')"
	about 'pgcrypto' "$(value "SELECT extversion FROM pg_extension WHERE extname = 'pgcrypto'")"
	about 'zlib' "$(version zlib1g)"
	about 'libdeflate' "$libdeflate"
	about 'zstd' "$(version libzstd1)"
	about 'OpenSSL' "$(openssl version | cut -d' ' -f2)"
	about 'restic' "$(restic version | cut -d' ' -f2)"
	about 'Borg' "$(borg --version | cut -d' ' -f2)"
	about 'kernel' "$(uname -r)"
	about 'processors' "$(nproc) × $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
	about 'load' "$load_before at the start, $(cut -d' ' -f1-3 /proc/loadavg) at the end"
	about 'server' "$(value "SELECT string_agg(name || '=' || current_setting(name), ' ')
		FROM unnest('{fsync,synchronous_commit,full_page_writes,wal_sync_method,wal_level,shared_buffers,max_wal_size,jit}'::text[]) name")"
	about 'durability' "ours, pgcrypto and plain tables: this server, each commit flushed; restic, Borg and pg_dump flush their files themselves; gzip | openssl: sync of its file"
	about 'rounds' "$rounds, sides in turns, medians"
	about 'data' "$releases releases of @mdn/browser-compat-data, the newest $(value "SELECT shown(octet_length(data::text), 'bytes') FROM document WHERE name = '$newest'") as text; $small_documents documents of $(value "SELECT round(avg(octet_length(data::text))) FROM small") bytes; a chain of $chain; $big_rows rows for the peak memory"
}

report_text() {
	if [ -n "$quick" ]; then say "**A quick run: less of everything, whatever a case is called. The targets are those of a full one, and bytes of few releases cannot meet them.**" && say; fi
	value 'SELECT as_markdown()'
	say
	if [ -s "$http" ]; then cat "$http" && say; fi
	value "SELECT string_agg(name || ': ' || value, '; ' ORDER BY ordinal) || '.' FROM about"
}

# publish: into README.md, between its marks, and docs.
publish() {
	[ -z "$quick${BENCH_CASES:-}" ] || die "only a full run is published"
	{
		sed '/^<!-- bench -->/q' README.md
		cat "$results.md"
		sed -n '/^<!-- \/bench -->/,$p' README.md
	} >"$tmp/README.md"
	cat "$tmp/README.md" >README.md
	cp "$results.svg" docs/bench.svg
}

about_the_machine
# Requests a second are a benchmark of their own, with a server of its own.
http=$tmp/bench-peers/http.md
if [ -x bench/http ] && [ -n "${POSTGREST:-$(command -v postgrest)}" ] && [ -z "${BENCH_CASES:-}" ]; then
	(unset PGOPTIONS && BENCH_RUNS=$rounds BENCH_SECONDS=$(in_full 5 1) bench/http | sed -n '/^PostgreSQL/,$p' >"$http") ||
		about 'HTTP' 'bench/http failed'
else
	about 'HTTP' 'not measured: needs PostgREST, on PATH or as POSTGREST'
fi

results=bench/results/$(date +%Y%m%d-%H%M%S)$(in_full '' -quick)
mkdir -p bench/results
say
report_text | tee "$results.md"
value 'SELECT as_json()' >"$results.json"
psql -XqAt -F$'\t' -c 'SELECT * FROM bar ORDER BY place' >"$results.bars"
gnuplot -e "bars='$results.bars'; picture='$results.svg'" bench/picture
rm "$results.bars"
for kind in md json svg; do ln -sf "$(basename "$results").$kind" "bench/results/latest.$kind"; done
say
say "written to $results.md, .json and .svg"
if [ -n "${BENCH_PUBLISH:-}" ]; then publish; fi
