# What the parts of this suite that ask with curl share: requests, and one line of TAP for each check.  run sets URL,
# SOCKETS (of PostgreSQL), WORK (a folder) and EXCHANGES (a file, in which openapi.py looks at every answer again).
set -u
count=0 failed=0 status= size= type= token= url=$URL
part=$(basename "$0")
work=$WORK/$part
mkdir -p "$work"

# tell STATUS NAME: one line of TAP.
tell() {
	count=$((count + 1))
	[ "$1" = 0 ] || { failed=1; printf 'not '; }
	printf 'ok %d - %s\n' "$count" "${2//[$'\r\n']/ }"
	[ "$1" = 0 ] || { echo "#   status $status"; head -c 1500 "$work/body" | tr '\r' ' ' | sed 's/^/#   /'; echo; }
}

# done_testing: the plan, at the end.
done_testing() {
	echo "1..$count"
	exit "$failed"
}

# ask METHOD TARGET [CURL-ARGUMENT...]: one request, with $token; its answer is in $status, $work/head and $work/body.
ask() {
	local method=$1 target=$2 how
	shift 2
	case $method in
		GET) how=() ;;
		HEAD) how=(-I) ;;
		*) how=(-X "$method") ;;
	esac
	[ -z "$token" ] || how+=(-H "Authorization: Bearer $token")
	: >"$work/body"
	read -r status size type < <(curl -sg --path-as-is --max-time 120 -D "$work/head" -o "$work/body" \
		-w '%{http_code} %{size_download} %{content_type}\n' "${how[@]}" "$@" "$url$target")
	[ "$method" != HEAD ] || : >"$work/body"
	record "$method" "$target"
}

# record METHOD TARGET: the last answer, into $EXCHANGES.  Of what is large or no text, the head alone.
record() {
	local body=$work/body
	if [ "$size" -gt 200000 ] || [[ $type != application/json* && $type != text/* ]]; then body=/dev/null; fi
	jq -nc --arg part "$part" --arg method "$1" --arg target "$2" --arg status "$status" --rawfile head "$work/head" --rawfile body "$body" \
		'{$part, $method, $target, status: ($status | tonumber), $body, headers: [$head | split("\r\n")[] |
			capture("^(?<name>[^:]+): ?(?<value>.*)$") | [(.name | ascii_downcase), .value]]}' >>"$EXCHANGES"
}

# post TARGET JSON [CURL-ARGUMENT...]
post() {
	local target=$1 body=$2
	shift 2
	ask POST "$target" -H 'Content-Type: application/json' --data-binary "$body" "$@"
}

# is FILTER [ARGUMENT...]: whether jq's filter holds for the last answer.
is() {
	local filter=$1
	shift
	jq -e "$@" "$filter" "$work/body" >/dev/null 2>&1
}

# field FILTER: what jq makes of the last answer.
field() { jq -r "$1" "$work/body"; }

# header NAME: its value in the last answer.
header() { sed -n "s/^$1: \(.*\)\r\$/\1/Ip" "$work/head"; }

# check STATUS FILTER NAME [ARGUMENT...]: the last answer, as TAP.
check() {
	local wanted=$1 filter=$2 name=$3
	shift 3
	[ "$status" = "$wanted" ] && is "$filter" "$@"
	tell $? "$name"
}

# refused STATUS MESSAGE NAME: the last answer is an error whose message has these words.
refused() {
	[ "$status" = "$1" ] && is '(keys == ["code", "details", "hint", "message"]) and (.code | length == 5 or startswith("PGRST") or startswith("NGX")) and
		(.message | contains($words))' --arg words "$2"
	tell $? "$3"
}

# make JSON: a backup; $id is its id.
make() {
	post /backups "$1"
	id=$(field .id)
	[ "$status" = 201 ] || { tell 1 "POST /backups $1"; return 1; }
}

# sql STATEMENT [DATABASE]: as superuser, past the API.
sql() {
	if [ "$(id -u)" = 0 ]; then set -- "$1" setpriv --reuid=nobody --regid=nogroup --clear-groups; else set -- "$1"; fi
	"${@:2}" psql -XAtq -v ON_ERROR_STOP=1 -h "$SOCKETS" -p 5432 -U postgres -d serve -c "$1"
}

b64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# token_of CLAIMS [SECRET]: a token with these claims, in JSON.
token_of() {
	local unsigned
	unsigned=$(printf '{"alg":"HS256","typ":"JWT"}' | b64).$(printf %s "$1" | b64)
	printf '%s.%s' "$unsigned" "$(printf %s "$unsigned" | openssl dgst -sha256 -hmac "${2:-$PGRST_JWT_SECRET}" -binary | b64)"
}

# soon COMMAND...: whether it succeeds within 20 s.
soon() {
	local tries
	for tries in $(seq 200); do
		if "$@"; then return 0; fi
		sleep 0.1
	done
	return 1
}
