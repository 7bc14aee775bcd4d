// SPDX-License-Identifier: GPL-2.0
/*
 * How far a group of devices has to be cut off, and by what.
 *
 * checkpatch: MACRO_ARG_UNUSED: the lists' other expansions use it.
 */
#include "ladder.h"

#define NAME_ENTRY(id, word) word,

static const char *const rungs[] = { VG_RUNGS(NAME_ENTRY) };
static const char *const causes[] = { VG_CAUSES(NAME_ENTRY) };

static_assert(ARRAY_SIZE(rungs) == VG_NR_RUNGS);
static_assert(ARRAY_SIZE(causes) == VG_NR_CAUSES);

/**
 * vg_ladder_next() - the next rung, now that the one in force hasn't sufficed
 * @rung: the rung in force
 * @port: what the port above the group can do
 *
 * A port is touched only if nothing but the group lies below it: others would
 * pay for faults that aren't theirs. Which of its means it is stopped by, DPC
 * or its bus mastering, makes no difference to the order.
 *
 * Context: any.
 * Return: the rung to climb to; VG_RUNG_EXHAUSTED when there is none.
 */
enum vg_rung vg_ladder_next(enum vg_rung rung, const struct vg_port_means *port)
{
	bool usable = port->present && port->alone;

	switch (rung) {
	case VG_RUNG_FREE:
		return VG_RUNG_MASTER;
	case VG_RUNG_MASTER:
		return usable ? VG_RUNG_PORT : VG_RUNG_EXHAUSTED;
	case VG_RUNG_PORT:
		return usable ? VG_RUNG_RESET : VG_RUNG_EXHAUSTED;
	default:
		return VG_RUNG_EXHAUSTED;
	}
}

/**
 * vg_rung_name() - a rung's word in the log
 * @rung: the rung
 *
 * Context: any.
 * Return: constant text.
 */
const char *vg_rung_name(enum vg_rung rung)
{
	return rungs[rung];
}

/**
 * vg_cause_name() - a cause's word in the log
 * @cause: the cause
 *
 * Context: any.
 * Return: constant text.
 */
const char *vg_cause_name(enum vg_cause cause)
{
	return causes[cause];
}
