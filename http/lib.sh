# What make serve and the tests of nginx share: nginx itself, and a folder to run it in.
. "$(dirname "${BASH_SOURCE[0]}")/../test/tools/lib.sh"

# find_nginx: sets NGINX.  Debian's package would start a service on port 80, now and at each boot, so where there is no
# nginx its program is unpacked below ./tmp and nothing is installed.  Needs make_tmp.
find_nginx() {
	local folder=$tmp/nginx
	NGINX=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v nginx || echo "$folder/usr/sbin/nginx")
	[ ! -x "$NGINX" ] || return 0
	command -v apt-get >/dev/null || die "nginx is not on PATH"
	say "unpacking nginx below ./tmp"
	rm -rf "$folder"
	mkdir -p "$folder"
	cd "$folder"
	apt-get -qq download nginx >/dev/null 2>&1 || { (apt_get update); apt-get -qq download nginx; } ||
		die "apt-get cannot download nginx"
	dpkg -x nginx_*.deb .
	# Older distributions have the program in another package.
	[ -x "$NGINX" ] || { apt-get -qq download nginx-core && dpkg -x nginx-core_*.deb .; }
	cd "$root"
	"$NGINX" -v 2>/dev/null || die "$NGINX does not run"
}

# check_size SIZE: one that nginx takes.
check_size() { [[ $1 =~ ^[1-9][0-9]{0,8}[kKmM]?$ ]] || die "a size is a number with k or m behind it, such as 64m; not $1"; }

# nginx_folder FOLDER PORT UPSTREAM [MAX_BODY]: a folder with our configuration, for nginx -p FOLDER.  UPSTREAM is as in
# nginx's server directive.
nginx_folder() {
	local folder=$1 port=$2 upstream=$3 max=${4:-64m}
	make_folder "$folder"
	cp "$root/http/nginx.conf" "$folder/"
	sed -e "s|127\.0\.0\.1:3000|$upstream|" -e "s|127\.0\.0\.1:3004|127.0.0.1:$port|" \
		-e "s|\(client_max_body_size\) .*;|\1 $max;|" \
		-e "s|\(client_body_buffer_size\) .*;|\1 $((2 * ${max%[kKmM]}))${max##*[0-9]};|" \
		"$root/http/backup_service.conf" >"$folder/backup_service.conf"
	chmod a+r "$folder"/*.conf
}
