# What make demo, make test and make bench share: packages, the build, and a private PostgreSQL.
#
# Everything lives below ./tmp.  The server's files are not installed into the system: tmp/install is a
# copy of its programs with links to its libraries and shared files, and PostgreSQL finds those relative
# to its programs, so that our extension goes beside them there.
#
# As root, the server and the tests run as nobody, who needs to reach ./tmp; where the clone lies in a
# folder that is closed to others, ./tmp is a link to a folder below /var/tmp.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

# As root, as a user who may use sudo, or not at all.
privileged() {
	if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
		die "needs to run as root, or sudo: $*"; fi
}

# packages NAME...: install those that are missing.
packages() {
	local missing=() name
	for name; do
		dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
	done
	[ ${#missing[@]} = 0 ] && return
	say "installing ${missing[*]}"
	# Lists that are out of date may do.
	(apt_get update) || say "going on with the package lists at hand"
	apt_get install -y --no-install-recommends "${missing[@]}"
}

# apt-get, which is heard only where it fails.
apt_get() {
	local log
	log=$(mktemp)
	if ! privileged env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >"$log" 2>&1 </dev/null; then
		cat "$log" >&2
		die "apt-get $* failed"
	fi
	rm -f "$log"
}

# The newest PostgreSQL that is here with headers, else the newest that is here, else the distribution's own.
pg_version() {
	local config
	if [ -n "${PG_CONFIG:-}" ]; then "$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/'; return; fi
	for config in $(ls -dr /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -Vr); do
		basename "$(dirname "$(dirname "$config")")"; return
	done
	apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9]*\)$/\1/p' | head -1
}

# packages_for_build: compiler, libraries, PostgreSQL and its headers.
packages_for_build() {
	packages gcc make libc6-dev zlib1g-dev libdeflate-dev libzstd-dev libssl-dev
	PGV=$(pg_version)
	if [ -z "$PGV" ]; then
		apt_get update
		PGV=$(pg_version)
	fi
	[ -n "$PGV" ] || die "apt knows no package postgresql"
	packages "postgresql-$PGV" "postgresql-server-dev-$PGV"
	PG_CONFIG=${PG_CONFIG:-/usr/lib/postgresql/$PGV/bin/pg_config}
	export PGV PG_CONFIG
}

# Run something as the user that the server runs as.
if [ "$(id -u)" = 0 ]; then
	unprivileged() { setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME="$tmp" "$@"; }
else
	unprivileged() { "$@"; }
fi

# The same in the background, for as long as this script lives, however that ends; $! is the program itself.  In a session
# of its own, since Ctrl-C is for the script, which knows the order to stop things in; and listening to SIGINT, which
# bash makes its background deaf to.
background() {
	local user=()
	if [ "$(id -u)" = 0 ]; then user=(setpriv --reuid=nobody --regid=nogroup --clear-groups); fi
	"${user[@]}" env --default-signal=INT HOME="$tmp" setsid setpriv --pdeathsig INT "$@" &
}

# Make ./tmp, where the unprivileged user can reach it.
make_tmp() {
	if [ "$(id -u)" = 0 ] && [ ! -e "$root/tmp" ] && ! tmp=/ unprivileged test -x "$root"; then
		ln -sfn "$(mktemp -d /var/tmp/backup_service.XXXXXX)" "$root/tmp"
		chmod 755 "$root/tmp/."
	fi
	mkdir -p "$root/tmp"
	tmp=$(cd "$root/tmp" && pwd -P)
	export tmp
}

# A folder that the unprivileged user owns.
make_folder() {
	mkdir -p "$1"
	if [ "$(id -u)" = 0 ]; then chown nobody:nogroup "$1"; fi
}

# make_quiet ARGUMENT...: with our PostgreSQL, and the compiler that CC names, if it does.
make_quiet() {
	make --no-print-directory -s PG_CONFIG="$PG_CONFIG" with_llvm=no ${CC:+CC="$CC"} "$@"
}

# copy_clone FOLDER: what git has or would take, as it is now, where the server's user may write beside it.
copy_clone() {
	rm -rf "$1"
	mkdir -p "$1/tmp"
	git ls-files -z --cached --others --exclude-standard | tar --null --files-from=- -c | tar -x --no-same-owner -C "$1"
	chmod -R a+rwX "$1"
}

# private_install: tmp/install with PostgreSQL and the extension, built with warnings as errors.
private_install() {
	local bin share lib
	make_tmp
	bin=$("$PG_CONFIG" --bindir) share=$("$PG_CONFIG" --sharedir) lib=$("$PG_CONFIG" --pkglibdir)
	inst=$tmp/install-$PGV
	if [ ! -x "$inst$bin/postgres" ]; then
		rm -rf "$inst"
		mkdir -p "$inst$bin" "$inst$share" "$inst$lib"
		cp "$bin"/* "$inst$bin/"
		(cd "$lib" && find . -maxdepth 1 -mindepth 1 ! -name bitcode -exec cp -rs "$lib/{}" "$inst$lib/" \;)
		cp -rs "$share/." "$inst$share/"
		rm -rf "$inst$share/extension/backup_service"* "$inst$lib/backup_service.so"
	fi
	PGBIN=$inst$bin
	export PGBIN inst
	make_quiet -j"$(nproc)" WERROR=-Werror all
	make_quiet DESTDIR="$inst" install >/dev/null
	export PATH="$PGBIN:$PATH"
	unset PGHOST PGPORT PGUSER PGDATABASE PGSERVICE PGPASSWORD PGOPTIONS 2>/dev/null || true
}

# link_extension NAME: into tmp/install, where an extension of the system's was installed after that had been made.
link_extension() {
	local share lib
	share=$("$PG_CONFIG" --sharedir) lib=$("$PG_CONFIG" --pkglibdir)
	[ -e "$lib/$1.so" ] || return 0
	ln -sf "$lib/$1.so" "$inst$lib/"
	ln -sf "$share/extension/$1"* "$inst$share/extension/"
}

# link_tree FOLDER: into tmp/install what make install DESTDIR=FOLDER has put there, where a folder is named.
link_tree() {
	[ -z "$1" ] || cp -rsf "$(cd "$1" && pwd)/." "$inst/"
}

# start_server NAME [POSTGRES OPTION...]: a new server in tmp/NAME; psql finds it through PGHOST and PGPORT.  POSTGRES names
# what stands for the server's program.
start_server() {
	local name=$1 data=$tmp/$1/data
	shift
	stop_server "$name"
	rm -rf "${tmp:?}/$name"
	make_folder "$tmp/$name"
	PGHOST=$tmp/$name
	# A socket's path has at most 107 bytes.
	[ ${#PGHOST} -lt 90 ] || PGHOST=$(unprivileged mktemp -d /tmp/backup_service.XXXXXX)
	PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
	export PGHOST PGPORT PGUSER PGDATABASE
	cd "$tmp"
	unprivileged "$PGBIN/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$PGHOST'"
		printf '%s\n' "$@"
	} | unprivileged tee -a "$data/postgresql.conf" >/dev/null
	unprivileged "$PGBIN/pg_ctl" -D "$data" ${POSTGRES:+-p "$POSTGRES"} -l "$tmp/$name/log" -w start >/dev/null ||
		{ cat "$tmp/$name/log" >&2; die "the private server did not start"; }
	cd "$root"
}

# stop_server NAME: where it runs.
stop_server() {
	local data=$tmp/$1/data
	if [ -e "$data/postmaster.pid" ]; then
		cd "$tmp"
		# One that is shot does not write down which lines it ran (make coverage).
		unprivileged "$PGBIN/pg_ctl" -D "$data" -m "$([ "${COVERAGE:-}" = yes ] && echo fast || echo immediate)" -w stop >/dev/null 2>&1 || true
		cd "$root"
	fi
}

# test_module NAME: build a module of test/modules into the private install.
test_module() {
	rm -rf "$tmp/modules/$1"
	mkdir -p "$tmp/modules"
	cp -r "test/modules/$1" "$tmp/modules/"
	# As in the Makefile of the extension: clang does not know all flags of the compiler that PostgreSQL was built with.
	make_quiet -C "$tmp/modules/$1" SOURCE="$root" COPT="$([[ ${CC:-} != *clang* ]] || echo -Wno-unknown-warning-option -Wno-ignored-optimization-argument -Wno-ignored-attributes)" all
	make_quiet -C "$tmp/modules/$1" SOURCE="$root" DESTDIR="$inst" install >/dev/null
}
