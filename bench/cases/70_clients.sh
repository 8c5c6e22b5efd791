# Backups a second of one client and of two, each with a resource of its own and each backup a transaction of its own.

# throughput CASE SECONDS DOCUMENT: of bk_create() of what that expression gives.
throughput() {
	local case=$1 seconds=$2 script=$tmp/bench-peers/clients.sql run clients
	say "SELECT FROM bk_create('client-' || :client_id, $3);" >"$script"
	for run in $(seq "$rounds"); do
		for clients in 2 1; do
			note "$case" "$([ $clients = 1 ] && echo '1 client' || echo ours)" \
				"$("$PGBIN/pgbench" -n -c $clients -j $clients -T "$seconds" -f "$script" | sed -n 's/^tps = \([0-9.]*\).*/\1/p')"
		done
	done
}
throughput '2 clients on 2 resources, 19 MB each' "$(in_full 8 2)" "(SELECT data FROM document WHERE name = '$newest')"
throughput '2 clients on 2 resources, 2 kB each' "$(in_full 4 1)" '(SELECT data FROM small WHERE number = 1 + :client_id)'
