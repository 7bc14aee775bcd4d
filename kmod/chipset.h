/* SPDX-License-Identifier: GPL-2.0 */
/* Platform errata, and masks that keep IOMMU faults from becoming NMIs. */
#ifndef VG_CHIPSET_H
#define VG_CHIPSET_H

#include "core/verdict.h"

void vg_chipset_arm(const struct vg_policy *policy);
void vg_chipset_report(void);
void vg_chipset_restore(void);
void vg_chipset_facts(struct vg_evidence *ev);

#endif /* VG_CHIPSET_H */
