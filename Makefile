# SPDX-License-Identifier: GPL-2.0-only
#
# Builds for the running kernel, and is the door to all checks.  What the module
# is made of is listed in Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build
INSTALL_MOD_PATH ?= $(DESTDIR)

# Distributions' headers come without the key that modules_install signs with.
NOSIGN := $(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=)

.PHONY: all install clean help setup demo check bench kunit qemu-check static style kdir

all: kdir
	+$(MAKE) -C $(KDIR) M=$(CURDIR) modules

# A staged tree gets no depmod: its index belongs to the machine it will be on.
install: all
	+$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(abspath $(INSTALL_MOD_PATH)) $(NOSIGN) modules_install
	$(if $(INSTALL_MOD_PATH),,depmod -a $$(cat $(KDIR)/include/config/kernel.release))

# By name, for there may be no headers any more.
clean:
	find . -name .git -prune -o -type f \( -name '*.o' -o -name '*.ko' -o -name '*.mod' \
		-o -name '*.mod.c' -o -name '.*.cmd' -o -name modules.order -o -name Module.symvers \) \
		-exec rm -f {} +

kdir:
	@test -e $(KDIR)/Makefile || { \
		echo "make: no kernel headers in $(KDIR)" >&2; \
		echo "  Install them (apt-get install linux-headers-$$(uname -r)), or name others: make KDIR=..." >&2; \
		echo "  For the kernels it is tested on: scripts/setup --for build; scripts/build-module 6.1" >&2; \
		exit 1; }

setup:
	scripts/setup

demo:
	scripts/setup --for demo
	qemu-tests/demo

check:
	scripts/check

bench:
	scripts/bench

kunit:
	scripts/kunit

qemu-check:
	qemu-tests/run $(KERNELS:%=--kernel %) $(SCENARIO:%=--scenario '%') $(QEMU:%=--qemu %)

static:
	scripts/static-checks

style:
	scripts/static-checks style

help:
	@echo 'Building, for the running kernel or the one whose headers KDIR names:'
	@echo '  all         build vfio-guard.ko (the default)'
	@echo '  install     install it for that kernel; DESTDIR or INSTALL_MOD_PATH'
	@echo '              stage it elsewhere, without depmod'
	@echo '  clean       remove what a build left'
	@echo
	@echo 'Seeing it work, on Debian 12, as root (packages are installed, kernels'
	@echo 'are unpacked in a cache, the running system is not touched otherwise):'
	@echo '  demo        an attack let through, then refused, in a virtual machine'
	@echo '  check       static and qemu-check; KERNELS and QEMU as with the latter'
	@echo '  static      warnings, sparse, checkpatch, kernel-doc and the like'
	@echo '  style       only checkpatch'
	@echo '  kunit       unit tests of the pure part, in User Mode Linux; a scenario'
	@echo '              of qemu-check runs them too, on the debug kernel'
	@echo '  qemu-check  attacks and healthy hosts in virtual machines; narrow it by'
	@echo '              KERNELS="6.1 6.12", SCENARIO=<glob>, QEMU=11 or <path>'
	@echo '  bench       what faults and NMIs cost, with vfio-guard and without it'
	@echo '  setup       only fetch what these need'
