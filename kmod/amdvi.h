/* SPDX-License-Identifier: GPL-2.0 */
/* AMD-Vi: the rooms of its device table and of its event log. */
#ifndef VG_AMDVI_H
#define VG_AMDVI_H

#include "core/decode.h"
#include "units.h"

/* Control register, AMD IOMMU spec §3.4 */
#define AMDVI_CONTROL		0x0018
#define AMDVI_CONTROL_IOMMU_EN	BIT_ULL(0)
#define AMDVI_CONTROL_LOG_EN	BIT_ULL(2)

void vg_amdvi_table_facts(const struct vg_amdvi_state *state,
			  const struct vg_path *path, struct vg_evidence *ev);
int vg_amdvi_log_watch(u32 nr_units);
void vg_amdvi_log_unwatch(void);
void vg_amdvi_log_collect(const struct vg_unit *unit);
bool vg_amdvi_log_pending(const struct vg_unit *unit);
bool vg_amdvi_log_is_watched(const struct vg_unit *unit);

#endif /* VG_AMDVI_H */
