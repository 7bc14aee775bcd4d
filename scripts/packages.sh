# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Getting kernels from the distribution's archives into the cache, for the scripts
# that do.  To be sourced after lib.sh.

need_root() {
	((EUID == 0)) || die "must be root to $1; run 'scripts/setup --for ${purpose:-check}' as root once"
}

# Package lists can be missing (a fresh container) or out of date (the archive
# no longer has what they name): ask for new ones only after a failure.
apt_retry() {
	local out

	if ! out=$("$@" 2>&1); then
		say "$out" "-- once more with new package lists"
		need_root "update the package lists"
		flock "$VG_CACHE/apt.lock" apt-get -qq update
		"$@"
	fi
}

# fetch DIR PACKAGE...: have the packages' files in DIR, nothing installed.
fetch() {
	local dir=$1

	shift
	mkdir -p "$dir"
	# As root apt would fetch as _apt, who can't write here.
	(cd "$dir" && apt_retry apt-get -qq -o APT::Sandbox::User=root download "$@")
}

# depends APT-CACHE PACKAGE PATTERN: the dependencies of PACKAGE that match.
depends() {
	$1 depends --no-recommends --no-suggests "$2" |
		sed -nE 's/^ *\|?Depends: ([^<]*)$/\1/p' | grep -E "^$3" | sort -u
}

# newest_image PACKAGE [APT-CACHE]: the image that PACKAGE is, or depends on.
newest_image() {
	if [[ $1 =~ ^linux-image-[0-9]+\.[0-9]+\.[0-9] ]]; then
		${2:-apt-cache} show "$1" >/dev/null && say "$1"
	else
		depends "${2:-apt-cache}" "$1" 'linux-image-[0-9]'
	fi
}

# unpack_image DEB-DIR RELEASE DIR: lay out the kernel for the test machines.
# Up to 6.12 it is one package with /boot, later ones are split and without.
unpack_image() {
	local debs=$1 release=$2 dir=$3 image=$3/image file deb tree

	for deb in "$debs"/linux-{image,base,binary,modules}-*.deb; do
		[[ ! -e $deb ]] || dpkg-deb -x "$deb" "$image"
	done
	tree=$image/lib/modules/$release
	[[ -d $tree ]] || tree=$image/usr/lib/modules/$release
	for file in vmlinuz config; do
		mv "$image/boot/$file-$release" "$dir/$file" 2>/dev/null ||
			mv "$tree/$file" "$dir/$file"
	done
	mv "$tree/kernel" "$dir/modules"
	say "$release" >"$dir/release"
	rm -r "$image"
}

# put NEW DIR: have NEW in the place of DIR, which others may be reading.
put() {
	rm -rf --one-file-system "$2.old"
	[[ ! -e $2 ]] || mv "$2" "$2.old"
	mv "$1" "$2"
	rm -rf --one-file-system "$2.old"
}

# A kernel of this machine's own distribution: image and headers are unpacked,
# never installed, for installing would change what the machine boots.
get_native_kernel() {
	local dir=$VG_CACHE/kernels/$1 meta=$2 new=$VG_CACHE/kernels/$1.new
	local release list deb

	apt_retry newest_image "$meta"
	release=$(newest_image "$meta")
	release=${release#linux-image-}
	[[ $release == "$1".* || $1 == try-* ]] || say "note: the archive's kernel is now $release"
	rm -rf "$new"
	mapfile -t list < <(depends apt-cache "linux-headers-$release" 'linux-(headers|kbuild)-')
	fetch "$new/debs" "linux-image-$release" "linux-headers-$release" "${list[@]}"
	unpack_image "$new/debs" "$release" "$new"
	for deb in "$new"/debs/linux-{headers,kbuild}-*.deb; do
		dpkg-deb -x "$deb" "$new/root"
	done
	# The one absolute path: to the headers common to all configurations.
	sed -i "s|^include /usr/src/|include $dir/root/usr/src/|" \
		"$new/root/usr/src/linux-headers-$release/Makefile"
	ln -s "root/usr/src/linux-headers-$release" "$new/build"
	test -e "$new/build/scripts/Makefile.build"
	rm -r "$new/debs"
	put "$new" "$dir"
}

# The same from the next release; the headers are unpacked into its root, which has
# the compiler they ask for.
get_trixie_kernel() {
	local root=$VG_CACHE/roots/trixie dir=$VG_CACHE/kernels/$1 new=$VG_CACHE/kernels/$1.new
	local release list deb

	need_root "unpack headers into the build root for $1"
	inside() { vg_chroot "$root" "$new/debs" "$@"; }
	rm -rf "$new"
	mkdir -p "$new/debs"
	inside apt-get -qq update
	release=$(newest_image "$2" "inside apt-cache -o APT::Default-Release=trixie-backports")
	release=${release#linux-image-}
	[[ $release == "$1".* || $1 == try-* ]] || say "note: the archive's kernel is now $release"
	mapfile -t list < <(
		depends "inside apt-cache" "linux-image-$release" 'linux-(base|binary|modules)-'
		depends "inside apt-cache" "linux-headers-$release" 'linux-(headers|kbuild)-'
	)
	# shellcheck disable=SC2016 # expanded inside
	inside sh -c 'cd /build && apt-get -qq -o APT::Sandbox::User=root download "$@"' sh \
		"linux-image-$release" "linux-headers-$release" "${list[@]}"
	unpack_image "$new/debs" "$release" "$new"
	for deb in "$new"/debs/linux-{headers,kbuild}-*.deb; do
		dpkg-deb -x "$deb" "$root"
	done
	test -e "$root/usr/src/linux-headers-$release/scripts/Makefile.build"
	# The headers come without what their Makefile asks about the checker.
	printf '#!/bin/sh\necho 1\n' >"$new/checker-valid.sh"
	install -D -t "$root/usr/src/linux-headers-${release%-*}-common/scripts" "$new/checker-valid.sh"
	rm -r "$new/debs" "$new/checker-valid.sh"
	put "$new" "$dir"
}
