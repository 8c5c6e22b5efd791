# What the tests share that run make serve.

# start_serve LOG: make serve in the background, until it is ready; pid is its process.
start_serve() {
	# Not by the child alone: it may be late, and the line of the one before would be read.
	: >"$1"
	http/serve >"$1" 2>&1 </dev/null &
	pid=$!
	for _ in $(seq 1200); do
		if grep -q '^ready: ' "$1"; then return 0; fi
		kill -0 $pid 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}
