# What bench/run and its cases share, beyond test/tools/lib.sh: how much is measured, and how.
#
# A measurement is one run of one side of a case, a row of bench.measurement.  Our side is called "ours", a peer's has
# the peer's name; bench/targets says which are compared.

. "$(dirname "${BASH_SOURCE[0]}")/../test/tools/lib.sh"
. bench/peers.sh

quick=${BENCH_QUICK:-}
# in_full NUMBER QUICK: the first, or the second with BENCH_QUICK=1.
in_full() { if [ -n "$quick" ]; then echo "$2"; else echo "$1"; fi; }

rounds=${BENCH_RUNS:-$(in_full 5 3)}
releases=$(in_full 24 3)
small_documents=$(in_full 20000 2000)
chain=$(in_full 100 20)
big_rows=$(in_full 800000 200000)

value() { psql -XqAt -v ON_ERROR_STOP=1 -c "$1"; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# note CASE SIDE VALUE
note() { value "INSERT INTO measurement VALUES (\$\$$1\$\$, \$\$$2\$\$, $3)"; }

# timed COMMAND...: how many milliseconds it takes; what it prints is thrown away.
timed() {
	local started=${EPOCHREALTIME/./} took
	"$@" >/dev/null
	took=$((${EPOCHREALTIME/./} - started))
	printf '%d.%03d\n' $((took / 1000)) $((took % 1000))
}

# compare CASE DOCUMENTS SIDE STATEMENT [SIDE STATEMENT]...: the sides take turns, in one session, after a round that warms
# up.  DOCUMENTS are names in table document, at most two: statements have them as $1 and $2, in memory already.  RUN in a
# statement is the round's number.  A statement that begins with ! is a command of bench/peers.sh instead.  END=rollback
# undoes each statement and takes its own time alone; otherwise the commit belongs to it.
compare() {
	local case=$1 documents=$2 run side
	shift 2
	for run in $(seq 0 "$rounds"); do
		for ((side = 1; side < $#; side += 2)); do
			one_turn "${@:side:1}" "${@:side+1:1}"
		done
	done | psql -XqAt -v ON_ERROR_STOP=1 >/dev/null
}

# one_turn SIDE STATEMENT: what psql is to do for one side in one round of compare.
one_turn() {
	local side=$1 statement=${2//RUN/$run}
	if [[ $statement = !* ]]; then
		printf '\\set took `bench/timed %s`\n' "${statement#!}"
		say "INSERT INTO measurement SELECT \$\$$case\$\$, \$\$$side\$\$, :took WHERE $run > 0;"
	else
		say "CALL measure(\$\$$case\$\$, \$\$$side\$\$, $run, \$statement\$$statement\$statement\$, '{$documents}', '${END:-commit}');"
	fi
}

# about WHAT VALUE: something that the report says of this run.
about() { value "INSERT INTO about (name, value) VALUES (\$\$$1\$\$, \$\$$2\$\$)"; }
