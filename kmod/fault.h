/* SPDX-License-Identifier: GPL-2.0 */
/* Where all faults end up: whose is it, and is it one too many? */
#ifndef VG_FAULT_H
#define VG_FAULT_H

#include "assigned.h"
#include "core/decode.h"
#include "core/verdict.h"
#include "units.h"

void vg_fault_init(const struct vg_policy *in_force);
bool vg_fault_pour(atomic64_t *bucket, u32 faults, u64 now,
		   const struct vg_storm_limit *limit, u32 *level);
void vg_fault_prepare(struct vg_assigned *entry);
bool vg_fault_is_ours(const struct vg_unit *unit, const struct vg_fault *fault);
bool vg_fault_note(const struct vg_unit *unit, const struct vg_fault *fault);
bool vg_fault_note_at(const struct vg_unit *unit, const struct vg_fault *fault,
		      u64 when);
bool vg_fault_note_grave(const struct vg_unit *unit,
			 const struct vg_fault *fault);
bool vg_fault_explains(void);
void vg_fault_collect(void);
void vg_fault_lost(u32 count);
void vg_fault_totals(u64 *nobodys, u64 *unrecorded);

#endif /* VG_FAULT_H */
