/* SPDX-License-Identifier: GPL-2.0 */
/* One event in, every sink out. */
#ifndef VG_REPORT_H
#define VG_REPORT_H

#include <linux/pci.h>

#include "core/verdict.h"
#include "units.h"

/**
 * struct vg_decision - a verdict on one device, as it is reported
 * @pdev: the device
 * @unit: the IOMMU unit that covers it, or NULL
 * @policy: the policy it was judged by
 * @verdict: the verdict
 * @opener: current is the opener; false for what is found at load
 */
struct vg_decision {
	struct pci_dev *pdev;
	const struct vg_unit *unit;
	struct vg_policy policy;
	struct vg_verdict verdict;
	bool opener;
};

void vg_report_decision(const struct vg_decision *decision);
void vg_report_posture(const struct vg_unit *unit,
		       const struct vg_evidence *ev,
		       const struct vg_policy *policy,
		       const struct vg_verdict *verdict);
void vg_report_exit(void);

#endif /* VG_REPORT_H */
