# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the scripts share: where things are, and how to speak.  To be sourced.

VG_TOP=${VG_TOP:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}

if [[ -z ${VG_CACHE:-} ]]; then
	if ((EUID == 0)); then
		VG_CACHE=/var/cache/vfio-guard
	else
		VG_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/vfio-guard
	fi
fi
[[ $VG_CACHE == /* ]] || VG_CACHE=$PWD/$VG_CACHE

# Where modules are built; the sources are only ever read.
VG_BUILD=${VG_BUILD:-$VG_CACHE/build}

# The kernel flavours that are built for and tested.
VG_KERNELS="6.1 6.12 7.3"

export VG_TOP VG_CACHE VG_BUILD VG_KERNELS

# A build started from make must not be bound to that make's options and jobs,
# and compilers' messages are read by scripts.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
export LC_ALL=C

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# vg_flavour FLAVOUR: refuse a flavour that is not one of ours.
vg_flavour() {
	[[ " $VG_KERNELS " == *" $1 "* ]] ||
		die "no such kernel flavour: $1 (known: $VG_KERNELS)"
}

# vg_linux_source: print the path of the kernel's source archive, fetch it first
# when it is missing.
vg_linux_source() {
	local tar=$VG_CACHE/src/linux-source-6.12.tar.xz

	[[ -s $tar ]] || "$VG_TOP/scripts/setup" --for source >&2 || return
	printf '%s\n' "$tar"
}

# vg_chroot ROOT DIR COMMAND...: run COMMAND in ROOT, with DIR seen there as
# /build.  The mounts live in a namespace of their own and end with COMMAND.
vg_chroot() {
	local userns=()

	((EUID == 0)) || userns=(--map-root-user)
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare "${userns[@]}" --mount --propagation private bash -euc '
		root=$1 dir=$2
		shift 2
		mount --rbind /proc "$root/proc"
		mount --bind "$dir" "$root/build"
		exec chroot "$root" /usr/bin/env -i HOME=/root LC_ALL=C \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"' \
		vg_chroot "$@"
}
