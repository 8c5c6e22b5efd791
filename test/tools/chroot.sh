# What the tests share that run in a Debian of their own: a chroot made by debootstrap, and commands inside.  Needs root, or sudo.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
	die "this makes chroots with debootstrap: it needs to run as root, or sudo"
export PATH=$PATH:/usr/sbin:/sbin

# chroot_made SUITE FOLDER LOG: it is there, with what the Makefile needs before it can install the rest.
chroot_made() {
	local -a options=() source=()
	[ -e "$2/.made" ] && return
	if [ "$1" = noble ]; then
		ubuntu_keys "$2" "$3" || return
		options=(--keyring="$2.gpg" --components=main,universe)
		# bookworm's debootstrap does not know noble's name, but how all of Ubuntu's are made.
		source=(http://archive.ubuntu.com/ubuntu gutsy)
	fi
	say "making $2"
	packages debootstrap
	privileged rm -rf --one-file-system "$2"
	privileged env PATH="$PATH" debootstrap --variant=minbase --include=make "${options[@]}" "$1" "$2" "${source[@]}" >"$3" 2>&1 ||
		{ tail -5 "$3"; return 1; }
	# As its users have it: Ubuntu's suites stay as they were on their first day.
	if [ "$1" = noble ]; then
		echo "deb ${source[0]} noble-updates main universe" | privileged tee -a "$2/etc/apt/sources.list" >/dev/null
	fi
	privileged touch "$2/.made"
}

# ubuntu_keys FOLDER LOG: FOLDER.gpg has the keys that Ubuntu signs with.  bookworm has no package of them, trixie has: that comes from
# a chroot of trixie's beside FOLDER, so that Debian's keys vouch for them.
ubuntu_keys() {
	local trixie=${1%/*}/trixie
	chroot_made trixie "$trixie" "$2" || return
	inside "$trixie" sh -c 'apt-get update && apt-get install -y --no-install-recommends ubuntu-keyring' >"$2" 2>&1 </dev/null ||
		{ tail -5 "$2"; return 1; }
	privileged cp "$trixie/usr/share/keyrings/ubuntu-archive-keyring.gpg" "$1.gpg"
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
