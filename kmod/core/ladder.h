/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How far a group of devices has to be cut off, and by what.
 *
 * checkpatch: COMPLEX_MACRO, MACRO_ARG_REUSE, MACRO_ARG_UNUSED: lists that are
 * expanded into enums and tables can't be written in parentheses.
 */
#ifndef VG_CORE_LADDER_H
#define VG_CORE_LADDER_H

#include "types.h"

/*
 * The rungs, each the next resort. X(id, word in step=)
 */
#define VG_RUNGS(X)							\
X(FREE, "none")								\
X(MASTER, "bus-master")							\
X(PORT, "port")								\
X(RESET, "port-reset")							\
X(EXHAUSTED, "exhausted")

#define VG_ENUM_RUNG_(id, word)  VG_RUNG_##id,
enum vg_rung {
	VG_RUNGS(VG_ENUM_RUNG_)
	VG_NR_RUNGS
};

/* Why a group is on the ladder. X(id, word in cause=) */
#define VG_CAUSES(X)							\
X(DMA, "dma-faults")							\
X(IRQ, "interrupt-faults")						\
X(ERROR, "pcie-errors")

#define VG_ENUM_CAUSE_(id, word)  VG_CAUSE_##id,
enum vg_cause {
	VG_CAUSES(VG_ENUM_CAUSE_)
	VG_NR_CAUSES
};

/**
 * struct vg_port_means - what the port above a group can do to it
 * @present: there is a port above
 * @alone: nothing but the group lies below it
 * @dpc: it has DPC with the software trigger (PCIe §7.9.14), and the kernel
 *	 may use it
 */
struct vg_port_means {
	bool present;
	bool alone;
	bool dpc;
};

enum vg_rung vg_ladder_next(enum vg_rung rung, const struct vg_port_means *port);
const char *vg_rung_name(enum vg_rung rung);
const char *vg_cause_name(enum vg_cause cause);

#endif /* VG_CORE_LADDER_H */
