# What the tests share that run in a Debian of their own: a chroot made by debootstrap, and commands inside.  Needs root, or sudo.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
	die "this makes chroots with debootstrap: it needs to run as root, or sudo"
export PATH=$PATH:/usr/sbin:/sbin

# chroot_made SUITE FOLDER LOG: it is there, with what the Makefile needs before it can install the rest.
chroot_made() {
	[ -e "$2/.made" ] && return
	say "making $2"
	packages debootstrap
	privileged rm -rf --one-file-system "$2"
	privileged env PATH="$PATH" debootstrap --variant=minbase --include=make "$1" "$2" >"$3" 2>&1 || { tail -5 "$3"; return 1; }
	privileged touch "$2/.made"
}

# inside CHROOT COMMAND...: as root in the chroot, in namespaces of its own, so that mounts and processes end with it, however
# it ends.  Where OVER names a folder, changes go there, and the chroot stays as it is.
inside() {
	local chroot=$1
	shift
	# The script expands in the new shell.
	# shellcheck disable=SC2016
	privileged unshare --mount --pid --ipc --fork --kill-child bash -c '
		chroot=$0 over=$1
		shift
		mount --make-rprivate / || exit 1
		if [ -n "$over" ]; then
			mkdir -p "$over/upper" "$over/work" "$over/root"
			mount -t overlay overlay -o "lowerdir=$chroot,upperdir=$over/upper,workdir=$over/work" "$over/root" || exit 1
			chroot=$over/root
		fi
		mount --rbind /dev "$chroot/dev" && mount -t tmpfs -o mode=1777 shm "$chroot/dev/shm" &&
			mount -t proc proc "$chroot/proc" || exit 1
		cp -L /etc/resolv.conf "$chroot/etc/resolv.conf"
		echo "127.0.0.1 localhost" >"$chroot/etc/hosts"
		exec chroot "$chroot" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb "$@"' \
		"$chroot" "${OVER:-}" "$@"
}
