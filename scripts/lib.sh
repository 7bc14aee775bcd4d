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

# The kernel flavours that are built for and tested: the distribution's own, and
# those that scripts/build-kernel makes of the same sources to find bugs with.
VG_KERNELS="6.1 6.12 7.3"
VG_DEBUG_KERNELS="6.1-debug 6.12-debug 7.3-debug"

export VG_TOP VG_CACHE VG_BUILD VG_KERNELS VG_DEBUG_KERNELS

# A build started from make must not be bound to that make's options and jobs,
# and compilers' messages are read by scripts.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
export LC_ALL=C

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# vg_quietly LOG COMMAND...: show the end of the log if the command fails.
vg_quietly() {
	local out=$1

	shift
	# In the background: as part of an || a function would run without set -e.
	("$@") >"$out" 2>&1 </dev/null &
	wait $! || {
		tail -n 30 "$out" >&2
		die "'$*' failed, see $out"
	}
}

# vg_flavour FLAVOUR: refuse a flavour that is neither one of ours nor on trial.
vg_flavour() {
	[[ " $VG_KERNELS $VG_DEBUG_KERNELS " == *" $1 "* || $1 == try-* ]] ||
		die "no such kernel flavour: $1 (known: $VG_KERNELS $VG_DEBUG_KERNELS)"
}

# vg_linux_source VERSION: print the path of the kernel's source archive, fetch
# it first when it is missing.
vg_linux_source() {
	local tar=$VG_CACHE/src/linux-source-$1.tar.xz

	[[ -s $tar ]] || "$VG_TOP/scripts/setup" --for "source-$1" >&2 || return
	printf '%s\n' "$tar"
}

# What no kernel for a virtual machine, or for User Mode Linux, has a use for; kconfig
# and make ask for some files there all the same.
vg_unused_folders=(arch/{alpha,arc,arm,arm64,csky,hexagon,loongarch,m68k,microblaze,mips}
	arch/{nios2,openrisc,parisc,powerpc,riscv,s390,sh,sparc,xtensa}
	drivers/{accel,crypto,gpu,hwmon,iio,infiniband,media,mtd,pinctrl,scsi,soc,staging,usb}
	drivers/net/{wireless,can,dsa,wan} sound fs/{btrfs,ceph,smb,xfs} net/wireless)

# vg_linux_tree VERSION: print where the kernel's source is unpacked, without most of
# what is in those folders; to be built elsewhere.
vg_linux_tree() {
	local tar dir=$VG_CACHE/src/linux-$1 sum folder exclude=()

	tar=$(vg_linux_source "$1") || return
	exec 8>"$dir.lock"
	flock 8
	sum=$(sha256sum <"$tar")
	if [[ $(cat "$dir.sum" 2>/dev/null) != "$sum" ]]; then
		for folder in "${vg_unused_folders[@]}"; do
			exclude+=(--exclude="*/$folder/*.[chS]" --exclude="*/$folder/*.dts*")
		done
		rm -rf "$dir" "$dir.sum"
		mkdir "$dir"
		tar -xJf "$tar" -C "$dir" --strip-components=1 "${exclude[@]}" \
			--exclude='*/Documentation/*/*' --exclude='*/tools/testing/*' || return
		say "$sum" >"$dir.sum"
	fi
	exec 8>&-
	say "$dir"
}

# vg_check_config FRAGMENT CONFIG [OPTION...]: kconfig drops in silence what it
# can't have; only these options may be missing.
vg_check_config() {
	local fragment=$1 config=$2 line

	shift 2
	while read -r line; do
		[[ $line != CONFIG_* || " $* " == *" ${line%%=*} "* ]] ||
			grep -qxF "$line" "$config" || die "the kernel can't have $line"
	done <"$fragment"
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
